"""x-cycle and z-cycle error together against width, depth and steps, and the floor they reach."""

import math
import time

import numpy as np

from trainers.experiments import planning
from trainers.theory import points
from trainers.theory import quality
from trainers.theory import training
from zoo import metrics
from zoo.cli import markdown
from zoo.plots import pictures
from zoo.plots.panels import COLOURS

TITLE = "Can an encoder and a generator be precise at once?"
DATASET = "ring8"
METHODS = ("aae", "bigan", "alpha_gan")
DEFAULT_METHODS = QUICK_METHODS = ("aae",)
DEFAULT_STEPS, QUICK_STEPS = 4000, 200

# Of ring8, one mode: connected and of the dimension of the codes, so that E and G can be precise.
CONTROL = "ring8[class=0]"
# (units, hidden layers); each differs from the second in one of the two.
NETWORKS = ((16, 2), (64, 2), (256, 2), (64, 1), (64, 4))
_POINTS = 2000


def check(args) -> None:
    """Raises ValueError if the data are no points, or the steps have no quarter."""
    if args.steps < 4:
        raise ValueError(f"--steps must be 4 or more; got {args.steps}")
    points.standardised(args.dataset)


def cells(args) -> list:
    """Every method, data set, network and seed."""
    return [
        {"method": method, "set": name, "units": units, "depth": depth, "seed": seed}
        for seed in range(args.seeds)
        for method in args.methods
        for name in dict.fromkeys((args.dataset, CONTROL))
        for units, depth in (NETWORKS[:2] if args.quick else NETWORKS)
    ]


def measure(cell: dict, args, directory):
    """A row at a quarter of the steps, at a half, and at the end."""
    began = time.monotonic()
    train, test, *_ = points.standardised(cell["set"])
    game = points.game_of(cell["method"], cell["units"], cell["depth"], cell["seed"])
    steps = args.steps // 4, args.steps // 2, args.steps
    for reached in training.stages(game, train, points.BATCH, steps):
        found = errors(game, test[:_POINTS], cell["seed"])
        seconds = time.monotonic() - began
        began = time.monotonic()
        yield {"steps": reached} | found | {"seconds": round(seconds, 1)}


def finite(rows: list) -> tuple:
    """(the rows of trainings that did not diverge, a sentence about the others or "")."""
    kept = [row for row in rows if not row.get("diverged")]
    lost = len(rows) - len(kept)
    return kept, f"{lost} of {len(rows)} rows diverged and are left out." * bool(lost)


def errors(game, x, seed: int) -> dict:
    """Both cycles as ratios to their mismatched errors, their sum, and MMD² of codes to the prior.

    Of x (n, 2). `x_cycle_most` is the largest |x − G(E(x))| over the mean of the mismatched. Of a
    training that diverged there is `diverged` alone.
    """
    draws = np.asarray(game.prior_codes(2 * len(x), seed))
    z, other = draws[: len(x)], draws[len(x) :]
    codes = metrics.in_batches(game.encode, x)
    returned = metrics.in_batches(game.decode, codes)
    recovered = metrics.in_batches(game.encode, metrics.in_batches(game.decode, z))
    found = metrics.cycles(x, returned, seed) | metrics.z_cycle(z, recovered, seed)
    most = np.linalg.norm(x - returned, axis=1).max() / found["x_cycle_mismatched"]
    law = metrics.mmd(codes, z, other, rng_seed=seed)
    made = {
        "x_cycle_ratio": found["x_cycle_ratio"],
        "z_cycle_ratio": found["z_cycle_ratio"],
        "sum": found["x_cycle_ratio"] + found["z_cycle_ratio"],
        "x_cycle_most": float(most),
        "mmd": law["mmd"],
        "mmd_null_95": law["mmd_null_95"],
    }
    return made if all(map(math.isfinite, made.values())) else {"diverged": True}


