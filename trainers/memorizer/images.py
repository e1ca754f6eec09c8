"""Images without codes: the inputs of the discriminator of a GAN, and its controls."""

import functools

import numpy as np

from zoo import counterexample
from zoo import datasets
from zoo import memorizer
from zoo import metrics

# The streams to tell apart: (real stream, fake stream). "pair" is the question: real images that
# are not stored, others when a judge is fitted than when it is judged. The second are equal.
# In the third, real images are all training images, of which the stored ones are part. The last has
# the samples of a GAN that was trained.
CONTRASTS = {
    "pair": ("unstored", "generated"),
    "null": ("unstored", "unstored"),
    "stored images among the real": ("training", "generated"),
    "a trained GAN": ("unstored", "sampled"),
}

# Samples of the trained GAN to fit on, and as many to judge.
SAMPLES = 20_000

# Real images that a judge is fitted on, and as many that it is judged on, are at least so many.
LEAST = 100


class Images:
    """The streams around one `zoo.Memorizer`; judges see images (n, h, w, c) and codes (n, 0).

    Args:
        game: a `zoo.Memorizer` that remembers the images of `stored`.
        images: uint8 (n, h, w, c), the training images.
        stored: int (m,), which of them are stored.
        samples: () → (n, h, w, c) in [-1, 1] of a trained GAN, for the last of `CONTRASTS`.
        seed: seed of every draw.
    """

    def __init__(self, game, images, stored, samples, seed: int):
        self.game, self.images = game, images
        self.others = np.delete(images, stored, axis=0)
        self.samples = samples
        self.rng = np.random.default_rng(seed)

    def contrast(self, name: str, held_out: bool = False):
        """(real or not, n) → n images, to fit on or `held_out` to judge, and codes (n, 0)."""
        streams = CONTRASTS[name]

        def draw(real, n):
            x = getattr(self, streams[0] if real else streams[1])(n, held_out)
            return x, np.zeros((n, 0), np.float32)

        return draw

    def unstored(self, n: int, held_out: bool) -> np.ndarray:
        """Training images that are not stored, of one half of them or the other."""
        return self._scaled(self.others[int(held_out) :: 2], n)

    def training(self, n: int, held_out: bool) -> np.ndarray:
        """Training images, whether stored or not."""
        return self._scaled(self.images, n)

    def generated(self, n: int, held_out: bool) -> np.ndarray:
        """G(z): stored images."""
        z = self.rng.standard_normal((n, self.game.latent_dim)).astype(np.float32)
        return np.asarray(self.game.decode(z))

    def sampled(self, n: int, held_out: bool) -> np.ndarray:
        """Samples of the trained GAN."""
        half = self.samples()[int(held_out) :: 2]
        return half[self.rng.integers(len(half), size=n)]

    def _scaled(self, images, n):
        return datasets.scale(images[self.rng.integers(len(images), size=n)])


def around(data, latent_dim: int, gan=None):
    """(support, seed) → the `Images` of a memorizer that is built for them on `data`.

    `gan`: a trained game whose samples are a control, or None.
    """

    @functools.cache
    def samples():
        return metrics.in_batches(gan.decode, np.asarray(gan.prior_codes(2 * SAMPLES, seed=0)))

    def streams(support, seed):
        game = memorizer.build(data, support, latent_dim, seed)
        stored = counterexample.chosen(data, support, seed)
        return Images(game, data.train, stored, samples, seed)

    return streams


def check(data, support: int, latent_dim: int) -> None:
    """Raises ValueError if there is no such generator, or too few images would be left."""
    memorizer.check(data.shape, latent_dim, support)
    left = len(data.train) - support
    if left < 2 * LEAST:
        raise ValueError(
            f"support must leave {2 * LEAST} of the {len(data.train)} training images of "
            f"{data.name} to be told from those stored; got {support}"
        )
