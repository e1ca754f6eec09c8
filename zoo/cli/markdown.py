"""Measured figures as Markdown tables."""

import math
import statistics


def table(head: list, rows: list) -> str:
    """A heading and rows of as many strings."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def figures(heads: list, columns: tuple, groups: list) -> str:
    """A table of figures.

    Args:
        heads: headings of the first columns, which have no figures.
        columns: (heading, key, form) of the others, see `cell`.
        groups: a row for each: (its first cells, its figures: key → value, or several of them).
    """
    rows = [[*first, *cells(columns, *found)] for first, *found in groups]
    return table([*heads, *(heading for heading, *_ in columns)], rows)


def cells(columns: tuple, *found: dict) -> list[str]:
    """The cell of each column, see `figures`, for the figures `found`."""
    return [cell(form, *(values.get(key) for values in found)) for _, key, form in columns]


def cell(form: str, *figures: float | None) -> str:
    """A figure, written as `form`, which may end in a unit; a share in per cent if that is %.

    Of several figures the mean ± its standard error, which is left out if there is one; those
    that are None or not finite are skipped. – if none is left.

    (".1f %", 0.5) → "50.0 %".
    """
    form, _, unit = form.partition(" ")
    factor = 100 if unit == "%" else 1
    found = [factor * value for value in figures if value is not None and math.isfinite(value)]
    if not found:
        return "–"
    # z: a small negative number is 0.00, not -0.00.
    text = f"{statistics.mean(found):z{form}}"
    if len(found) > 1:
        text += f" ± {statistics.stdev(found) / math.sqrt(len(found)):{form}}"
    return f"{text} {unit}".strip()
