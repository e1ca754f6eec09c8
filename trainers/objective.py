"""The trained objective itself: fresh discriminators of a method's own kind on fixed E and G.

usage: python -m trainers.objective [MODEL ...] [flags]

  MODEL
      A preset, a run directory or a .keras file of GAN, BiGAN, ALI, the counterexample or the
      memorizer.

Keeps encoder and generator fixed and trains new discriminators of the method's own architecture,
with Adam, on pairs that they see once. Prints, for pairs held out, the objective E log D +
E log(1 − D) + 2 log 2: 0 is the optimum that encoder and generator are trained for, and pairs that
are told apart without error reach 2 log 2 = 1.386. Beside it: the same for two real streams, and
counterexamples of --support stored images. Writes objective.json and objective.md.
"""

import os
import pathlib
import platform
import sys
import time

import numpy as np

from zoo import run_files
from zoo.cli import commands
from zoo.cli import markdown

# Methods whose objective is this one. Others have hinges, more scores or further terms.
METHODS = ("GAN", "BiGAN", "ALI", "Counterexample", "Memorizer")

FLAGS = {
    "budget": ("19200,51200", "Pairs of either kind to train on, in multiples of 6,400."),
    "width": (0, "Width of the fresh discriminators; 0 for the model's own."),
    "seeds": (3, "Independent initial weights and orders of the pairs."),
    "held_out": (10_000, "Pairs of either kind to measure on, at most as many as test images."),
    "support": ("", "Numbers of stored images of counterexamples to add, as in 64,1024."),
    "against": ("", "The data set, instead of the training data of each model."),
    "out": ("runs/objective", "Directory to write to."),
}


def main(argv: list | None = None) -> None:
    """Measure, print, write. Exit code 2 and one line for bad input."""
    began = time.monotonic()
    argv = sys.argv if argv is None else argv
    with commands.exit_on_bad_input():
        args, paths = commands.parse(__doc__, FLAGS, argv, "model")
        commands.at_least(args, width=0, seeds=1, held_out=100)
        budgets, supports = (commands.whole_numbers(args, name) for name in ("budget", "support"))
        if not budgets or any(n % 6400 for n in budgets):
            raise ValueError(f"--budget must be multiples of 6400; got {args.budget!r}")
        games = _games(paths, supports, args.against)
    out = commands.directory(args.out)
    rows = []
    for name, game, data in games:
        for row in measure(game, data, budgets, args.width, args.seeds, args.held_out):
            rows.append({"model": name} | row)
            print(
                "  {model}, {law}, seed {seed}, {budget:,} pairs: {objective:+.4f}".format(
                    **row, model=name
                ),
                flush=True,
            )
        run_files.write_json(out / "objective.json", rows)
    minutes = (time.monotonic() - began) / 60
    page = (
        f"`{commands.typed('trainers.objective', argv[1:])}`; {platform.machine()}, "
        f"{os.cpu_count()} cores; {minutes:.1f} minutes. "
        f"± is the standard deviation over seeds.\n\n"
        f"{table(rows)}\n"
    )
    (out / "objective.md").write_text(page, encoding="utf-8")
    print(f"\n{page}\nsee {out / 'objective.md'}")


def measure(game, data, budgets, width: int = 0, seeds: int = 3, held_out: int = 10_000):
    """Accuracy and objective of fresh discriminators of the own kind of `game` on its pairs.

    Pairs to train on are of training images, those to measure on of test images. E and G are fixed.

    Args:
        game: a trained game of `METHODS`; it is not changed.
        data: the `zoo.datasets.Dataset` to compare with.
        budgets: growing numbers of pairs of either kind, each seen once by a discriminator.
        width: width of the discriminators, 0 for that of `game`.
        seeds: number of discriminators; a further one is trained on two real streams.
        held_out: pairs of either kind to measure on, at most as many as there are test images.

    Yields:
        one dict per law ("pairs", or "two real streams" with one seed), seed and budget: those,
        `parameters`, and the values of `zoo.metrics.judges.verdict`.

    Raises:
        ValueError: the method has another objective, or the data another shape.
    """
    from trainers.counterexample.network import Network
    from zoo.metrics import judges

    check(game, data)
    n = min(held_out, len(data.test))
    pools = {
        "fit": {real: pairs(game, data.train, max(budgets), real, 1) for real in (True, False)},
        "judge": {real: pairs(game, data.test, n, real, 2) for real in (True, False)},
    }
    others = {
        "fit": pairs(game, data.train, max(budgets), True, 3),
        "judge": pairs(game, data.test, n, True, 4),
    }
    plan = [("pairs", seed) for seed in range(seeds)] + [("two real streams", 0)]
    for law, seed in plan:
        judge = Network(width or game.width, game, seed)
        if law != "pairs":
            pools = {part: {True: pools[part][True], False: others[part]} for part in pools}
        draw, before = _once(pools["fit"], seed), 0
        for budget in sorted(budgets):
            judge.fit(draw, budget - before)
            before = budget
            found = judges.verdict(judge.logits, _once(pools["judge"], 0), n)
            yield {
                "law": law,
                "seed": seed,
                "budget": budget,
                "parameters": judge.parameters,
            } | found


