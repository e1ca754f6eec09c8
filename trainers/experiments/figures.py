"""The accuracy of fresh judges against p / m, of one experiment or of several side by side."""

import itertools
import pathlib

import numpy as np

from trainers.experiments import planning
from zoo.plots.panels import COLOURS
from zoo.plots.pictures import blank

# Key of a cell → (title of its panel, value if nothing is seen).
_PANELS = {
    "accuracy": ("held-out accuracy", 0.5),
    "objective": ("E log D + E log(1 − D) + 2 log 2, nats", 0.0),
}


def curves(path: pathlib.Path, rows: list, title: str) -> None:
    """Accuracy and objective of fresh judges against p / m, one curve for each support m."""
    figure = blank(13, 5.2)
    figure.suptitle(title, x=0.02, ha="left", fontweight="bold")
    for place, key in enumerate(_PANELS, 1):
        axes = figure.add_subplot(1, 2, place)
        _draw(axes, rows, key)
        if place == 2:  # small p / m leaves room there
            axes.legend(fontsize=8, loc="upper left")
    figure.tight_layout()
    figure.savefig(path, format="png")


def theorems(path: pathlib.Path, titled: dict) -> None:
    """Accuracy of fresh discriminators in several experiments side by side, on the same axes.

    Args:
        path: PNG file.
        titled: title of a panel → cells, as from `judging.run`.
    """
    figure = blank(13, 6)
    figure.suptitle(
        "Held-out accuracy of discriminators of p parameters against m stored images",
        x=0.02,
        ha="left",
        fontweight="bold",
    )
    shared = None
    for place, (title, rows) in enumerate(titled.items(), 1):
        shared = figure.add_subplot(1, len(titled), place, sharex=shared, sharey=shared)
        _draw(shared, rows, "accuracy")
        shared.set_title(title, loc="left", fontsize=11)
        # Below the axes, because the curves of the controls reach their upper left corner.
        shared.legend(fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=3)
    figure.tight_layout()
    figure.savefig(path, format="png")


def _draw(axes, rows, key):
    label, nothing = _PANELS[key]
    axes.axhline(nothing, color="grey", linestyle="--", linewidth=1)
    supports = sorted({row["support"] for row in rows if row["contrast"] == "pair"})
    for colour, m in zip(itertools.cycle(COLOURS), supports, strict=False):
        p, mean, error = series(rows, "pair", m, key)
        axes.errorbar(p / m, mean, error, color=colour, marker="o", ms=4, label=f"m = {m:,}")
    controls = dict.fromkeys(row["contrast"] for row in rows if row["contrast"] != "pair")
    for contrast, style in zip(controls, (":", "-.", "--", (0, (5, 1, 1, 1, 1, 1))), strict=False):
        for m in sorted({row["support"] for row in rows if row["contrast"] == contrast}):
            p, mean, _ = series(rows, contrast, m, key)
            name = "two real streams" if contrast == "null" else contrast
            name = f"{name}, m = {m:,}"
            axes.plot(p / m, mean, color="0.45", linestyle=style, linewidth=1.2, label=name)
    axes.set(xscale="log", xlabel="trained parameters of D / stored images, p / m")
    axes.set_title(label, loc="left")
    axes.grid(alpha=0.3)


def series(rows: list, contrast: str, support: int, key: str) -> tuple:
    """(p, mean over repeats, standard error) of one curve.

    The error is the larger of two: that of the mean over repeats, if there are several; and, for
    accuracies, that of the pairs that were judged.
    """
    mine = planning.of_cell({"contrast": contrast, "support": support}, rows)
    capacities, means, errors = [], [], []
    for (p,), cells in sorted(planning.groups(mine, "parameters")):
        capacities.append(p)
        values = [row[key] for row in cells]
        means.append(np.mean(values))
        alone = cells[0].get(f"{key}_se", 0.0)
        several = np.std(values, ddof=1) / len(values) ** 0.5 if len(values) > 1 else 0.0
        errors.append(max(several, alone / len(values) ** 0.5))
    return np.array(capacities, float), np.array(means), np.array(errors)
