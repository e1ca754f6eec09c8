"""Sets of networks. Each module draws the same kinds; a method says which it wants.

| set | what it is | shapes |
| --- | --- | --- |
| `dcgan` | strided convolutions (Radford et al. 2016) | square images, 8 to 128 px in steps of 4 |
| `dcgan_joint` | the same, but D joins the code at every depth | the same |
| `residual` | residual blocks, spectral norm in D (Miyato et al. 2018) | the same from 28 px |
| `mlp` | the permutation-invariant networks of the BiGAN authors | any |
| `mixture` | the fully connected networks of ALI's two-dimensional toy | points |
| `tanh` | the one-layer VAE of the IWAE paper, for likelihoods | images |

The code discriminator is the same in all of them (`zoo.networks.codes`).
"""

import importlib

import keras

from zoo.networks import codes
from zoo.priors import BOUNDED

BACKBONES = ("dcgan", "dcgan_joint", "residual", "mlp", "mixture", "tanh")

# Those that have a discriminator of (x, z) with three scores.
SCORING = ("dcgan", "dcgan_joint", "residual")


class Backbone:
    """The builders of one set of networks, with the sizes of one game filled in."""

    def __init__(self, game):
        self._draw = importlib.import_module(f"zoo.networks.{game.network}")
        self._draw.check(game.image_shape)
        self._shape, self._latent = game.image_shape, game.latent_dim
        self._width, self._bounded = game.width, game.prior in BOUNDED

    def encoder(self, stochastic: bool = False, noise: int = 0):
        """x → code, or x → (mean, log variance). Its last hidden layer is called "features".

        `noise`: if above 0, the encoder is (x, noise) → code with so many numbers of noise.

        Raises:
            ValueError: this set of networks has no encoder that takes noise.
        """
        arguments = {"noise": noise} if noise else {}
        if noise and self._draw.__name__ != "zoo.networks.mixture":
            name = self._draw.__name__.rpartition(".")[2]
            raise ValueError(f"noise for the encoder must be 0 for network {name!r}; got {noise}")
        sizes = self._shape, self._latent, self._width, self._bounded
        return self._draw.encoder(*sizes, stochastic, **arguments)

    def generator(self, logits: bool = False):
        """z → x, or z → a with x = 2 sigmoid(a) - 1 where `logits`; points have no range."""
        return self._draw.generator(self._latent, self._shape, self._width, logits)

    def discriminator(self):
        """x → logit."""
        return self._draw.discriminator(self._shape, None, self._width)

    def feature_discriminator(self):
        """x → (logit, features): the raw output of the layer called "similarity".

        That is the last convolution (of `residual`, the sum in its last block), or the last linear
        layer before the head where there are none, ahead of batch norm and nonlinearity.
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

    def joint_scores_discriminator(self):
        """(x, z) → [s_xz, s_x, s_z]: three logits, of the pair, of x alone and of z alone.

        The discriminator of BigBiGAN (Donahue and Simonyan 2019, arXiv:1907.02544) is F(x), H(z)
        and J(F(x), H(z)) with a linear head on each; the heads are layers called "score_xz",
        "score_x" and "score_z".

        Raises:
            ValueError: this set of networks has none.
        """
        if not hasattr(self._draw, "joint_scores"):
            name = self._draw.__name__.rpartition(".")[2]
            raise ValueError(
                f"network {name!r} has no discriminator with three scores; take one of "
                f"{', '.join(SCORING)}"
            )
        return self._draw.joint_scores(self._shape, self._latent, self._width)
