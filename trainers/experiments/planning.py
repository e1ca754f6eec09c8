"""The plan of an experiment, from its flags, and the directory that keeps its cells."""

import contextlib
import csv
import dataclasses
import json
import os
import pathlib
import platform
import time

from trainers.runs.directory import held
from zoo import run_files
from zoo.cli import commands

# Flags that mean the same in every experiment.
CELLS = {
    "cells": (0, "Stop after so many trainings, to continue another time; 0 for all."),
    "run_dir": ("", "Directory to write to; by default runs/ and the name of the experiment."),
}
# Flags of the experiments with fresh discriminators on stored images.
FLAGS = {
    "dataset": ("fashion_mnist_10k", "Images to store; see `--help` of any method."),
    "support": (
        "",
        "Numbers m of stored images, such as 64,1024; by default all that the set allows.",
    ),
    "repeats": (2, "Independent memories, features and initial weights."),
    "latent_dim": (16, "Numbers in a code; of the counterexample also noise pixels in an image."),
    "seed": commands.SEED,
    "run_dir": CELLS["run_dir"],
}


# Flags that a second run in the same directory may change.
FREE = ("support", "repeats", "run_dir", "beside", "methods", "channels", "seeds", "cells")


def plan(args, wanted, most: int):
    """The `judging.Plan` `wanted`, with the supports of `args.support` if any are given.

    Args:
        most: the largest support that is taken if none are given.

    Raises:
        ValueError: `args.support` cannot be read.
    """
    supports = commands.whole_numbers(args, "support")
    supports = tuple(supports or (m for m in wanted.supports if m <= most))
    control = wanted.control if wanted.control in supports else supports[-1]
    return dataclasses.replace(wanted, supports=supports, control=control)


def read(usage: str, known: dict, argv: list | None) -> tuple:
    """(flags, data set) of an experiment on stored images: see `zoo.cli.commands.only_flags`.

    Raises:
        ValueError: a flag or the data set is unknown, or a flag is below its minimum, or there are
            too few test examples for the report.
    """
    args = commands.only_flags(usage, known, argv)
    commands.at_least(args, repeats=1, latent_dim=1, seed=0)
    from zoo import datasets
    from zoo.models.data import check_tests

    data = datasets.load(args.dataset)
    check_tests(data)
    return args, data


def directory(args, name: str) -> pathlib.Path:
    """The directory of the experiment `name`, made if missing; see `settle`."""
    name += "_quick" * args.quick
    found = commands.directory(args.run_dir or f"runs/{name.replace(':', '_')}")
    settle(found, args, name)
    return found


def settle(directory: pathlib.Path, args, name: str) -> None:
    """Raises ValueError if cells there are of another experiment than `name`, or other settings."""
    path = directory / "settings.json"
    same = {k: v for k, v in vars(args).items() if k not in FREE} | {"experiment": name}
    try:
        known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else same
    except ValueError as error:
        raise ValueError(f"{path} is damaged ({error}); give another --run_dir") from None
    # Older versions did not record the name.
    if {"experiment": name} | known != same:
        raise ValueError(
            f"{directory} holds an experiment with other settings, {path.read_text()}; "
            "give those, or another --run_dir"
        )
    run_files.write_json(path, same)


def resume(path: pathlib.Path, wanted: list, measure, most: int = 0) -> list:
    """Measure the missing cells; every finished cell is on disk before the next begins.

    Args:
        path: JSON file of the rows.
        wanted: cells, dicts of plain values, in the order they are measured.
        measure: cell → its rows, an iterable of dicts that do not repeat the cell.
        most: stop after so many cells; 0 for all.

    Returns:
        the rows of all cells on disk, each with the values of its cell.
    """
    with contextlib.ExitStack() as stack:
        with commands.exit_on_bad_input():
            stack.enter_context(held(path.parent))
        return _measured(path, wanted, measure, most)


def _measured(path, wanted, measure, most):
    rows = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    todo = [cell for cell in wanted if not of_cell(cell, rows)][: most or None]
    began = time.monotonic()
    for number, cell in enumerate(todo):
        left = (time.monotonic() - began) / number * (len(todo) - number) if number else 0
        eta = f", about {left / 60:.0f} min left" if number else ""
        first, *others = cell
        name = ", ".join([str(cell[first]), *(f"{key} {cell[key]}" for key in others)])
        print(f"[{number + 1}/{len(todo)}] {name}{eta}", flush=True)
        rows.extend(cell | row for row in measure(cell))
        run_files.write_json(path, rows)
    return rows


def of_cell(cell: dict, rows: list) -> list:
    """The rows of a cell: those with its values."""
    return [row for row in rows if cell.items() <= row.items()]


def groups(rows: list, *names: str) -> list:
    """(the values of `names`, the rows that have them), in the order of the rows."""
    found = {}
    for row in rows:
        found.setdefault(tuple(row[name] for name in names), []).append(row)
    return list(found.items())


def finished(wanted: list, rows: list, most: int) -> list:
    """The rows of the `wanted` cells in their order; none, and a line on stdout, if one is missing.

    Args:
        rows: all rows on disk; of an earlier call with more methods or seeds there may be others.
        most: number of cells that the command was told to stop after.
    """
    found = [of_cell(cell, rows) for cell in wanted]
    if all(found):
        return [row for mine in found for row in mine]
    print(f"stopped after {most} cells; the same command continues")
    return []


def seeds(args) -> str:
    """The seeds of `args.seeds` trainings, as text."""
    return f"seeds 0 to {args.seeds - 1}" if args.seeds > 1 else "seed 0"


def made_by(typed: str, seeds: str, rows: list, minutes: float) -> str:
    """Command, seeds, machine and time of the cells `rows`, for the head of a page."""
    spent = sum(row["seconds"] for row in rows) / 60
    return (
        f"`{typed}`, {seeds}; {platform.machine()}, {os.cpu_count()} cores; {spent:.1f} minutes in "
        f"the cells, {minutes:.1f} in this command."
    )


def write(directory: pathlib.Path, rows: list, page: str) -> None:
    """Write cells.csv and report.md, and print the page."""
    names = dict.fromkeys(name for row in rows for name in row)
    with open(directory / "cells.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(names))
        writer.writeheader()
        writer.writerows(rows)
    (directory / "report.md").write_text(page, encoding="utf-8")
    print(f"\n{page}\nsee {directory / 'report.md'} and the pictures beside it")


def cells(directory: str) -> list:
    """The cells of the experiment in `directory`.

    Raises:
        ValueError: there are none.
    """
    try:
        return json.loads((pathlib.Path(directory) / "cells.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(f"{directory} holds no cells of an experiment: {error}") from None
