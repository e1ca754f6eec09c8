"""Sets of networks. Each module draws the same five kinds; a method says which it wants.

| set | what it is | shapes |
| --- | --- | --- |
| `dcgan` | strided convolutions (Radford et al. 2016) | square images, 8 to 64 px in steps of 4 |
| `mlp` | the permutation-invariant networks of the BiGAN authors | any |
| `mixture` | the fully connected networks of ALI's two-dimensional toy | points |
"""

import importlib

from zoo.priors import BOUNDED

BACKBONES = ("dcgan", "mlp", "mixture")


class Backbone:
    """The builders of one set of networks, with the sizes of one game filled in."""

    def __init__(self, game):
        self._draw = importlib.import_module(f"zoo.networks.{game.network}")
        self._draw.check(game.image_shape)
        self._shape, self._latent = game.image_shape, game.latent_dim
        self._width, self._bounded = game.width, game.prior in BOUNDED

    def encoder(self, stochastic: bool = False):
        """x → code, or x → (mean, log variance). Its last hidden layer is called "features"."""
        return self._draw.encoder(self._shape, self._latent, self._width, self._bounded, stochastic)

    def generator(self):
        """z → x."""
        return self._draw.generator(self._latent, self._shape, self._width)

    def discriminator(self):
        """x → logit."""
        return self._draw.discriminator(self._shape, None, self._width)

    def joint_discriminator(self):
        """(x, z) → logit."""
        return self._draw.discriminator(self._shape, self._latent, self._width)
