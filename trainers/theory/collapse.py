"""Does an autoencoder prevent collapse? Modes, recall, coverage and support at equal steps."""

import time

import numpy as np

import zoo
from trainers.experiments import planning
from trainers.theory import quality
from trainers.theory import training
from zoo import datasets
from zoo import metrics
from zoo.cli import markdown
from zoo.datasets import stacked
from zoo.plots import pictures
from zoo.plots import sheets

TITLE = "Does an autoencoder prevent collapse?"
DATASET = "fashion_mnist_10k"
METHODS = DEFAULT_METHODS = ("gan", "bigan", "ali", "vae_gan", "alpha_gan", "bigbigan")
QUICK_METHODS = ("gan", "alpha_gan")
DEFAULT_STEPS, QUICK_STEPS = 2000, 100

SIZES = {"network": "dcgan", "width": 8, "latent_dim": 32}
BATCH = 64
_SHOWN = 12

# Methods that train x → G(E(x)) to return x.
AUTOENCODERS = ("vae_gan", "alpha_gan")

# Modes of 1,000 and reverse KL in nats as papers print them; ± as printed.
PUBLISHED = (
    ("DCGAN", "99", "3.40", "VEEGAN, arXiv:1705.07761"),
    ("ALI", "16", "5.40", "VEEGAN"),
    ("Unrolled GAN", "48.7", "4.32", "VEEGAN"),
    ("VEEGAN", "150", "2.95", "VEEGAN"),
    ("DCGAN", "78.9 ± 6.46", "4.50 ± 0.13", "PacGAN, arXiv:1712.04086"),
    ("PacDCGAN2", "1000", "0.06", "PacGAN"),
)


check = quality.check


def cells(args) -> list:
    """Real images first, which are the ceiling; then every method with every seed."""
    wanted = [{"method": method, "seed": s} for s in range(args.seeds) for method in args.methods]
    return [{"method": quality.REAL, "seed": 0}, *wanted]


def measure(cell: dict, args, directory):
    """The row of a cell; some of its samples and their closest pairs go to a file."""
    began = time.monotonic()
    data = quality.loaded(args.dataset)
    count = len(data.test) if data.name == stacked.NAME else quality.SAMPLES
    if cell["method"] == quality.REAL:
        samples, about = datasets.scale(data.test[:count]), {}
    else:
        game = zoo.method(cell["method"])(data.shape, **SIZES, seed=cell["seed"])
        training.train(game, data.train, BATCH, args.steps)
        samples = metrics.in_batches(game.decode, np.asarray(game.prior_codes(count, cell["seed"])))
        about = {"trained_s": round(time.monotonic() - began, 1)}
    path = directory / f"{cell['method']}_{cell['seed']}.npz"
    generated = cell["method"] != quality.REAL
    yield quality.row(samples, data, path, about, began, generated, shown=_SHOWN)


def write(rows: list, args, directory) -> list:
    """Draw the pictures; the parts of the page, in Markdown."""
    kind = "modes" if args.dataset == stacked.NAME else "classes"
    total = rows[0]["modes_total"]
    columns = [
        (f"{kind} of {total:,.0f}", "modes", ".1f"),
        *markdown.columns("reverse_kl:.3f precision recall coverage frechet"),
    ]
    lines = []
    for (method,), mine in planning.groups(rows, "method"):
        supports = "; ".join(quality.bound(row) for row in mine)
        diverged = sum(row.get("diverged", False) for row in mine)
        lines.append(
            [
                quality.title(method),
                "yes" if method in AUTOENCODERS else "–" if method == quality.REAL else "no",
                f"{len(mine)}" + f", {diverged} diverged" * bool(diverged),
                *markdown.cells(columns, *mine),
                supports,
            ]
        )
    heads = ["method", "autoencoder", "seeds", *(head for head, *_ in columns)]
    space = quality.space_of(args.dataset).identity
    _draw(rows, directory)
    return [
        f"Every method has network {SIZES['network']}, width {SIZES['width']}, codes of "
        f"{SIZES['latent_dim']} numbers, batches of {BATCH}, {args.steps:,} steps, and the "
        "optimizers of its class: one set of networks, not each method's own recipe. Equal steps "
        "are not equal time: see the last column of cells.csv.",
        markdown.table([*heads, "birthday test: support at most, by seed"], lines),
        "Mean ± standard error over seeds. Precision, recall, coverage, Fréchet distance and the "
        f"birthday test are in the features of {space}; real images are test images, compared in "
        "halves. None: fewer close pairs than real images have, so the test bounds nothing. Too "
        "alike: so many samples are close to each other that batches are smaller than 5, in which "
        "merely similar images count as one; then the test gives no usable bound.",
        *_beside(args.dataset),
        _answer(rows),
        "![samples, seed 0](samples.png)",
        "![the closest pairs of samples, seed 0](closest.png)",
    ]


def _beside(dataset):
    if dataset != stacked.NAME:
        return []
    heads = ["published", "modes of 1,000", "reverse KL, nats", "source"]
    return [
        "## Published, beside it",
        markdown.table(heads, [list(row) for row in PUBLISHED]),
        "Other networks, made small on purpose in VEEGAN's protocol, and other classifiers. The "
        "same method differs as much between papers as methods do within one: rows are comparable "
        "within a source only. The protocol has no threshold of quality: samples that cannot be "
        "read are counted as some mode, so that precision and the picture belong to every count.",
    ]


def _answer(rows):
    """Whether methods with an autoencoder cover more than those without, seed by seed."""
    said = []
    for key, name in (("recall", "recall"), ("coverage", "coverage"), ("modes", "modes")):
        groups = [
            [
                r[key]
                for r in rows
                if key in r and r["method"] != quality.REAL and inside(r["method"])
            ]
            for inside in (AUTOENCODERS.__contains__, lambda m: m not in AUTOENCODERS)
        ]
        if all(groups):
            ranges = [f"{min(group):.4g} to {max(group):.4g}" for group in groups]
            said.append(f"{name} {ranges[0]} with a trained x → G(E(x)), {ranges[1]} without")
    return f"From run to run, all seeds: {'; '.join(said)}." if said else ""


def _draw(rows, directory):
    files = {
        quality.title(method): directory / f"{method}_0.npz"
        for (method,), _ in planning.groups(rows, "method")
    }
    files = {title: path for title, path in files.items() if path.exists()}
    shown = [
        sheets.Row(title, list(datasets.scale(np.load(path)["samples"])))
        for title, path in files.items()
    ]
    sheets.draw(directory / "samples.png", "Samples, the first of seed 0", shown)
    pictures.pair_sheets(
        directory / "closest.png",
        "The closest pairs of samples in the features of the classifier, seed 0; of real images "
        "the closest pairs of test images",
        {title: quality.pairs_of(path) for title, path in files.items()},
    )