def write(rows: list, args, directory) -> list:
    """Draw the picture; the parts of the page, in Markdown."""
    rows, lost = finite(rows)
    if not rows:
        return [lost]
    columns = [
        *markdown.columns("x_cycle_ratio:.3f"),
        ("largest", "x_cycle_most", ".2f"),
        *markdown.columns("z_cycle_ratio:.3f"),
        ("**sum of both**", "sum", ".3f"),
        *markdown.columns("mmd"),
    ]
    lines = []
    names = ("method", "set", "units", "depth", "steps")
    for (method, *settings, steps), mine in planning.groups(rows, *names):
        first = [quality.title(method), *map(str, settings), f"{steps:,}", str(len(mine))]
        lines.append((first, *mine))
    heads = ["method", "data", "units", "hidden layers", "steps", "seeds"]
    _curves(directory / "cycles.png", rows)
    return [
        "Encoder and generator are rectified networks of the units and hidden layers named; "
        f"batches of {points.BATCH}, optimizers of the class. Points are scaled to standard "
        "deviation 1. Errors are ratios: 1 is what another point's reconstruction would give. "
        f"Control: {CONTROL} is one round Gaussian of the dimension of the codes, for which the "
        "identity is a perfect pair.",
        markdown.figures(heads, columns, lines),
        f"Mean ± standard error over seeds. {floors(rows)}",
        lost,
        "A floor here is the least sum that these networks and steps reached. That more of either "
        "would not lower it is not shown. Compare it with the control's at the same networks and "
        "steps, within the errors.",
        "![sum of both errors against width, depth and steps: a dot for each run, lines through "
        "means over seeds](cycles.png)",
    ]


def floors(rows: list) -> str:
    """The least mean sum of each method and set, in a sentence."""
    said = []
    for (method, name), mine in planning.groups(rows, "method", "set"):
        sums = {
            kind: [row["sum"] for row in same]
            for kind, same in planning.groups(mine, "units", "depth", "steps")
        }
        best = min(sums, key=lambda kind: np.mean(sums[kind]))
        said.append(
            f"{quality.title(method)} on {name}: {markdown.cell('.3f', *sums[best])} with "
            f"{best[0]} units, {best[1]} hidden layers, {best[2]:,} steps"
        )
    return f"Least sums: {'; '.join(said)}."


def _curves(path, rows):
    figure = pictures.blank(13, 4.8)
    last = max(row["steps"] for row in rows)
    units, depth = NETWORKS[1]
    panels = (
        ("units", {"depth": depth, "steps": last}, "units of a hidden layer"),
        ("depth", {"units": units, "steps": last}, "hidden layers"),
        ("steps", {"units": units, "depth": depth}, "training steps"),
    )
    shared = None
    for place, (key, fixed, label) in enumerate(panels, 1):
        shared = axes = figure.add_subplot(1, 3, place, sharey=shared)
        for number, ((method, name), same) in enumerate(planning.groups(rows, "method", "set")):
            mine = planning.of_cell(fixed, same)
            colour = COLOURS[number % len(COLOURS)]
            at = sorted({row[key] for row in mine})
            means = [np.mean([row["sum"] for row in mine if row[key] == value]) for value in at]
            axes.plot(at, means, color=colour, label=f"{quality.title(method)}, {name}")
            axes.plot([r[key] for r in mine], [r["sum"] for r in mine], ".", color=colour)
        axes.set(xscale="log", yscale="log", xlabel=label)
        at = sorted({row[key] for row in rows})
        axes.set_xticks(at, [f"{value:,}" for value in at])
        axes.set_xticks([], minor=True)
        told = [f"{fixed[other]:,} {name}" for other, _, name in panels if other in fixed]
        axes.set_title(", ".join(told), loc="left", fontsize=11)
        axes.grid(alpha=0.3, which="both")
    shared.legend(fontsize=8)
    figure.axes[0].set_ylabel("sum of both error ratios: dots are runs, lines means")
    figure.tight_layout()
    figure.savefig(path, format="png")
