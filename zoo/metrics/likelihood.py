"""The likelihood of a model that has a density: log probability of held-out examples."""

import keras
import numpy as np
from keras import ops

from zoo.losses import gaussian_draw
from zoo.losses import gaussian_log_density

# A call decodes IMAGES · DRAWS codes: few enough for any decoder's layers to fit into memory,
# enough for the call, and the encoding that it repeats, to cost little beside them.
IMAGES = 10
DRAWS = 200


def log_likelihood(game, x, k: int = 5000, seed: int = 0) -> np.ndarray:
    """Estimates log p(x) by importance sampling from the encoder.

    log (1/k) Σ_j p(x|z_j) p(z_j) / q(z_j|x), z_j ~ q(z|x) (Burda, Grosse and Salakhutdinov 2016,
    arXiv:1509.00519, section 2; they report k = 5000). In the mean it is a lower bound of log p(x)
    which rises with k and is exact in the limit; k = 1 is the ELBO. Memory does not grow with k.

    Args:
        game: a `zoo.VAE` with a code prior N(0, I), trained or not.
        x: (n, *image_shape) examples as the game's `likelihood` takes them: binary pixels -1 and 1
            for "bernoulli" (see `binarized`), any numbers for "gaussian".
        k: draws for each example.
        seed: fixes the draws.

    Returns:
        (n,) nats, float64: probabilities for "bernoulli", densities in units of x for "gaussian".
        Mean and standard error over examples are reported in papers.

    Raises:
        ValueError: the game has no density p(x|z), k is below 1, x is empty, or its pixels are not
            binary though they must be.
    """
    x = np.asarray(x, "float32")
    _check(game, x, k)
    whole, rest = divmod(k, DRAWS)
    samplers = [Sampler(game, DRAWS, [seed, 0])] * whole
    samplers += [Sampler(game, rest, [seed, 1])] * bool(rest)
    estimates = []
    for start in range(0, len(x), IMAGES):
        total = -np.inf
        for sampler in samplers:
            part = sampler.predict_on_batch(x[start : start + IMAGES])
            total = np.logaddexp(total, part.astype("float64"))
        estimates.append(total - np.log(k))
    return np.concatenate(estimates)


def binarized(x: np.ndarray, seed: int = 0) -> np.ndarray:
    """Binary images: pixel 1 with probability (x + 1) / 2, else -1. (n, ...) in [-1, 1] → same."""
    level = np.random.default_rng(seed).uniform(-1, 1, np.shape(x))
    return np.where(level < x, 1.0, -1.0).astype("float32")


class Sampler(keras.Model):
    """x (n, ...) → (n,) log of the sum of `draws` importance weights, compiled by `predict`.

    Args:
        game, draws: see `log_likelihood`.
        seed: list of whole numbers of 0 or more.
    """

    def __init__(self, game, draws, seed):
        super().__init__()
        self.game, self.draws = game, draws
        self.seed_generator = keras.random.SeedGenerator(
            int(np.random.SeedSequence(seed).generate_state(1)[0] >> 1)
        )
        # A graph, not XLA: on CPU it fuses the draws with later operations, which is slower.
        self.compile(jit_compile=False)

    def call(self, x):
        mean, log_var = (ops.repeat(part, self.draws, axis=0) for part in self.game.posterior(x))
        noise = keras.random.normal(ops.shape(mean), seed=self.seed_generator)
        z = gaussian_draw(mean, log_var, noise)
        weights = (
            self.game.log_density(ops.repeat(x, self.draws, axis=0), z)
            + gaussian_log_density(z, 0.0, 0.0)
            - gaussian_log_density(z, mean, log_var)
        )
        return ops.logsumexp(ops.reshape(weights, (-1, self.draws)), axis=1)


def _check(game, x, k):
    if not hasattr(game, "log_density"):
        raise ValueError(
            f"log_likelihood needs a game with a density p(x|z), such as VAE; "
            f"got {type(game).__name__}"
        )
    if k < 1 or not len(x):
        raise ValueError(f"examples and k must be 1 or more; got {len(x)} examples and k = {k}")
    if game.likelihood == "bernoulli" and not np.all(np.abs(x) == 1):
        raise ValueError(
            "a Bernoulli likelihood is one of binary pixels, -1 and 1; "
            "make some with zoo.metrics.likelihood.binarized"
        )
