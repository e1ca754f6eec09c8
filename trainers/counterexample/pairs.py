"""Endless fresh pairs (x, z): the inputs of a discriminator, and its controls."""

import numpy as np

from zoo import counterexample
from zoo import datasets

# The streams to tell apart: (real stream, fake stream). Only the first is the question. The streams
# of the second are equal; those of the last two must be told apart at once, or the judges fail.
CONTRASTS = {
    "pair": ("encoded", "generated"),
    "null": ("encoded", "encoded"),
    "no overwrite": ("encoded", "memory_only"),
    "random encoder": ("randomly_encoded", "generated"),
}


class Pairs:
    """The streams around one `zoo.Counterexample`.

    Clean images follow the uniform law on `images`; nothing else is finite.

    Args:
        game: a `zoo.Counterexample` that remembers its images.
        images: uint8 (n, h, w, c).
        seed: of every draw.
    """

    def __init__(self, game, images, seed: int):
        self.game, self.images = game, images
        self.rng = np.random.default_rng(seed)
        sample, _ = self.encoded(4096)
        flat = sample.reshape(len(sample), -1)
        mixing = self.rng.standard_normal((flat.shape[1], game.latent_dim)).astype(np.float32)
        self.mean, self.mixing = flat.mean(axis=0), mixing / (flat @ mixing).std(axis=0)

    def contrast(self, name: str, held_out: bool = False):
        """(real or not, n) → n fresh pairs, x (n, h, w, c) and z (n, latent_dim).

        `held_out` changes nothing: pairs to fit on and to judge have one law, and never repeat.
        """
        real, fake = CONTRASTS[name]
        return lambda is_real, n: getattr(self, real if is_real else fake)(n)

    def encoded(self, n: int) -> tuple:
        """(x, E(x)) of noised data. E reads the noise back bit for bit, so it is not run here."""
        clean = datasets.scale(self.images[self.rng.integers(len(self.images), size=n)])
        noise = self._noise(n)
        return self.game.noised.overwrite(clean, noise), noise

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

    def _noise(self, n):
        return self.rng.standard_normal((n, self.game.latent_dim)).astype(np.float32)


def around(data, latent_dim: int):
    """(support, seed) → the `Pairs` of a counterexample that is built for them on `data`."""

    def streams(support, seed):
        game = counterexample.build(data, support, latent_dim, seed)
        return Pairs(game, data.train, seed)

    return streams
