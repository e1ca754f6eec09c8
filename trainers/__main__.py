"""Lists the commands of this package: `python -m trainers`."""

import pathlib

import zoo
from trainers.runs.recipe import title

FOLDER = pathlib.Path(__file__).parent


def commands() -> dict[str, pathlib.Path]:
    """Name of every command `python -m trainers.NAME` → its file."""
    found = {path.stem: path for path in FOLDER.glob("[!_]*.py")}
    return found | {path.parent.name: path for path in FOLDER.glob("*/__main__.py")}


def text() -> str:
    """Command and title, one a line: the methods first, then the other commands."""
    sources = commands()
    others = sorted(set(sources) - set(zoo.METHODS))
    width = max(map(len, sources))
    lines = [
        [f"  {name:{width}}  {title(sources[name])}" for name in names]
        for names in (zoo.METHODS, others)
    ]
    return "\n".join(
        [
            "usage: python -m trainers.NAME [flags]        flags: python -m trainers.NAME --help",
            "\nMethods:",
            *lines[0],
            "\nOther commands:",
            *lines[1],
        ]
    )


if __name__ == "__main__":
    print(text())
