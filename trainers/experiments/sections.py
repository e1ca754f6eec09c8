"""Parts of `report.md` that the experiments with fresh judges share."""

from trainers.experiments import fits
from trainers.experiments.figures import series
from zoo.cli import markdown


def seeds(args, plan) -> str:
    """The seed and the number of repeats, as text."""
    return f"seed {args.seed}, {plan.repeats} repeat{'s' * (plan.repeats > 1)}"


def tables(rows: list, accuracy: str, note: str, objective: str, gap: str) -> list:
    """A table of each of the three figures, how they fall with m, and the picture of the accuracy.

    Args:
        rows: cells, as from `judging.run`.
        accuracy, objective, gap: the paragraph before the table of that figure.
        note: the paragraph after the first table, or "".
    """
    return [
        accuracy,
        _grid(rows, "accuracy", ".3f"),
        note,
        objective,
        _grid(rows, "objective", "+.3f"),
        gap,
        _grid(rows, "gap", "+.3f"),
        _exponents(rows),
        "![accuracy against p / m](accuracy.png)",
    ]


def _grid(rows: list, key: str, form: str) -> str:
    """Table of one figure of all cells: a row for each contrast, a column for each judge."""
    judges = sorted({(row["parameters"], row["judge"]) for row in rows})
    lines = []
    for contrast, m in dict.fromkeys((row["contrast"], row["support"]) for row in rows):
        p, mean, error = series(rows, contrast, m, key)
        cells = [f"{a:{form}} ± {e:.4f}" if e else f"{a:{form}}" for a, e in zip(mean, error)]
        name = {"pair": f"**m = {m:,}**", "null": f"two real streams, m = {m:,}"}
        lines.append([name.get(contrast, f"{contrast}, m = {m:,}"), *cells])
    table = markdown.table(["pairs", *(f"p = {p:,}" for p, _ in judges)], lines)
    kinds = dict.fromkeys(name for _, name in judges)
    notes = "; ".join(
        f"p = {', '.join(f'{p:,}' for p, kind in judges if kind == name)}: {name}" for name in kinds
    )
    return f"{table}\n\n({notes})"


def _exponents(rows: list) -> str:
    """The powers of m at which accuracy and gap fall, in sentences; nothing if none was fitted."""
    said = []
    for name, key, nothing in (
        ("accuracy − ½", "accuracy", 0.5),
        ("the gap for φ(t) = t", "gap", 0.0),
    ):
        slopes = "; ".join(
            f"p = {f['parameters']:,}: m^({f['exponent']:.2f} ± {f['exponent_se']:.2f}) over "
            f"m = {min(f['supports']):,} to {max(f['supports']):,}"
            for f in fits.exponents(rows, key, nothing)
        )
        if slopes:
            said.append(
                f"At fixed p, {name} falls with m like a power, fitted by least squares: {slopes}."
            )
    if said:
        said.append("Supports within two standard errors of nothing seen are left out of the fits.")
    return " ".join(said)
