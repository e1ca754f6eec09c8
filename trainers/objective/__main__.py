"""The trained objective itself: fresh discriminators of a method's own kind on fixed E and G.

usage: python -m trainers.objective [MODEL ...] [flags]

  MODEL
      A preset, a run directory or a .keras file of GAN, BiGAN, ALI, the counterexample or the
      memorizer. Without one: bigan_fashion_mnist, a trained pair, and counterexample_fashion_mnist,
      one whose codes mean nothing.

Keeps encoder and generator fixed and trains new discriminators of the method's own architecture,
with Adam, on pairs whose images are drawn with replacement. Prints, for pairs held out, the
objective E log D + E log(1 − D) + 2 log 2: 0 is the optimum that encoder and generator are trained
for, and pairs that are told apart without error reach 2 log 2 = 1.386. Beside it: the same for two
real streams, and counterexamples of --support stored images. Writes cells.json and cells.csv,
objective.png and report.md. A second run continues with the missing cells.
"""

import functools
import hashlib
import pathlib
import time

from trainers.experiments import planning
from zoo.cli import commands

DEFAULT = ["bigan_fashion_mnist", "counterexample_fashion_mnist"]
FLAGS = {
    "budget": ("", "Pairs of either kind to train on, multiples of 6400; by default 19200,51200."),
    "width": (0, "Width of the fresh discriminators; 0 for the model's own."),
    "seeds": (3, "Independent initial weights and orders of the pairs."),
    "held_out": (10_000, "Pairs of either kind to measure on, at most as many as test images."),
    "support": ("", "Numbers of stored images of counterexamples to add, as in 64,1024."),
    "against": ("", "The data set, instead of the training data of each model."),
    "quick": (False, "One seed, and 6,400 pairs by default: under 2 minutes for two models."),
    **planning.CELLS,
}


def main(argv: list | None = None) -> None:
    """Measure the missing cells, then write the page. Exit code 2 and one line for bad input."""
    began = time.monotonic()
    with commands.exit_on_bad_input():
        args, paths = commands.parse(__doc__, FLAGS, argv)
        commands.at_least(args, width=0, seeds=1, held_out=100, cells=0)
        args.budget = args.budget or ("6400" if args.quick else "19200,51200")
        args.seeds = 1 if args.quick else args.seeds
        budgets, supports = (commands.whole_numbers(args, name) for name in ("budget", "support"))
        if any(n < 6400 or n % 6400 for n in budgets):
            raise ValueError(f"--budget must be multiples of 6400; got {args.budget!r}")
        games = _games(paths or DEFAULT, supports, args.against)
        out = planning.directory(args, "objective")
    from trainers.objective import measuring
    from trainers.objective import page

    # Of one model at a time: cells are in the order of the models.
    @functools.lru_cache(maxsize=1)
    def pools(name):
        return measuring.pools(*games[name], max(budgets), args.held_out)

    def measure(cell):
        game, _ = games[cell["model"]]
        pool = pools(cell["model"])[cell["law"]]
        for row in measuring.measure(game, pool, cell["seed"], budgets, args.width):
            print(f"    {row['budget']:,} pairs: {row['objective']:+.4f}", flush=True)
            yield row

    wanted = [
        {"model": name, "law": law, "seed": seed, "weights": _digest(game)}
        for name, (game, _) in games.items()
        for law in measuring.LAWS
        for seed in range(args.seeds if law == measuring.PAIRS else 1)
    ]
    rows = planning.resume(out / "cells.json", wanted, measure, args.cells)
    if not (rows := planning.finished(wanted, rows, args.cells)):
        return
    page.picture(out / "objective.png", rows)
    planning.write(out, rows, page.text(rows, args, argv, (time.monotonic() - began) / 60))


def _digest(game):
    """Tells the weights of a model that was trained again from those measured before."""
    weights = b"".join(weight.tobytes() for weight in game.get_weights())
    return hashlib.sha256(weights).hexdigest()[:8]


def _games(paths, supports, against):
    """Name → (game, data) of all models to measure, checked before the first is measured."""
    import zoo
    from trainers.objective import measuring
    from zoo import counterexample
    from zoo import models

    found = {}
    for path in paths:
        name = pathlib.Path(path).name
        # The last part of a path may be that of another model, too.
        name = path if name in found else name
        found[name] = zoo.load(path), models.data_of(path, against)
    data = next(iter(found.values()))[1]
    for support in supports:
        counterexample.check(data.shape, 16, support)
        made = counterexample.build(data, support, 16, seed=0, width=8)
        found[f"counterexample, m = {support:,}"] = made, data
    for game, data in found.values():
        measuring.check(game, data)
    return found


if __name__ == "__main__":
    main()
