"""Sets of networks. Each module draws the same kinds; a method says which it wants.

| set | what it is | shapes |
| --- | --- | --- |
| `dcgan` | strided convolutions (Radford et al. 2016) | square images, 8 to 64 px in steps of 4 |
| `mlp` | the permutation-invariant networks of the BiGAN authors | any |
| `mixture` | the fully connected networks of ALI's two-dimensional toy | points |
| `tanh` | the one-layer VAE of the IWAE paper, for likelihoods | images |

The code discriminator is the same in all of them (`zoo.networks.codes`).
"""

import importlib

import keras

from zoo.networks import codes
from zoo.priors import BOUNDED

BACKBONES = ("dcgan", "mlp", "mixture", "tanh")


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

    def generator(self, logits: bool = False):
        """z → x, or z → a with x = 2 sigmoid(a) - 1 where `logits`; points have no range."""
        return self._draw.generator(self._latent, self._shape, self._width, logits)

    def discriminator(self):
        """x → logit."""
        return self._draw.discriminator(self._shape, None, self._width)

    def feature_discriminator(self):
        """x → (logit, features): the raw output of the layer called "similarity".

        That is the last convolution, or the last linear layer before the head where there are
        none, ahead of batch norm and nonlinearity.
        """
        judge = self.discriminator()
        outputs = [judge.output, judge.get_layer("similarity").output]
        return keras.Model(judge.input, outputs, name="discriminator")

    def code_discriminator(self):
        """z → logit."""
        return codes.discriminator(self._latent, self._width)

    def joint_discriminator(self):
        """(x, z) → logit."""
        return self._draw.discriminator(self._shape, self._latent, self._width)
