"""The plan of an experiment, from its flags, and the directory that keeps its cells."""

import csv
import dataclasses
import json
import pathlib

from zoo.cli import commands

# Flags that mean the same in every experiment that has a grid of cells.
FLAGS = {
    "support": (
        "",
        "Numbers m of stored images, such as 64,1024; by default all that the set allows.",
    ),
    "repeats": (2, "Independent memories, features and initial weights."),
    "seed": (0, "Of everything."),
}


# Flags that a second run in the same directory may change.
FREE = ("support", "repeats", "run_dir", "beside")


def plan(args, wanted, most: int):
    """The `experiment.Plan` `wanted`, with the supports of `args.support` if any are given.

    Args:
        most: the largest support that is taken if none are given.

    Raises:
        ValueError: `args.support` cannot be read.
    """
    supports = commands.whole_numbers(args, "support")
    supports = tuple(supports or (m for m in wanted.supports if m <= most))
    control = wanted.control if wanted.control in supports else supports[-1]
    return dataclasses.replace(wanted, supports=supports, control=control)


def directory(args, name: str) -> pathlib.Path:
    """The directory of the experiment, made if missing; see `settle`."""
    name = f"{name}_{args.dataset}" + "_quick" * args.quick
    found = pathlib.Path(args.run_dir or pathlib.Path("runs") / name.replace(":", "_"))
    found.mkdir(parents=True, exist_ok=True)
    settle(found, args)
    return found


def settle(directory: pathlib.Path, args) -> None:
    """Raises ValueError if cells there were measured under other settings than `args`."""
    path = directory / "settings.json"
    same = {k: v for k, v in vars(args).items() if k not in FREE}
    if path.exists() and json.loads(path.read_text(encoding="utf-8")) != same:
        raise ValueError(
            f"{directory} holds an experiment with other settings, {path.read_text()}; "
            "give those, or another --run_dir"
        )
    path.write_text(json.dumps(same), encoding="utf-8")


def cells(directory: str) -> list:
    """The cells of the experiment in `directory`.

    Raises:
        ValueError: there are none.
    """
    try:
        return json.loads((pathlib.Path(directory) / "cells.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(f"{directory} holds no cells of an experiment: {error}") from None


def write_table(path: pathlib.Path, rows: list) -> None:
    """Write cells as CSV."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
