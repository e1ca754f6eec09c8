"""Lipschitz estimates against errors over a family of networks with bounded weights."""

import time

import numpy as np

from trainers.experiments import planning
from trainers.theory import cycles
from trainers.theory import points
from trainers.theory import quality
from trainers.theory import training
from zoo import datasets
from zoo import metrics
from zoo.cli import markdown
from zoo.metrics.bridges import least_bridge
from zoo.plots import pictures

TITLE = "Can an encoder and a generator be stable and accurate at once?"
DATASET = "ring8"
METHODS = ("aae", "bigan", "alpha_gan")
DEFAULT_METHODS = QUICK_METHODS = ("aae",)
DEFAULT_STEPS, QUICK_STEPS = 4000, 200

# Largest Frobenius norm of the weights of a layer; 0 for none.
BOUNDS = (1.2, 1.5, 2.0, 3.0, 5.0, 0.0)
UNITS, DEPTH = 64, 2
_POINTS = 2000
_SLOPE_POINTS = 500


def check(args) -> None:
    """Raises ValueError if the data are no mixture, whose modes are known."""
    if args.dataset not in datasets.MIXTURES:
        raise ValueError(
            f"--dataset must be one of {', '.join(datasets.MIXTURES)}; got {args.dataset!r}"
        )


def cells(args) -> list:
    """Every method, bound and seed."""
    return [
        {"method": method, "bound": bound, "seed": seed}
        for seed in range(args.seeds)
        for method in args.methods
        for bound in (BOUNDS[1::3] if args.quick else BOUNDS)
    ]


def measure(cell: dict, args, directory):
    """Slopes, cycles, and the share of samples between the modes."""
    began = time.monotonic()
    train, test, mean, std = points.standardised(args.dataset)
    game = points.game_of(cell["method"], UNITS, DEPTH, cell["seed"], cell["bound"])
    training.train(game, train, points.BATCH, args.steps)
    x, seed = test[:_POINTS], cell["seed"]
    found = cycles.errors(game, x, seed)
    if "diverged" in found:
        yield found | {"seconds": round(time.monotonic() - began, 1)}
        return
    z = np.asarray(game.prior_codes(_POINTS, seed))
    some = slice(_SLOPE_POINTS)
    slopes = metrics.slopes(game.encode, game.decode, x[some], z[some], seed)
    kept = ("lipschitz_e_median", "lipschitz_e_95", "lipschitz_e_max", "lipschitz_g_median")
    kept += ("lipschitz_g_95", "lipschitz_g_max", "stability_e", "stability_g")
    found = {key: slopes[key] for key in kept} | found
    centres, spread = datasets.MIXTURES[args.dataset]
    samples = metrics.in_batches(game.decode, z)
    found |= metrics.mixture_bridge(samples, (centres - mean) / std, spread / std)
    # Of samples between two halves of the modes there are so many at least, if both halves are
    # made equally often and no slope is above the largest one found; all, if G is constant.
    slope = found["lipschitz_g_max"]
    found["least_bridge"] = least_bridge(gap(centres, spread) / std, slope) if slope else 1.0
    yield found | {"seconds": round(time.monotonic() - began, 1)}


def gap(centres, spread: float) -> float:
    """Distance between two neighbouring modes less 3 standard deviations of each."""
    apart = np.linalg.norm(centres[:, None] - centres[None], axis=2)
    return float(apart[apart > 0].min() - 6 * spread)


