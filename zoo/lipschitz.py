"""Sensitivity and reconstruction error of trained models: one row per model.

usage: python -m zoo.lipschitz MODEL [MODEL ...] [flags]

MODEL is the name of a preset, a run directory, a .keras file, or a SavedModel directory with the
signatures `encode` and `decode` (of which `encode` may be missing). Prints a Markdown table and
writes lipschitz.json, with more figures, and lipschitz.png, reconstruction error against
sensitivity.

L_E and L_G are the largest singular values of the Jacobians of the encoder at test examples and of
the generator at prior draws. S_E and S_G are the mean effects of Gaussian noise. The bridge share
is that of samples farther from all real examples than 99 % of those are from each other; for a
mixture, of samples outside 3 standard deviations of every mode. See zoo/metrics/sensitivity.py and
zoo/metrics/bridges.py.
"""

import numpy as np

from zoo import models
from zoo import run_files
from zoo.cli import commands
from zoo.cli import markdown

FLAGS = {
    "dataset": models.DATASET_FLAG,
    "points": (256, "Test examples and prior draws for the slopes; maxima grow with it."),
    "steps": (30, "Steps of the power iteration."),
    "tau": (0.1, "Standard deviation of the noise behind S, in units of a coordinate."),
    "samples": (2000, "Test examples for the cycles, and samples for the bridge share."),
    "seed": commands.SEED,
    "out": commands.out("runs/lipschitz"),
}
COLUMNS = markdown.columns(
    "lipschitz_e_median lipschitz_e_95 lipschitz_e_max "
    "lipschitz_g_median lipschitz_g_95 lipschitz_g_max "
    "stability_e stability_g x_cycle_ratio:.3f z_cycle_ratio:.3f "
    "bridge bridge_real bridge_times_slope"
)


def measure(model, data, args) -> dict[str, float]:
    """The figures of a `zoo.models.Model`: those of `zoo.metrics.slopes`, cycles and bridges.

    Raises:
        ValueError: the model takes examples of another shape.
    """
    from zoo import datasets
    from zoo import metrics

    models.check_shape(model.name, model.shape, data)
    order = np.random.default_rng(args.seed).permutation(len(data.test))[: args.samples]
    x = model.observed(datasets.scale(data.test[order]), args.seed)
    draws = model.prior(2 * max(args.samples, args.points), args.seed)
    z, codes = np.split(draws, 2)
    figures = metrics.slopes(
        model.encode,
        model.decode,
        x[: args.points],
        codes[: args.points],
        args.seed,
        args.steps,
        args.tau,
    )
    samples = metrics.in_batches(model.decode, z[: args.samples])
    if model.encode:
        returned = metrics.in_batches(model.decode, metrics.in_batches(model.encode, x))
        figures |= metrics.cycles(model.counted(x), model.counted(returned), args.seed)
        recovered = metrics.in_batches(model.encode, samples)
        figures |= metrics.z_cycle(z[: args.samples], recovered, args.seed)
    if data.name in datasets.MIXTURES:
        figures |= metrics.mixture_bridge(samples, *datasets.MIXTURES[data.name])
    else:
        known = np.random.default_rng(args.seed).permutation(len(data.train))[:10_000]
        known = model.observed(datasets.scale(data.train[known]), args.seed + 1)
        figures |= metrics.bridge(samples, known, x)
    slope = figures["lipschitz_g_median"]
    return figures | {"bridge_times_slope": figures["bridge"] * slope}


def table(rows: dict) -> str:
    """Figures of models, name → figures, as Markdown; missing figures are –."""
    return markdown.figures(["model"], COLUMNS, [([name], found) for name, found in rows.items()])


def main(argv: list | None = None) -> None:
    """Measure, print, write. Exit code 2 and one line for bad input."""
    with commands.exit_on_bad_input():
        args, paths = commands.parse(__doc__, FLAGS, argv, "model")
        commands.at_least(args, points=2, steps=1, samples=2, seed=0)
        out, rows = commands.directory(args.out), _measure_all(paths, args)
    from zoo.plots import frontier

    print(table(rows))
    held_against = ", ".join(dict.fromkeys(row["data"] for row in rows.values()))
    slowest = min(
        value for row in rows.values() for key, value in row.items() if key.endswith("_converged")
    )
    print(
        f"\n{args.points} points of {held_against}, seed {args.seed}; after {args.steps} steps at "
        f"least {slowest:.0%} of the slopes of each network have settled (--steps for more)"
    )
    run_files.write_json(out / "lipschitz.json", {"settings": vars(args), "models": rows})
    frontier.draw(out / "lipschitz.png", rows)
    print(f"see {out / 'lipschitz.json'} and {out / 'lipschitz.png'}")


def _measure_all(paths, args):
    rows = {}
    for name, path, model, data in models.load_each(paths, args.dataset):
        about = {"path": path, "data": data.name, "prior": model.law}
        rows[name] = measure(model, data, args) | about
    return rows


if __name__ == "__main__":
    main()
