"""AAE: an autoencoder whose codes are made to follow the prior by a discriminator of codes."""

import functools

import keras
from keras import ops

from zoo.game import Game
from zoo.losses import accepted
from zoo.losses import gaussian_draw
from zoo.losses import rejected
from zoo.losses import squared_error
from zoo.training.optimizers import adam


class AAE(Game):
    """Adversarial autoencoders (Makhzani et al. 2015, arXiv:1511.05644).

    Reconstruction: E and G minimise E_x |x − G(E(x))|². Regularisation: E against a discriminator
    C of codes, V(C, E) = E_z log C(z) + E_x log(1 − C(E(x))); draws from the prior are the real
    ones. At the optimum C = ½: the codes of all examples together follow the prior, the loss of
    the discriminator is 2 log 2 ≈ 1.386 nats and that of the encoder log 2.

    The squared error is summed over pixels and averaged over the batch. Half of it is, but for a
    constant, −log p(x|z) in nats of a decoder with unit variance. No weight balances it against
    the encoder's game: the encoder has an optimizer for each, and Adam does not depend on their
    scale.

    Networks: encoder x → z, generator z → x, code_discriminator z → logit without batch norm.
    Players: autoencoder (E and G); discriminator (C); encoder (E again).
    Schedule: they move one after the other, each from its own forward pass; batch norm of the
    generator sees that of the autoencoder alone.

    Deviations: the encoder minimises the non-saturating −E_x log C(E(x)). Labels in the
    regulariser, which would tie classes to the petals of prior="mixture", and the paper's
    semi-supervised and clustering variants are left out. The networks are ours.

    Args:
        stochastic: whether the encoder draws codes from a Gaussian, whose mean `encode` returns;
            otherwise a code is a function of its image.
    """

    players = {
        "autoencoder": ("encoder", "generator"),
        "discriminator": ("code_discriminator",),
        "encoder": ("encoder",),
    }
    schedule = (("autoencoder",), ("discriminator",), ("encoder",))
    scores = {"score_z": ("code_discriminator", "z")}

    def __init__(self, image_shape, stochastic: bool = False, **game):
        self.stochastic = stochastic
        super().__init__(image_shape, **game)

    def build_networks(self, draw):
        self.encoder = draw.encoder(stochastic=self.stochastic)
        self.generator = draw.generator()
        self.code_discriminator = draw.code_discriminator()

    @classmethod
    def default_optimizer(cls, player, network):
        # Ours.
        if player == "autoencoder":
            return functools.partial(keras.optimizers.Adam, learning_rate=1e-3)
        return adam(2e-4)

    def play(self, x, z):
        code = self.encoder(x)
        if self.stochastic:
            code = gaussian_draw(*code, self.normal_noise(ops.shape(x)[0]))
        prior, posterior = self.code_discriminator(z), self.code_discriminator(code)
        return {
            "autoencoder": lambda: squared_error(x, self.generator(code)),
            "discriminator": accepted(prior) + rejected(posterior),
            "encoder": accepted(posterior),
        }
