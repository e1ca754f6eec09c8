"""Fresh discriminators of a method's own kind, on pairs of a game whose E and G are fixed."""

import time

import numpy as np

from zoo import datasets
from zoo import metrics
from zoo import models

# Methods whose objective is this one. Others have hinges, more scores or further terms.
METHODS = ("GAN", "BiGAN", "ALI", "Counterexample", "Memorizer")

# Both streams that a discriminator tells apart: the question, and its control.
PAIRS, CONTROL = LAWS = ("pairs", "two real streams")


def check(game, data) -> None:
    """Raises ValueError if the objective of `game` is another, or `data` has another shape."""
    name = type(game).__name__
    if name not in METHODS or "discriminator" in game.own:
        own = " with a discriminator of its own" * ("discriminator" in game.own)
        raise ValueError(f"the method must be one of {', '.join(METHODS)}; got {name}{own}")
    models.check_shape(name, game.image_shape, data)


def pools(game, data, most: int, held_out: int) -> dict:
    """Law of `LAWS` → {"fit" or "judge": {real or not: (x, z)}}.

    Pairs to fit on, `most` of either kind, are of training images. Those to judge on are of test
    images: `held_out` of either kind, at most as many as there are.
    """
    n = min(held_out, len(data.test))
    parts = {"fit": (data.train, most, 1), "judge": (data.test, n, 2)}
    asked = {
        part: {real: pairs(game, images, count, real, seed) for real in (True, False)}
        for part, (images, count, seed) in parts.items()
    }
    # Real pairs in the place of generated ones, drawn with other seeds.
    control = {
        part: {True: asked[part][True], False: pairs(game, images, count, True, seed + 2)}
        for part, (images, count, seed) in parts.items()
    }
    return {PAIRS: asked, CONTROL: control}


def measure(game, pool: dict, seed: int, budgets: list, width: int = 0):
    """Accuracy and objective of one fresh discriminator of the own kind of `game`.

    Args:
        game: a trained game of `METHODS`; it is not changed.
        pool: the value of a law in `pools`.
        seed: seed of the initial weights and of the order of the pairs.
        budgets: numbers of pairs of either kind, each seen once by the discriminator.
        width: width of the discriminator, 0 for that of `game`.

    Yields:
        one dict per budget, the least first: `budget`, `parameters`, `seconds` since the budget
        before, and the values of `zoo.metrics.judges.verdict`.
    """
    from trainers.experiments.network import Network
    from zoo.metrics import judges

    judge = Network(width or game.width, game, seed)
    draw, before, began = _once(pool["fit"], seed), 0, time.monotonic()
    held_out = len(pool["judge"][True][0])
    for budget in sorted(budgets):
        judge.fit(draw, budget - before)
        found = judges.verdict(judge.logits, _once(pool["judge"], 0), held_out)
        before, now = budget, time.monotonic()
        about = {"budget": budget, "parameters": judge.parameters}
        yield about | found | {"seconds": round(now - began, 1)}
        began = now


def pairs(game, images, n: int, real: bool, seed: int) -> tuple:
    """n pairs (x, z) as `game.play` makes them: x of `images` and its code, or G(z) and z.

    Codes of a stochastic encoder are draws from q(z|x). Images are drawn with replacement, each as
    the game observes it; a method without an encoder has codes of length 0.
    """
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
    if len(game.encoder.outputs) < 2:
        return game.encode(x)
    return gaussian_draw(*game.posterior(x), game.normal_noise(len(x)))


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
