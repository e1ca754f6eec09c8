"""`search`: the code whose image is closest to a given one."""

import dataclasses
import functools

import numpy as np

from zoo.datasets.progress import Progress
from zoo.inversion import arguments

# Searches that run at the same time, and steps of them between two reports of progress. Both are
# fixed, so that one graph serves for any number of images, and so that an image goes through the
# same operations alone as among others.
ROWS, CHUNK = 16, 25
# Compiled searches, of the games or tasks that were last used.
KEPT = 4
# Of Adam, from draws of the prior and from given codes, which a higher rate would leave at once.
FROM_PRIOR, FROM_CODES = 0.2, 0.03
# Gradients shrink by orders of magnitude during a search; a mean of their squares over 1,000 steps,
# Adam's usual 0.999, would keep the steps of the first ones.
_BETA_1, _BETA_2, _EPSILON = 0.9, 0.95, 1e-8


@dataclasses.dataclass(frozen=True)
class Found:
    """Result of `search`.

    Attributes:
        codes: float32 (n, *code_shape), for each image the best code that any search met.
        errors: float32 (n,), the mean over the known pixels of (G(code) − x)².
        curve: float32 (steps + 1, n), the error of the best code met up to each step, over all
            restarts; curve[0] is the best start and curve[-1] is `errors`.
    """

    codes: np.ndarray
    errors: np.ndarray
    curve: np.ndarray


def search(
    game,
    images: np.ndarray,
    steps: int = 400,
    restarts: int = 4,
    start: str | np.ndarray | None = None,
    mask: np.ndarray | None = None,
    prior_weight: float = 0.0,
    learning_rate: float | None = None,
    seed: int = 0,
) -> Found:
    """Codes of images by optimisation, for a generator that needs no encoder.

    For each image x by itself, Adam (0.9, 0.95) with a rate that falls to 0 as a half cosine
    minimises

        |m · (G(z) − x)|² + prior_weight · ½|z|²

    over z, with G in inference mode, and the best z met is kept (Creswell and Bharath 2016,
    arXiv:1611.05644, whose code uses RMSProp). With `start="encoder"` the search begins at E(x):
    the hybrid of Zhu et al. 2016, arXiv:1609.03552. Codes of the prior "uniform" are clipped to
    [-1, 1].

    Restart number r of every image begins at 0.3 times draw number r of `restarts` draws from the
    prior: near the middle more searches reach their image than from the draws (docs/inversion.md).
    The result for an image depends on the image and `seed`, not on the other images. With
    linear G(z) = Wz + b of orthonormal columns the code is Wᵀ(x − b) / (1 + prior_weight / 2).

    Args:
        game: a trained game that has a generator.
        images: (n, *image_shape) in [-1, 1].
        steps: of Adam, 1 or more.
        restarts: searches of each image if `start` is None, 1 or more; otherwise there is one.
        start: None for draws from the prior, "encoder" for the codes of the game's encoder, or
            codes (n, *code_shape).
        mask: m, (n, *image_shape), or (n, height, width, 1) for all channels: 1 for pixels that
            are known, 0 for the others. None if all are.
        prior_weight: 0 or more, for the prior "normal", of which ½|z|² is −log p(z) but for a
            constant. If pixels have Gaussian noise of variance σ², 2σ² gives the most probable z.
        learning_rate: at the first step, in units of a coordinate of the code; None for 0.2 from
            the prior and 0.03 from given codes.
        seed: of the draws.

    Returns:
        A `Found`.

    Raises:
        ValueError: an argument is not of this kind, the game has no generator of codes alone, its
            generator has no gradient, or Keras has a backend other than TensorFlow and JAX.
    """
    from zoo.training import averages

    images, mask = arguments.checked(game, images, mask)
    arguments.at_least(1, steps=steps, restarts=restarts)
    arguments.at_least(0, prior_weight=prior_weight)
    if prior_weight and game.prior != "normal":
        raise ValueError(
            f'prior_weight must be 0 for a prior other than "normal"; got {prior_weight} for '
            f"{game.prior!r}"
        )
    rate = learning_rate
    if rate is None:
        rate = FROM_PRIOR if start is None else FROM_CODES
    if not rate > 0:
        raise ValueError(f"learning_rate must be above 0; got {learning_rate}")
    starts = arguments.starting(game, images, restarts, start, seed, ROWS)
    network = averages.in_use(game, "generator")
    return descend(game, starts, images, mask, steps, rate, prior_weight, network)


