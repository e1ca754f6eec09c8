"""The encoder-decoder counterexample of Arora, Risteski, Zhang (arXiv:1711.02651), measured.

usage: python -m trainers.counterexample [flags]

Trains fresh discriminators of growing capacity p against the pair, for several supports m, next to
a null control (two real streams) and two positive ones (no overwrite; a random linear encoder), and
for one m with clean images that are held out: no stored image among them, and others when a
discriminator is judged than when it is trained.
Writes cells.json and cells.csv, accuracy.png, pair.png, audit.json, report.md and, for zoo.load,
game.keras. A second run continues with the missing cells.
"""

import dataclasses
import time

import numpy as np

from trainers.experiments import planning
from zoo import run_files
from zoo.cli import commands

FLAGS = {
    "quick": (False, "Two supports, three small judges, one repeat: under 3 minutes."),
    **planning.FLAGS,
}


def main(argv: list | None = None) -> None:
    """Measure the missing cells, then write the report. Exit code 2 for bad input."""
    began = time.monotonic()
    with commands.exit_on_bad_input():
        args, data = planning.read(__doc__, FLAGS, argv)
        from trainers.counterexample import pairs
        from trainers.counterexample import plans
        from trainers.experiments import judging
        from zoo import counterexample

        full = dataclasses.replace(plans.FULL, repeats=args.repeats)
        plan = planning.plan(args, plans.QUICK if args.quick else full, len(data.train))
        if len(data.train) - plan.control < 2 * pairs.LEAST:
            left = tuple(name for name in plan.contrasts if name != pairs.HELD_OUT)
            plan = dataclasses.replace(plan, contrasts=left)
        for support in plan.supports:
            counterexample.check(data.shape, args.latent_dim, support)
            counterexample.check_images(data, support)
        directory = planning.directory(args, f"counterexample_{args.dataset}")
        streams = pairs.around(data, args.latent_dim)
        rows = judging.run(plan, streams, args.seed, directory / "cells.json")
    _write(directory, plan, rows, data, args, argv, began)


def _write(directory, plan, rows, data, args, argv, began):
    from trainers.counterexample import evidence
    from trainers.counterexample import pairs
    from trainers.counterexample import picture
    from trainers.counterexample import report
    from trainers.experiments import figures
    from zoo import audit
    from zoo import counterexample
    from zoo import models

    print(f"auditing the pair with m = {plan.control}", flush=True)
    game = counterexample.build(data, plan.control, args.latent_dim, args.seed)
    game.save(directory / "game.keras")
    model = models.of_game(game, f"counterexample, m = {plan.control}")
    found = audit.audit(model, data, args.seed)
    found |= evidence.informed(game, pairs.Pairs(game, data.train, args.seed))
    samples = np.asarray(game.decode(game.prior_codes(5000, args.seed)))
    found |= evidence.memorised(game, samples, data.train)
    run_files.write_json(directory / "audit.json", found)
    title = f"Fresh discriminators of the counterexample on {args.dataset}"
    figures.curves(directory / "accuracy.png", rows, title)
    picture.pair(directory / "pair.png", game, data)
    minutes = (time.monotonic() - began) / 60
    text = report.text(rows, found, plan, args, argv, minutes)
    planning.write(directory, rows, text)


if __name__ == "__main__":
    main()
