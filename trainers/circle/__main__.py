"""The circle experiment: an autoencoder of a circle, with codes of one and of two coordinates.

usage: python -m trainers.circle [flags]

Trains a deterministic AAE on points of a circle of radius R = 1, for d_z = 1 and d_z = 2 and a few
seeds each, and measures |x - G(E(x))| all around. For d_z = 1 the largest error of any continuous
encoder is R or more, with any decoder (Borsuk and Ulam), and the pair of opposite points that
proves it is found; the mean error may be small. For d_z = 2 no such bound exists. Writes
cells.json and cells.csv, circle.png and report.md. A second run continues with the missing cells.
"""

import time

from trainers.experiments import planning
from zoo.cli import commands
from zoo.cli import markdown

FLAGS = {
    "seeds": (3, "How many trainings for each d_z, with seeds 0, 1, ..."),
    "steps": (1500, "Training steps of each; 0 measures networks as they start."),
    "batch_size": (256, "Points per step."),
    "width": (4, "Width of the networks; 4 is 50 units per hidden layer of E and G."),
    "angles": (10_000, "Points at which errors are measured; even."),
    "quick": (False, "One seed and 500 steps: under 2 minutes."),
    **planning.CELLS,
}
COLUMNS = {
    "error_max": "max error",
    "error_99": "99 %",
    "error_mean": "mean",
    "pair_error": "error at the opposite pair",
    "slope_e_median": "L_E median",
    "slope_e_max": "max",
    "slope_g_median": "L_G median",
    "slope_g_max": "max",
}


def main(argv: list | None = None) -> None:
    """Measure the missing cells, then write the page. Exit code 2 and one line for bad input."""
    began = time.monotonic()
    with commands.exit_on_bad_input():
        args = commands.only_flags(__doc__, FLAGS, argv)
        commands.at_least(args, seeds=1, steps=0, batch_size=1, width=1, angles=4, cells=0)
        if args.angles % 2:
            raise ValueError(f"--angles must be even; got {args.angles}")
        if args.quick:
            args.seeds, args.steps = 1, min(args.steps, 500)
        directory = planning.directory(args, "circle")
    wanted = [
        {"latent_dim": latent_dim, "seed": seed}
        for latent_dim in (1, 2)
        for seed in range(args.seeds)
    ]

    def measure(cell):
        return _measured(cell, args, directory)

    rows = planning.resume(directory / "cells.json", wanted, measure, args.cells)
    if not (rows := planning.finished(wanted, rows, args.cells)):
        return
    from trainers.circle import picture

    picture.write(directory / "circle.png", [(row, _around(directory, row)) for row in rows])
    page = text(rows, args, argv, (time.monotonic() - began) / 60)
    planning.write(directory, rows, page)


def _measured(cell, args, directory):
    """The row of a cell; values all around the circle go to a file, for the picture."""
    import numpy as np

    from trainers.circle import measuring

    began = time.monotonic()
    found, seen = measuring.measure(measuring.train(**cell, args=args), args.angles)
    np.savez_compressed(_file(directory, cell), **seen)
    yield found | {"seconds": round(time.monotonic() - began, 1)}


def _around(directory, cell):
    import numpy as np

    return dict(np.load(_file(directory, cell)))


def _file(directory, cell):
    return directory / "around_{latent_dim}_{seed}.npz".format(**cell)


def text(rows: list, args, argv: list | None, minutes: float) -> str:
    """The page, in Markdown."""
    typed = commands.typed("trainers.circle", argv)
    parts = [
        "# A circle through codes of one and of two coordinates",
        planning.made_by(typed, planning.seeds(args), rows, minutes),
        f"Errors |x − G(E(x))| of {args.angles:,} points of a circle of radius R = 1 and their "
        f"reconstructions by an AAE, after {args.steps:,} steps. If E is continuous and d_z = 1, "
        "two opposite points have one code (Borsuk and Ulam), so that the largest error is R or "
        "more, with any decoder. d_z = 2 is the control: no such bound exists.",
        table(rows),
        "![errors all around the circle](circle.png)",
    ]
    return "\n\n".join(parts) + "\n"


def table(rows: list) -> str:
    """One Markdown row per training; – for a figure that does not apply."""
    groups = [([str(row["latent_dim"]), str(row["seed"])], row) for row in rows]
    columns = [(heading, key, ".3f") for key, heading in COLUMNS.items()]
    return markdown.figures(["d_z", "seed"], columns, groups)


if __name__ == "__main__":
    main()
