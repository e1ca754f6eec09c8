"""The licence that lies beside a preset whose weights are images: they are a copy of the data."""

import pathlib

from zoo.presets import facts

FILE = "LICENSE.txt"


def write(directory: pathlib.Path, config: dict) -> None:
    """Write LICENSE.txt beside a counterexample, whose weights are stored images; else nothing."""
    notice = text(config)
    if notice:
        (directory / FILE).write_text(notice, encoding="utf-8")


def text(config: dict) -> str:
    """The terms of the stored images, and the changes made to them; empty if none are stored."""
    data = facts.data_of(config)
    if not config["training"].get("built") or data is None:
        return ""
    return (
        f"weights.npz stores {config['arguments']['support']:,} training images of {data.title}, "
        f"chosen at random and otherwise unchanged.\nWhat follows is their licence.\n\n"
        f"{_notice(data)}"
    )


def _notice(data):
    if data.hub == "fashion_mnist":
        folder = pathlib.Path(__file__).parent.parent / "datasets"
        return (folder / "fashion_mnist_10k.LICENSE.txt").read_text(encoding="utf-8")
    return f"{data.terms}\n\n{data.title}: {_BY_SA}"


# Section 4a of the licence asks for a copy of it or its address with every copy of the work.
_BY_SA = """Creative Commons Attribution-ShareAlike 3.0 Unported
https://creativecommons.org/licenses/by-sa/3.0/legalcode

You may share and adapt the images, also commercially, if you name their authors, give this
address with every copy, say what you changed, and pass on what you made of them under the same
licence or a compatible one. The images come as they are, without any warranty.
"""
