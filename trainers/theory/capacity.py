"""Birthday-test support of a generator against the number of parameters of its discriminator."""

import functools
import time

import numpy as np

import zoo
from trainers.experiments import fits
from trainers.experiments import planning
from trainers.theory import quality
from trainers.theory import training
from zoo import metrics
from zoo.cli import markdown
from zoo.plots import pictures
from zoo.plots.panels import COLOURS

TITLE = "Support against the capacity of the discriminator"
DATASET = "fashion_mnist_10k"
METHODS = DEFAULT_METHODS = ("gan", "bigan")
QUICK_METHODS = ("gan",)
DEFAULT_STEPS, QUICK_STEPS = 3000, 100

# Multiples of the width of the smallest discriminator; parameters grow with the square.
MULTIPLES = (1, 2, 4, 8)
SMALLEST = 2
SIZES = {"network": "dcgan", "width": 16, "latent_dim": 32, "ema": 0.99}
BATCH = 64
# Test images limit the batches of the test to 500, which need so many.
SAMPLES = 20_000


check = quality.check


def cells(args) -> list:
    """Every method, multiple and seed; all multiples of one seed before the next seed."""
    return [
        {"method": method, "multiple": multiple, "seed": seed}
        for seed in range(args.seeds)
        for method in args.methods
        for multiple in ((1, 4) if args.quick else MULTIPLES)
    ]


def game_of(method: str, shape: tuple, multiple: int, seed: int):
    """A game whose discriminator alone has `multiple` times the smallest width."""
    make = functools.partial(zoo.method(method), shape, seed=seed)
    judge = make(**SIZES | {"width": SMALLEST * multiple}).discriminator
    return make(**SIZES, discriminator=judge)


def measure(cell: dict, args, directory):
    """The row of a cell; the closest pairs of samples go to a file."""
    began = time.monotonic()
    data = quality.loaded(args.dataset)
    game = game_of(cell["method"], data.shape, cell["multiple"], cell["seed"])
    training.train(game, data.train, BATCH, args.steps)
    trained = time.monotonic() - began
    samples = metrics.in_batches(game.decode, np.asarray(game.prior_codes(SAMPLES, cell["seed"])))
    about = {
        "parameters": int(sum(np.prod(v.shape) for v in game.variables_of("discriminator"))),
        "trained_s": round(trained, 1),
    }
    yield quality.row(samples, data, _pairs_file(directory, cell), about, began, most=SAMPLES)


def slope(rows: list) -> tuple | None:
    """(exponent, its standard error, runs) of support = c pᵃ over runs that have a bound.

    None if fewer than three runs, or runs of one p alone, have one.
    """
    points = [(row["parameters"], row["support"]) for row in rows if _bounded(row)]
    if len(points) < 3 or len({p for p, _ in points}) < 2:
        return None
    return *fits.power(*zip(*points, strict=True)), len(points)


def _bounded(row):
    return (
        row.get("support_usable", False)
        and row["support"] is not None
        and row["support_high"] is not None
    )


def write(rows: list, args, directory) -> list:
    """Draw the pictures; the parts of the page, in Markdown."""
    lines, sentences = [], []
    columns = markdown.columns("recall coverage precision frechet")
    for (method,), mine in planning.groups(rows, "method"):
        for (multiple,), same in sorted(planning.groups(mine, "multiple")):
            first = [quality.title(method), f"{multiple} ×", f"{same[0]['parameters']:,}"]
            lines.append(([*first, "; ".join(quality.bound(row) for row in same)], *same))
        sentences.append(_sentence(method, mine))
    heads = ["method", "width of D", "p of D", "support at most, by seed"]
    _curves(directory / "capacity.png", rows)
    _closest(directory / "closest.png", rows, directory)
    return [
        f"Only the discriminator grows: the other networks have width {SIZES['width']} (network "
        f"{SIZES['network']}) and an average of their weights of decay {SIZES['ema']}, codes have "
        f"{SIZES['latent_dim']} numbers, batches {BATCH} images, and training takes "
        f"{args.steps:,} steps. Birthday test of Arora and Zhang 2017, arXiv:1706.08224, in the "
        f"features of the shipped classifier, with {SAMPLES:,} samples. Intervals are 95 % of the "
        "test alone; the spread over seeds comes on top.",
        markdown.figures(heads, columns, lines),
        *sentences,
        "The authors see supports that grow nearly in proportion to the size of the discriminator "
        "(exponent 1), then level off, with duplicates judged by eye on larger images and more "
        "training. A threshold in the features of a classifier takes images for duplicates that "
        "are alike, as blurred or odd ones are: look at the pairs before reading a support as "
        "diversity. Runs without a bound are not in the fit, which lowers the exponent if they "
        "are those of the largest discriminators.",
        "![support against parameters](capacity.png)",
        "![the closest pairs of samples, seed 0](closest.png)",
    ]


def _sentence(method, rows):
    found, name = slope(rows), quality.title(method)
    if found is None:
        return f"{name}: too few runs have a bound for an exponent."
    exponent, error, runs = found
    return (
        f"{name}: support at most ∝ p^({exponent:.2f} ± {error:.2f}), by least squares over the "
        f"{runs} of {len(rows)} runs that have a bound."
    )


def _curves(path, rows):
    figure = pictures.blank(9, 5.6)
    axes = figure.add_subplot()
    for place, ((method,), mine) in enumerate(planning.groups(rows, "method")):
        known = [row for row in mine if _bounded(row)]
        colour = COLOURS[place % len(COLOURS)]
        if known:
            x, y, low, high = (
                np.array([row[key] for row in known], float)
                for key in ("parameters", "support", "support_low", "support_high")
            )
            axes.errorbar(
                x,
                y,
                [y - low, high - y],
                fmt="o",
                color=colour,
                label=f"{quality.title(method)}: support at most, 95 %",
            )
            if found := slope(mine):
                ends = np.array([x.min(), x.max()])
                at = np.exp(np.log(y).mean() + found[0] * (np.log(ends) - np.log(x).mean()))
                told = f"{quality.title(method)}: slope {found[0]:.2f} ± {found[1]:.2f}"
                axes.plot(ends, at, color=colour, label=told)
        above = [r for r in mine if "birthday" in r and not _bounded(r) and r["support_low"]]
        if above:
            axes.plot(
                [row["parameters"] for row in above],
                [row["support_low"] for row in above],
                "^",
                color=colour,
                fillstyle="none",
                label=f"{quality.title(method)}: no bound, above this",
            )
    axes.set(xscale="log", yscale="log", xlabel="trained parameters of the discriminator")
    axes.set_ylabel("different images, at most")
    axes.set_title("effective support by the birthday test; every mark is a run", loc="left")
    axes.grid(alpha=0.3, which="both")
    if axes.get_legend_handles_labels()[0]:
        axes.legend(fontsize=9)
    figure.tight_layout()
    figure.savefig(path, format="png")


def _pairs_file(directory, cell):
    return directory / "{method}_{multiple}_{seed}.npz".format(**cell)


def _closest(path, rows, directory):
    columns = {}
    for row in rows:
        file = _pairs_file(directory, row)
        if row["seed"] == 0 and file.exists():
            name = f"{quality.title(row['method'])}, {row['multiple']} ×: {quality.bound(row)}"
            columns[name] = quality.pairs_of(file)
    if columns:
        title = "The closest pairs of samples in the features of the classifier, seed 0"
        pictures.pair_sheets(path, title, columns)