def descend(
    model, starts, images, mask, steps: int, rate: float, prior_weight=0.0, network=None
) -> Found:
    """`search` from given starts, float32 (n, searches, *code_shape), of checked arguments.

    Args:
        model: a game, or an object with its `decode`, `code_shape`, `image_shape`, `prior` and
            `variables`.
        network: what `model.decode` uses, if that may be replaced by another: only a key of the
            compiled search.
    """
    n, searches = starts.shape[:2]
    rows = starts.reshape(-1, *model.code_shape)
    owners = np.repeat(np.arange(n), searches)
    progress = Progress("steps of inversion", -(-len(rows) // ROWS) * (steps + 1))
    codes, objectives, errors = np.empty_like(rows), [], []
    advance = _compiled(model, network)
    for first in range(0, len(rows), ROWS):
        # The last rows are filled up with earlier ones.
        chosen = np.arange(first, first + ROWS) % len(rows)
        known = mask[owners[chosen]]
        part = rows[chosen], images[owners[chosen]], known
        best, *curves = _descended(advance, part, steps, rate, prior_weight, progress)
        codes[first : first + ROWS] = best[: len(rows) - first]
        objectives.append(curves[0][:, : len(rows) - first])
        errors.append(curves[1][:, : len(rows) - first])
    shape = (steps + 1, n, searches)
    objectives = np.concatenate(objectives, axis=1).reshape(shape)
    errors = np.concatenate(errors, axis=1).reshape(shape)
    winner = np.argmin(objectives, axis=2)
    curve = np.take_along_axis(errors, winner[:, :, None], axis=2)[:, :, 0]
    codes = codes.reshape(n, searches, *model.code_shape)[np.arange(n), winner[-1]]
    return Found(codes, curve[-1], curve)


def _descended(advance, part, steps, rate, prior_weight, progress):
    """Best codes (ROWS, ...), and objectives and errors (steps + 1, ROWS) of the best so far."""
    from keras import ops

    codes, x, known = (ops.convert_to_tensor(array, "float32") for array in part)
    settings = ops.convert_to_tensor([rate, steps, prior_weight], "float32")
    nothing = ops.zeros_like(codes)
    worst = ops.full((ROWS,), np.inf, "float32")
    state = (codes, nothing, nothing, codes, worst, worst)
    curves = []
    # The step after the last one has rate 0: it looks at the codes that the last one found.
    for first in range(0, steps + 1, CHUNK):
        count = min(CHUNK, steps + 1 - first)
        span = (ops.convert_to_tensor(number, "int32") for number in (first, count))
        state, *met = advance(state, x, known, settings, *span)
        curves.append([ops.convert_to_numpy(part)[:count] for part in met])
        progress.add(count)
    objectives, errors = (np.concatenate(parts) for parts in zip(*curves, strict=True))
    return ops.convert_to_numpy(state[3]), objectives, errors


# Compiling takes longer than a search of few images.
@functools.lru_cache(maxsize=KEPT)
def _compiled(game, network):
    """A function that takes up to `CHUNK` steps of all rows, compiled once.

    (state, x, known, (rate, steps, prior_weight), first step, number of steps) → state, objectives
    and errors (CHUNK, ROWS) of the best codes so far; state is the codes, Adam's two means, and
    the best codes with their objectives and errors.
    """
    import keras
    from keras import ops

    from zoo.priors import BOUNDED
    from zoo.training.gradients import values_and_input_gradient

    axes = tuple(range(1, len(game.image_shape) + 1))
    code_axes = tuple(range(1, len(game.code_shape) + 1))

    def one(number, state, x, known, settings):
        codes, mean, square, best, best_objective, best_error = state
        rate, steps, prior_weight = (settings[i] for i in range(3))

        def objective(z):
            made = ops.cast(game.decode(z), "float32")
            apart = ops.sum(ops.square(known * (made - x)), axis=axes)
            return apart + prior_weight / 2 * ops.sum(ops.square(z), axis=code_axes)

        value, gradient = values_and_input_gradient(objective, codes)
        if gradient is None:
            raise ValueError("the generator must have a gradient; got one without")
        penalty = prior_weight / 2 * ops.sum(ops.square(codes), axis=code_axes)
        pixels = ops.sum(ops.broadcast_to(known, ops.shape(x)), axis=axes)
        error = (value - penalty) / pixels
        better = value < best_objective
        column = ops.reshape(better, (ROWS, *(1 for _ in code_axes)))
        best = ops.where(column, codes, best)
        best_objective = ops.where(better, value, best_objective)
        best_error = ops.where(better, error, best_error)
        number = ops.cast(number, "float32")
        rate = rate / 2 * (1 + ops.cos(np.pi * ops.minimum(number / steps, 1.0)))
        mean = _BETA_1 * mean + (1 - _BETA_1) * gradient
        square = _BETA_2 * square + (1 - _BETA_2) * ops.square(gradient)
        centred = mean / (1 - ops.power(_BETA_1, number + 1))
        scale = ops.sqrt(square / (1 - ops.power(_BETA_2, number + 1)))
        codes = codes - rate * centred / (scale + _EPSILON)
        if game.prior in BOUNDED:
            codes = ops.clip(codes, -1.0, 1.0)
        return codes, mean, square, best, best_objective, best_error

    def advance(state, x, known, settings, first, count):
        def body(i, carried):
            state, objectives, errors = carried
            state = one(first + i, state, x, known, settings)
            objectives = ops.slice_update(objectives, (i, 0), state[4][None])
            errors = ops.slice_update(errors, (i, 0), state[5][None])
            return state, objectives, errors

        empty = ops.zeros((CHUNK, ROWS), "float32")
        return ops.fori_loop(0, count, body, (state, empty, empty))

    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return tf.function(advance, autograph=False)
    if keras.backend.backend() == "jax":
        import jax

        # Weights are arguments: arrays that JAX closes over are constants of the compiled function.
        def with_weights(weights, *arguments):
            with keras.StatelessScope(list(zip(game.variables, weights, strict=True))):
                return advance(*arguments)

        compiled = jax.jit(with_weights)
        return lambda *arguments: compiled([v.value for v in game.variables], *arguments)
    return advance  # whose gradient raises ValueError