def check(game, data) -> None:
    """Raises ValueError if the objective of `game` is another, or `data` has another shape."""
    name = type(game).__name__
    if name not in METHODS or "discriminator" in game.own:
        own = " with a discriminator of its own" * ("discriminator" in game.own)
        raise ValueError(f"the method must be one of {', '.join(METHODS)}; got {name}{own}")
    if game.image_shape != data.shape:
        raise ValueError(
            f"{name} makes examples of shape {game.image_shape}; {data.name} has {data.shape}"
        )


def pairs(game, images, n: int, real: bool, seed: int) -> tuple:
    """n pairs (x, z) as `game.play` makes them: x of `images` and its code, or G(z) and z.

    Codes of a stochastic encoder are draws from q(z|x). Images are drawn with replacement, each as
    the game observes it; a method without an encoder has codes of length 0.
    """
    from zoo import datasets
    from zoo import metrics

    rng = np.random.default_rng([seed, n])
    if not real:
        z = np.asarray(game.prior_codes(n, int(rng.integers(2**31))))
        return metrics.in_batches(game.decode, z), z if game.has_encoder else z[:, :0]
    x = datasets.scale(images[rng.integers(len(images), size=n)])
    x = np.asarray(game.observed(x, seed=int(rng.integers(2**31))))
    if not game.has_encoder:
        return x, np.zeros((n, 0), np.float32)
    return x, metrics.in_batches(lambda part: _drawn(game, part), x)


def _drawn(game, x):
    """E(x), or a draw from q(z|x) with noise of the game's own."""
    from zoo.losses import gaussian_draw

    if getattr(game, "noise_inputs", 0):
        return game._drawn(x)
    found = game.posterior(x)
    if isinstance(found, (list, tuple)):
        return gaussian_draw(*found, game.normal_noise(len(x)))
    return found


def _once(pool, seed):
    """(real, n) → the next n pairs of either pool, in an order of `seed`; none comes twice."""
    order = {
        real: np.random.default_rng([seed, real]).permutation(len(pool[real][0])) for real in pool
    }
    taken = dict.fromkeys(pool, 0)

    def draw(real, n):
        rows = order[real][taken[real] : taken[real] + n]
        taken[real] += n
        return tuple(part[rows] for part in pool[real])

    return draw


def table(rows: list) -> str:
    """Mean and standard deviation over seeds, a row for each model, law and budget, as Markdown."""
    lines = []
    for key in dict.fromkeys((r["model"], r["law"], r["parameters"], r["budget"]) for r in rows):
        mine = [r for r in rows if (r["model"], r["law"], r["parameters"], r["budget"]) == key]
        model, law, parameters, budget = key
        cells = []
        for figure, form, scale in (("accuracy", ".1f", 100), ("objective", "+.3f", 1)):
            values = [scale * row[figure] for row in mine]
            spread = f" ± {np.std(values, ddof=1):{form[-3:]}}" if len(values) > 1 else ""
            cells.append(f"{np.mean(values):{form}}{spread}")
        share = np.mean([row["objective"] for row in mine]) / (2 * np.log(2))
        name = model if law == "pairs" else f"{model}, {law}"
        lines.append(
            [
                name,
                f"{parameters:,}",
                f"{budget:,}",
                str(len(mine)),
                *cells,
                f"{round(100 * share)} %",
            ]
        )
    heads = [
        "told apart",
        "p",
        "pairs seen",
        "seeds",
        "accuracy, %",
        "objective, nats",
        "of 2 log 2",
    ]
    return markdown.table(heads, lines)


def _games(paths, supports, against):
    """(name, game, data) of all models to measure, checked before the first is measured."""
    import zoo
    from zoo import counterexample
    from zoo import models

    found = []
    for path in paths:
        found.append((pathlib.Path(path).name, zoo.load(path), models.data_of(path, against)))
    for support in supports:
        data = found[0][2]
        counterexample.check(data.shape, 16, support)
        made = counterexample.build(data, support, 16, seed=0, width=8)
        found.append((f"counterexample, m = {support:,}", made, data))
    for _, game, data in found:
        check(game, data)
    return found


if __name__ == "__main__":
    main()
