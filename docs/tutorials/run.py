"""Run tutorials as plain Python, and keep what their cells show for the docs site.

usage: python docs/tutorials/run.py [NAME ...]

A tutorial is a Python file in the percent format of Jupytext: cells begin with `# %%`, and those
with `# %% [markdown]` hold text. Without names all tutorials run. Each is written to
outputs/NAME.json with its pictures beside it; they are what the site shows below the cells.
"""

import ast
import contextlib
import hashlib
import io
import json
import pathlib
import re
import sys
import tempfile
import time
import typing

HERE = pathlib.Path(__file__).parent
OUTPUTS = HERE / "outputs"
NAMES = (  # in the order in which to read them
    "first_bigan",
    "your_own_photos",
    "your_own_method",
    "what_codes_mean",
    "counterexample",
    "serve_and_call",
)


class Cell(typing.NamedTuple):
    """`kind` is "markdown", "parameters" or "code"; `text` of markdown has no comment signs."""

    kind: str
    text: str
    line: int


def cells(source: str) -> list:
    """The `Cell`s of a file in percent format."""
    found, lines = [], source.splitlines()
    starts = [number for number, line in enumerate(lines) if line.startswith("# %%")]
    for start, end in zip(starts, [*starts[1:], len(lines)]):
        body = lines[start + 1 : end]
        kind = "parameters" if "parameters" in lines[start] else "code"
        if "[markdown]" in lines[start]:
            kind, body = "markdown", [re.sub(r"^# ?", "", line) for line in body]
        found.append(Cell(kind, "\n".join(body).strip("\n"), start + 2))
    return found


def digest(source: str) -> str:
    """Checksum of the code that a tutorial runs; its text may change without it."""
    code = "\n".join(cell.text for cell in cells(source) if cell.kind != "markdown")
    return hashlib.sha256(code.encode()).hexdigest()


def run(path: pathlib.Path, settings: dict | None = None) -> tuple:
    """Run the code cells in their order.

    Args:
        path: of the tutorial.
        settings: replaces values of the cell tagged "parameters".

    Returns:
        (one (printed text, PNG file as bytes or None) for each code cell, the names at the end).

    Raises:
        KeyError: `settings` has a name that the cell does not set.
    """
    found, names = [], {"__name__": "tutorial"}
    for cell in cells(path.read_text(encoding="utf-8")):
        if cell.kind == "markdown":
            continue
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            last = _execute(cell, path, names)
        if cell.kind == "parameters":
            if unknown := sorted(set(settings or {}) - set(names)):
                raise KeyError(f"{path.name} has no parameter {', '.join(unknown)}")
            names.update(settings or {})
        picture = io.BytesIO()
        if hasattr(last, "save"):
            last.save(picture, format="png")
        elif last is not None:
            printed.write(f"{last}\n")
        found.append((printed.getvalue(), picture.getvalue() or None))
    return found, names


def _execute(cell, path, names):
    """Run a cell; the value of its last statement if that is an expression."""
    tree = ast.parse("\n" * (cell.line - 1) + cell.text)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, str(path), "exec"), names)
    return last and eval(compile(ast.Expression(last.value), str(path), "eval"), names)


def write(name: str) -> None:
    """Run one tutorial at its own settings, and replace its outputs."""
    from zoo.cli import machine

    path, began = HERE / f"{name}.py", time.monotonic()
    with tempfile.TemporaryDirectory() as empty, contextlib.chdir(empty):
        found, _ = run(path)
    OUTPUTS.mkdir(exist_ok=True)
    for old in OUTPUTS.glob(f"{name}_*.png"):
        old.unlink()
    cells_shown = []
    for number, (text, picture) in enumerate(found):
        file = f"{name}_{number}.png" if picture else None
        if picture:
            (OUTPUTS / file).write_bytes(picture)
        cells_shown.append({"text": text, "picture": file})
    record = {
        "sha256": digest(path.read_text(encoding="utf-8")),
        "command": f"python docs/tutorials/run.py {name}",
        "machine": f"{machine.described()}, TensorFlow {machine.versions()['tensorflow']}",
        "seconds": round(time.monotonic() - began),
        "cells": cells_shown,
    }
    (OUTPUTS / f"{name}.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    for chosen in sys.argv[1:] or NAMES:
        print(chosen, flush=True)
        write(chosen)
