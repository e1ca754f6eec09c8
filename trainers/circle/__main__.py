"""The circle experiment: an autoencoder of a circle, with codes of one and of two coordinates.

usage: python -m trainers.circle [flags]

Trains a deterministic AAE on points of a circle of radius R = 1, for d_z = 1 and d_z = 2 and a few
seeds each, and measures |x - G(E(x))| all around. For d_z = 1 the largest error of any continuous
encoder is R or more, with any decoder (Borsuk and Ulam), and the pair of opposite points that
proves it is found; the mean error may be small. For d_z = 2 no such bound exists. Writes
circle.json and circle.png.
"""

import sys
import time

from zoo import run_files
from zoo.cli import commands
from zoo.cli import markdown

FLAGS = {
    "seeds": (3, "How many trainings for each d_z, with seeds 0, 1, ..."),
    "steps": (1500, "Training steps of each; 0 measures networks as they start."),
    "batch_size": (256, "Points per step."),
    "width": (4, "Width of the networks; 4 is 50 units per hidden layer of E and G."),
    "angles": (10_000, "Points at which errors are measured; even."),
    "out": ("runs/circle", "Directory to write to."),
}
COLUMNS = (
    ("max error", "error_max", ".3f"),
    ("99 %", "error_99", ".3f"),
    ("mean", "error_mean", ".3f"),
    ("error at the opposite pair", "pair_error", ".3f"),
    ("L_E median", "slope_e_median", ".3f"),
    ("max", "slope_e_max", ".3f"),
    ("L_G median", "slope_g_median", ".3f"),
    ("max", "slope_g_max", ".3f"),
)


def train(latent_dim: int, seed: int, args):
    """An AAE trained on the circle; its learning rates fall to 0, so that the noise does too."""
    import keras

    from zoo import datasets
    from zoo.aae import AAE

    data = datasets.load("circle")
    game = AAE(data.shape, latent_dim=latent_dim, network="mixture", width=args.width, seed=seed)
    if not args.steps:
        return game
    rates = {"autoencoder": 2e-3, "discriminator": 2e-4, "encoder": 2e-4}
    optimizers = {
        player: keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(rate, args.steps))
        for player, rate in rates.items()
    }
    game.compile(optimizers, steps_per_execution=min(50, args.steps))
    stream = datasets.batches(data.train, args.batch_size, seed)
    game.fit(stream, steps_per_epoch=args.steps, verbose=0, shuffle=False)
    return game


def measure(game, angles: int) -> tuple[dict, dict]:
    """(figures, arrays all around the circle) of a game; see `zoo.metrics.antipodes`.

    The slopes of E are those along the circle, of G the largest singular values at the codes.
    """
    import numpy as np

    from zoo import metrics
    from zoo.datasets.circle import RADIUS
    from zoo.metrics import antipodes

    seen = antipodes.around(game.encode, game.decode, RADIUS, angles)
    # A Jacobian with one column is found in one step.
    slopes, _ = metrics.lipschitz(game.decode, seen["codes"], 15, batch_size=2500)
    seen["decoder_slopes"] = slopes
    figures = {
        "latent_dim": game.latent_dim,
        "seed": game.seed,
        "error_max": float(seen["errors"].max()),
        "error_99": float(np.quantile(seen["errors"], 0.99)),
        "error_mean": float(seen["errors"].mean()),
        "share_above_half_radius": float(np.mean(seen["errors"] > RADIUS / 2)),
        "slope_e_median": float(np.median(seen["slopes"])),
        "slope_e_max": float(seen["slopes"].max()),
        "slope_g_median": float(np.median(slopes)),
        "slope_g_max": float(slopes.max()),
    }
    if game.latent_dim == 1:
        figures |= antipodes.opposite_pair(game.encode, game.decode, RADIUS)
    return figures, seen


def table(rows: list) -> str:
    """One Markdown row per training; – for a figure that does not apply."""
    groups = [([str(row["latent_dim"]), str(row["seed"])], row) for row in rows]
    return markdown.figures(["d_z", "seed"], COLUMNS, groups)


def main(argv: list | None = None) -> None:
    """Train, measure, print, write. Exit code 2 and one line for bad input."""
    began = time.time()
    argv = sys.argv if argv is None else argv
    with commands.exit_on_bad_input():
        args = commands.only_flags(__doc__, FLAGS, argv)
        commands.at_least(args, seeds=1, steps=0, batch_size=1, width=1, angles=4)
        if args.angles % 2:
            raise ValueError(f"--angles must be even; got {args.angles}")
        out = commands.directory(args.out)
        measured = _run(args)
    rows = [figures for figures, _ in measured]
    command = commands.typed("trainers.circle", argv[1:])
    seconds = round(time.time() - began, 1)
    print(table(rows))
    report = {"command": command, "settings": vars(args), "wall_s": seconds, "runs": rows}
    run_files.write_json(out / "circle.json", report)
    from trainers.circle import picture

    picture.write(out / "circle.png", measured)
    print(f"\nbound for d_z = 1: max error ≥ R = 1; {seconds:.0f} s\nsee {out / 'circle.png'}")


def _run(args):
    measured = []
    for latent_dim in (1, 2):
        for seed in range(args.seeds):
            print(f"d_z = {latent_dim}, seed {seed} …", file=sys.stderr, flush=True)
            measured.append(measure(train(latent_dim, seed, args), args.angles))
    return measured


if __name__ == "__main__":
    main()