def write(rows: list, args, directory) -> list:
    """Draw the picture; the parts of the page, in Markdown."""
    rows, lost = cycles.finite(rows)
    if not rows:
        return [lost]
    columns = [
        *markdown.columns("lipschitz_g_median lipschitz_g_max:.1f"),
        *markdown.columns("lipschitz_e_median lipschitz_e_max:.1f"),
        *markdown.columns("x_cycle_ratio:.3f z_cycle_ratio:.3f mmd"),
        ("samples off the modes", "bridge", ".1f %"),
        ("at least, by the largest L_G", "least_bridge", ".1f %"),
    ]
    lines = []
    for (method, bound), mine in planning.groups(rows, "method", "bound"):
        lines.append(([quality.title(method), f"{bound or 'none'}", str(len(mine))], *mine))
    _scatter(directory / "stability.png", rows)
    return [
        f"Encoder and generator are rectified networks of {DEPTH} hidden layers of {UNITS} units, "
        "whose weights have a Frobenius norm of at most the bound, layer by layer, so that the "
        f"Lipschitz constant is at most its {DEPTH + 1}rd power. {args.steps:,} steps on "
        f"{args.dataset}, scaled to standard deviation 1; errors are ratios, 1 is another point's. "
        f"Slopes at {_SLOPE_POINTS} points.",
        markdown.figures(["method", "bound on a layer", "seeds"], columns, lines),
        f"Mean ± standard error over seeds. {ranks(rows)}",
        lost,
        f"Control: the largest slope found is {largest_share(rows):.2f} of what its bound allows, "
        "which must be 1 at most.",
        "Bounded weights cost accuracy by their capacity, too: the family does not separate the "
        "two. The last column is a value to compare with and no bound, because slopes were taken "
        "at some points only.",
        "![error against slope, a mark for each run](stability.png)",
    ]


def largest_share(rows: list) -> float:
    """The largest slope of E or G over what its bound allows, of runs that have a bound."""
    return max(
        row[f"lipschitz_{network}_max"] / row["bound"] ** (DEPTH + 1)
        for row in rows
        for network in "eg"
        if row["bound"]
    )


def ranks(rows: list) -> str:
    """Rank correlations of slopes and errors over all runs of a method, in sentences."""
    pairs = (
        ("lipschitz_g_median", "x_cycle_ratio", "median L_G and x-cycle error"),
        ("lipschitz_e_median", "z_cycle_ratio", "median L_E and z-cycle error"),
        ("lipschitz_g_median", "bridge", "median L_G and samples off the modes"),
        ("lipschitz_e_median", "mmd", "median L_E and MMD² to the prior"),
    )
    said = []
    for (method,), mine in planning.groups(rows, "method"):
        found = [
            f"{name} {rank_correlation([r[a] for r in mine], [r[b] for r in mine]):+.2f}"
            for a, b, name in pairs
        ]
        said.append(f"{quality.title(method)}, {len(mine)} runs: {', '.join(found)}")
    return (
        f"Rank correlation (Spearman) over the runs, −1 for a frontier without exception: "
        f"{'; '.join(said)}."
    )


def rank_correlation(a, b) -> float:
    """Spearman's coefficient of two lists of as many numbers."""
    from scipy import stats

    return float(stats.spearmanr(a, b).statistic)


def _scatter(path, rows):
    figure = pictures.blank(13, 4.8)
    panels = (
        ("lipschitz_g_median", "x_cycle_ratio", "median L_G", "x-cycle error"),
        ("lipschitz_e_median", "z_cycle_ratio", "median L_E", "z-cycle error"),
        ("lipschitz_e_median", "mmd", "median L_E", "MMD² of codes to the prior"),
    )
    bounds = sorted({row["bound"] or np.inf for row in rows})
    for place, (x, y, below, title) in enumerate(panels, 1):
        axes = figure.add_subplot(1, 3, place)
        for number, ((method,), same) in enumerate(planning.groups(rows, "method")):
            for shade, bound in enumerate(bounds):
                mine = [row for row in same if (row["bound"] or np.inf) == bound]
                name = "no bound" if np.isinf(bound) else f"bound {bound:g}"
                axes.plot(
                    [row[x] for row in mine],
                    [row[y] for row in mine],
                    "os^"[number % 3],
                    color=(0.85 - 0.15 * shade, 0.45, 0.2 + 0.13 * shade),
                    label=f"{quality.title(method)}, {name}",
                )
        # An unbiased MMD² may be below 0.
        axes.set(xscale="log", yscale="linear" if y == "mmd" else "log", xlabel=below)
        axes.set_title(title, loc="left")
        axes.grid(alpha=0.3, which="both")
    axes.legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(path, format="png")
