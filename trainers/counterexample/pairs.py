"""Endless fresh pairs (x, z): the inputs of a discriminator, and its controls."""

import numpy as np

from zoo import counterexample
from zoo import datasets

# The streams to tell apart: (real stream, fake stream). Only the first two are the question; in the
# second, no stored image is among the real ones, and judges see others when they are fitted than
# when they are judged: the finite samples of the corollary. The streams of the third are equal;
# those of the last two must be told apart at once, or the judges fail.
HELD_OUT = "clean images held out"
CONTRASTS = {
    "pair": ("encoded", "generated"),
    HELD_OUT: ("encoded", "generated"),
    "null": ("encoded", "encoded"),
    "no overwrite": ("encoded", "memory_only"),
    "random encoder": ("randomly_encoded", "generated"),
}

# The contrast `HELD_OUT` is left out if fewer images than twice this are not stored.
LEAST = 100


class Pairs:
    """The streams around one `zoo.Counterexample`.

    Clean images follow the uniform law on `images`; nothing else is finite.

    Args:
        game: a `zoo.Counterexample` that remembers its images.
        images: uint8 (n, h, w, c).
        seed: of every draw.
        stored: int (m,), which of `images` the game remembers, for the contrast `HELD_OUT`.
    """

    def __init__(self, game, images, seed: int, stored=()):
        self.game, self.images = game, images
        others = np.setdiff1d(np.arange(len(images)), stored)
        self.halves = others[::2], others[1::2]
        self.rng = np.random.default_rng(seed)
        sample, _ = self.encoded(4096)
        flat = sample.reshape(len(sample), -1)
        mixing = self.rng.standard_normal((flat.shape[1], game.latent_dim)).astype(np.float32)
        self.mean, self.mixing = flat.mean(axis=0), mixing / (flat @ mixing).std(axis=0)

    def contrast(self, name: str, held_out: bool = False):
        """(real or not, n) → n fresh pairs, x (n, h, w, c) and z (n, latent_dim).

        Pairs to fit on and to judge have one law, and never repeat. For `HELD_OUT` alone, those to
        fit on show one half of the images that are not stored, and those `held_out` the other.
        """
        real, fake = CONTRASTS[name]
        if name == HELD_OUT:
            rows = self.halves[int(held_out)]
            return lambda is_real, n: self._noised(rows, n) if is_real else self.generated(n)
        return lambda is_real, n: getattr(self, real if is_real else fake)(n)

    def encoded(self, n: int) -> tuple:
        """(x, E(x)) of noised data. E reads the noise back bit for bit, so it is not run here."""
        return self._noised(np.arange(len(self.images)), n)

    def generated(self, n: int) -> tuple:
        """(G(z), z)."""
        z = self._noise(n)
        return np.asarray(self.game.decode(z)), z

    def memory_only(self, n: int) -> tuple:
        """(the stored image of the block of z, z): G without its overwrite."""
        z = self._noise(n)
        memory = self.game.generator.get_layer("memory")
        return np.asarray(memory(z)), z

    def randomly_encoded(self, n: int) -> tuple:
        """(x, A x), A a random linear map, centred and scaled to variance 1."""
        x, _ = self.encoded(n)
        return x, (x.reshape(n, -1) - self.mean) @ self.mixing

    def _noised(self, rows, n):
        clean = datasets.scale(self.images[rows[self.rng.integers(len(rows), size=n)]])
        noise = self._noise(n)
        return self.game.noised.overwrite(clean, noise), noise

    def _noise(self, n):
        return self.rng.standard_normal((n, self.game.latent_dim)).astype(np.float32)


def around(data, latent_dim: int):
    """(support, seed) → the `Pairs` of a counterexample that is built for them on `data`."""

    def streams(support, seed):
        game = counterexample.build(data, support, latent_dim, seed)
        return Pairs(game, data.train, seed, counterexample.chosen(data, support, seed))

    return streams
