"""The presets of the package and the checksums of their files. Needs neither TensorFlow nor NumPy.

`registry.json` is written by `zoo.presets.making.rebuild`, and by nothing else.
"""

import dataclasses
import json
import os
import pathlib

from zoo.cli import markdown
from zoo.cli import names

FOLDER = pathlib.Path(__file__).parent
REGISTRY = "registry.json"

# Figures of the table: heading, key, format.
COLUMNS = (
    ("x-cycle ratio", "x_cycle_ratio", ".2f"),
    ("class kept", "class_kept", ".1%"),
    ("1-NN code", "knn_code", ".1%"),
    ("classes", "classes", ".0f"),
    ("Fréchet", "frechet", ".1f"),
    ("A → B", "translation_ab_ratio", ".2f"),
    ("B → A", "translation_ba_ratio", ".2f"),
)


@dataclasses.dataclass(frozen=True)
class Preset:
    """A preset of the package.

    Attributes:
        name: its name for `zoo.load`.
        method: key of `zoo.METHODS` or `zoo.CONSTRUCTIONS`.
        dataset: the data that it was trained on, or made of; "A, B" if it was trained on two sets.
        parameters: numbers in all of its networks.
        bytes: size of its weights on disk.
        sha256: checksum of its weights.npz.
        config_sha256: checksum of its config.json, which holds that of the weights; for `zoo.load`.
        collapsed: whether its samples lack a class, see `zoo.presets.limits.lacking`.
        figures: key → value, some of metrics.json and audit.json.
        folder: directory of the package's presets.
    """

    name: str
    method: str
    dataset: str
    parameters: int
    bytes: int
    sha256: str
    config_sha256: str
    collapsed: bool
    figures: dict
    folder: pathlib.Path = FOLDER

    @property
    def directory(self) -> pathlib.Path:
        """The directory of its files."""
        return self.folder / self.name

    @property
    def card(self) -> str:
        """Its model card, Markdown."""
        return (self.directory / "card.md").read_text(encoding="utf-8")


class Presets(list):
    """A list of `Preset`s that prints as their table."""

    def __repr__(self):
        return table(self)


def list_presets(folder: pathlib.Path = FOLDER) -> Presets:
    """The presets of the package, by name; printed, they are `zoo.presets.table`.

    Raises:
        ValueError: the registry is damaged.
    """
    path = folder / REGISTRY
    if not path.exists():
        return Presets()
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        return Presets(Preset(**entry, folder=folder) for entry in entries)
    except (OSError, ValueError, TypeError) as error:
        raise ValueError(f"{path} is damaged: {error}; reinstall the package") from None


def find(name: str) -> Preset:
    """The preset of that name.

    Raises:
        ValueError: it does not exist; the message has near names, and how to list all.
    """
    for preset in list_presets():
        if preset.name == name:
            return preset
    raise ValueError(f"no preset is called {name!r}{nearest(name)}")


def resolve(source: str | os.PathLike) -> Preset | pathlib.Path:
    """The preset that `source` names, else a path, which need not exist.

    A name takes precedence over a path; "./name" is the path.
    """
    presets = {preset.name: preset for preset in list_presets()}
    return presets.get(os.fspath(source)) or pathlib.Path(source)


def directory_of(source: str | os.PathLike) -> pathlib.Path:
    """The directory of the preset that `source` names, else `source` as a path."""
    found = resolve(source)
    return found.directory if isinstance(found, Preset) else found


def nearest(name: str) -> str:
    """Ends a message: the names of presets that are near `name`, and how to list all."""
    known = [preset.name for preset in list_presets()]
    return f"{names.nearest(name, known)}; `python -m zoo` lists the {len(known)} presets there are"


def table(presets: list[Preset]) -> str:
    """Name, method, data, size and key figures, one aligned line each; a missing figure is –."""
    rows = [["preset", "method", "data", "parameters", "MB", *(c[0] for c in COLUMNS), ""]]
    for preset in presets:
        size = [f"{preset.parameters:,}", f"{preset.bytes / 1e6:.1f}"]
        remark = "collapsed" if preset.collapsed else ""
        cells = [*size, *markdown.cells(COLUMNS, preset.figures), remark]
        rows.append([preset.name, preset.method, preset.dataset, *cells])
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    # Words to the left, numbers to the right.
    lines = [
        "  ".join(f"{c:{'<' if i < 3 else '>'}{w}}" for i, (c, w) in enumerate(zip(row, widths)))
        for row in rows
    ]
    return "\n".join(line.rstrip() for line in lines)
