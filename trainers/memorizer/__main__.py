"""The small-support generator of Arora, Ge, Liang, Ma, Zhang (arXiv:1703.00573), measured.

usage: python -m trainers.memorizer [flags]

Trains fresh discriminators of images, of growing capacity p, against a generator that stores m
training images, for several m. The real images are others than those stored, and others when a
discriminator is judged than when it is trained. Controls: two real streams; real images among which
are those stored; with --gan, a GAN that was trained. Writes cells.json and cells.csv, accuracy.png,
report.md and, for zoo.load, game.keras. A second run continues with the missing cells. With
--beside, theorems.png shows the accuracies beside those of the counterexample.
"""

import time

from trainers.experiments import planning
from zoo.cli import commands

FLAGS = {
    "quick": (False, "Three supports, four judges, one repeat: under 2 minutes."),
    **planning.FLAGS,
    "gan": ("", "A preset, a run directory or a .keras file: a trained GAN as a control."),
    "beside": ("", "Directory of `python -m trainers.counterexample`, for a picture of both."),
}


def main(argv: list | None = None) -> None:
    """Measure the missing cells, then write the report. Exit code 2 for bad input."""
    began = time.monotonic()
    with commands.exit_on_bad_input():
        args, data = planning.read(__doc__, FLAGS, argv)
        from trainers.experiments import judging
        from trainers.memorizer import images
        from trainers.memorizer import page

        wanted = page.plan(args.quick, args.repeats, bool(args.gan))
        plan = planning.plan(args, wanted, len(data.train) - 2 * images.LEAST)
        for support in plan.supports:
            images.check(data, support, args.latent_dim)
        gan = _gan(args.gan, data) if args.gan else None
        other = planning.cells(args.beside) if args.beside else None
        directory = planning.directory(args, f"memorizer_{args.dataset}")
        streams = images.around(data, args.latent_dim, gan)
        rows = judging.run(plan, streams, args.seed, directory / "cells.json")
    page.write(directory, plan, rows, data, args, argv, began)
    if args.beside:
        from trainers.experiments import figures

        titles = {
            "GAN, D(x): Arora, Ge, Liang, Ma, Zhang 2017": rows,
            "encoder-decoder GAN, D(x, z): Arora, Risteski, Zhang 2017": other,
        }
        figures.theorems(directory / "theorems.png", titles)
        print(f"see {directory / 'theorems.png'}")


def _gan(source, data):
    import zoo

    gan = zoo.load(source)
    if not gan.has_generator or gan.image_shape != data.shape:
        raise ValueError(
            f"--gan must make images of shape {data.shape}; got {source}, a "
            f"{type(gan).__name__} of {gan.image_shape}"
        )
    return gan


if __name__ == "__main__":
    main()
