"""`report.md` and its picture: the objective of every model against its optimum."""

import numpy as np

from trainers.experiments import planning
from trainers.objective.measuring import PAIRS
from zoo.cli import commands
from zoo.cli import markdown
from zoo.plots import pictures
from zoo.plots.panels import COLOURS

# Pairs that are told apart without error, in nats.
MOST = 2 * np.log(2)
_KINDS = ("model", "law", "parameters", "budget")


def text(rows: list, args, argv: list | None, minutes: float) -> str:
    """The page, in Markdown.

    Args:
        rows: cells, as from `python -m trainers.objective`.
        args, argv: flags and command line.
        minutes: time of this command, resumed cells not counted.
    """
    typed = commands.typed("trainers.objective", argv)
    parts = [
        "# The trained objective itself",
        planning.made_by(typed, planning.seeds(args), rows, minutes),
        "Encoder and generator are fixed. A new discriminator of the method's own architecture is "
        "trained on pairs (x, E(x)) and (G(z), z), images drawn with replacement, with Adam at the "
        "rate 1e-3, and measured on pairs held out, of test images. The objective is E log D + "
        "E log(1 − D) + 2 log 2, in nats: 0 at the optimum, 2 log 2 = 1.386 if pairs are told "
        "apart without error.",
        table(rows),
        "± is the standard deviation over seeds, which are initial weights and orders of the same "
        "pairs. Control: two real streams, which no discriminator can tell apart.",
        "![the objective against its optimum](objective.png)",
        "Not shown: anything about discriminators of another kind, larger or trained longer, nor "
        "about the theorems' bound, which is vacuous at this scale.",
    ]
    return "\n\n".join(parts) + "\n"


def table(rows: list) -> str:
    """Mean and standard deviation over seeds, a row for each model, law and budget, as Markdown."""
    lines = []
    for (model, law, parameters, budget), mine in planning.groups(rows, *_KINDS):
        cells = []
        for figure, form, scale in (("accuracy", ".1f", 100), ("objective", "+.3f", 1)):
            values = [scale * row[figure] for row in mine]
            spread = f" ± {np.std(values, ddof=1):{form[-3:]}}" if len(values) > 1 else ""
            cells.append(f"{np.mean(values):{form}}{spread}")
        share = np.mean([row["objective"] for row in mine]) / MOST
        name = model if law == PAIRS else f"{model}, {law}"
        numbers = [f"{parameters:,}", f"{budget:,}", str(len(mine))]
        lines.append([name, *numbers, *cells, f"{round(100 * share)} %"])
    heads = ["model", "p", "pairs trained on", "seeds", "accuracy, %", "objective, nats"]
    return markdown.table([*heads, "share of 2 log 2"], lines)


def picture(path, rows: list) -> None:
    """A bar for every model and budget, a dot for every seed, a cross for two real streams."""
    models = list(dict.fromkeys(row["model"] for row in rows))
    budgets = sorted({row["budget"] for row in rows})
    figure = pictures.blank(11, 1.6 + 0.35 * len(models) * (len(budgets) + 1))
    axes = figure.add_subplot()
    high = 0.8 / len(budgets)
    named = set()
    for (model, law, _, budget), mine in planning.groups(rows, *_KINDS):
        place = models.index(model) + (budgets.index(budget) - (len(budgets) - 1) / 2) * high
        values = [row["objective"] for row in mine]
        if law == PAIRS:
            label, colour = f"{budget:,} pairs", COLOURS[budgets.index(budget) % len(COLOURS)]
            axes.barh(place, np.mean(values), high, color=colour, alpha=0.6,
                      label=label if label not in named else None)  # fmt: skip
            axes.plot(values, [place] * len(values), "o", color=colour, markersize=4)
        else:
            label = law
            axes.plot(values, [place] * len(values), "x", color="black",
                      label=label if label not in named else None)  # fmt: skip
        named.add(label)
    axes.axvline(MOST, color="grey", linestyle="--", linewidth=1)
    axes.set_yticks(range(len(models)), models)
    axes.invert_yaxis()
    axes.set_xlabel("E log D + E log(1 − D) + 2 log 2, nats; 0 is the optimum, dashed: 2 log 2")
    axes.set_title("fresh discriminators of the method's own kind; a dot is a seed", loc="left")
    axes.grid(alpha=0.3, axis="x")
    axes.legend(fontsize=9)
    figure.tight_layout()
    figure.savefig(path, format="png")
