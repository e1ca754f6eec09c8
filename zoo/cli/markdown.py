"""Measured figures as Markdown tables."""

import math
import statistics


def table(head: list, rows: list) -> str:
    """A heading and rows of as many strings."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def cell(form: str, factor: float, *figures: float | None) -> str:
    """`factor` times a figure, written as `form`, which may end in a unit.

    Of several figures the mean ± its standard error, which is left out if there is one; those
    that are None or not finite are skipped. – if none is left.

    (".1f %", 100, 0.5) → "50.0 %".
    """
    found = [factor * value for value in figures if value is not None and math.isfinite(value)]
    if not found:
        return "–"
    form, _, unit = form.partition(" ")
    text = f"{statistics.mean(found):{form}}"
    if len(found) > 1:
        text += f" ± {statistics.stdev(found) / math.sqrt(len(found)):{form}}"
    return f"{text} {unit}".strip()
