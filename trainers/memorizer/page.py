"""`report.md`: one page on the results and their limits."""

import time

import numpy as np

from trainers.experiments import figures
from trainers.experiments import judging
from trainers.experiments import planning
from trainers.experiments import sections
from trainers.memorizer.images import CONTRASTS
from zoo import datasets
from zoo import memorizer
from zoo.cli import commands
from zoo.metrics import birthday

_SAMPLES = 8000


def plan(quick: bool, repeats: int, gan: bool) -> judging.Plan:
    """The plan of measurements. `gan`: whether there is a trained one to compare with."""
    contrasts = tuple(CONTRASTS)[: 4 if gan else 3]
    if quick:
        return judging.Plan(
            supports=(64, 256, 1024),
            readouts=(30, 100, 300),
            widths=(8,),
            budget=10_000,
            held_out=10_000,
            repeats=1,
            contrasts=contrasts,
        )
    return judging.Plan(
        widths=(2, 8), budget=20_000, held_out=20_000, repeats=repeats, contrasts=contrasts
    )


def write(directory, plan, rows: list, data, args, argv: list | None, began: float) -> None:
    """Write the page, the picture, the table and one of the generators, and print the page."""
    title = f"Fresh discriminators of {args.dataset} against m stored images"
    figures.curves(directory / "accuracy.png", rows, title)
    game = memorizer.build(data, plan.control, args.latent_dim, args.seed)
    game.save(directory / "game.keras")
    samples = np.asarray(game.decode(game.prior_codes(_SAMPLES, args.seed)))
    found = birthday.birthday_test(samples, datasets.scale(data.test), rng_seed=args.seed)
    minutes = (time.monotonic() - began) / 60
    page = text(rows, found.sentence, plan, args, argv, minutes)
    planning.write(directory, rows, page)


def text(rows: list, support: str, plan, args, argv: list | None, minutes: float) -> str:
    """The page, in Markdown.

    Args:
        rows: cells, as from `judging.run`.
        support: the sentence of the birthday test of the generator with m = plan.control.
        plan: the `Plan`.
        args, argv: flags and command line.
        minutes: time of this command, resumed cells not counted.
    """
    typed = commands.typed("trainers.memorizer", argv)
    parts = [
        f"# Small support against the discriminator of a GAN, on {args.dataset}",
        f"{planning.made_by(typed, sections.seeds(args, plan), rows, minutes)} "
        "Method: Arora, Ge, Liang, Ma, Zhang 2017, "
        "arXiv:1703.00573. The generator is a uniform draw from m training images. Real images are "
        "training images that are not stored: one half of them to fit a discriminator, the other "
        f"to judge it. {plan.budget:,} real and as many generated images for each of 6 Newton "
        f"steps of a readout, about {2 * plan.budget:,} for a network; judged on "
        f"{plan.held_out:,} of either kind.",
        "## Accuracy of fresh discriminators",
        *sections.tables(
            rows,
            "Held-out accuracy on real images against G(z); ½ is nothing. ± is one standard error.",
            "In a row of the trained GAN, m is only the number of real images that are left out."
            if len(plan.contrasts) == len(CONTRASTS)
            else "",
            "The objective with φ = log, E log D(x) + E log(1 − D(G(z))) + 2 log 2, nats: 0 is a "
            "GAN's optimum, 1.386 the most. Below 0 the judge is overconfident, which happens if "
            "there is nothing to see.",
            "The objective with φ(t) = t, the Wasserstein form of the theorem, E D(x) − E D(G(z)) "
            "with the same D in (0, 1): 0 is the optimum, 1 the most.",
        ),
        f"## Support of the generator, m = {plan.control:,}",
        f"Birthday test: {support}",
        "## Not shown",
        "- The bound of the theorem: its constants are too large for a bound at this scale. "
        "The measurement covers the mechanism and how it scales.\n"
        "- That training finds such a generator. It was built, not learned.\n"
        "- Anything about discriminators of another kind, or trained longer: each figure is of the "
        "judges named, with the images they were given.",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"
