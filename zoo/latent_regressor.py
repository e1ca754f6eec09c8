"""Latent regressor: a GAN, and an encoder that learns to undo its generator."""

import math

from zoo.game import Game
from zoo.losses import accepted
from zoo.losses import rejected
from zoo.losses import squared_error
from zoo.training.declarations import not_negative


class LatentRegressor(Game):
    """The baselines LR and JLR of Donahue, Krähenbühl and Darrell, ICLR 2017, arXiv:1605.09782.

    The GAN of `zoo.gan`, and E_z |z − E(G(z))|² / latent_dim, which E minimises while G learns.
    E never sees a real image: it can be perfect, loss 0, and return arbitrary codes for images that
    G cannot make. BiGAN is compared with it. If `joint` is above 0, G minimises that
    share of E's loss too (JLR; the authors take 0.25, and 1 lets the game degenerate).

    At the optimum D = ½, its loss is 2 log 2 ≈ 1.386 nats and the adversarial part of G's log 2.

    Networks: encoder x → z, generator z → x, discriminator x → logit.
    Players: discriminator; generator; encoder. They move together, from one forward pass.

    Deviations: the authors' codes are uniform and compared by cross-entropy; ours are N(0, I) by
    default and compared by squared error, which suits both.

    Args:
        joint: weight of the encoder's loss in the generator's; 0 is LR, above 0 JLR.
    """

    schedule = (("discriminator", "generator", "encoder"),)
    scores = {"score_x": ("discriminator", "x")}

    def __init__(self, image_shape, joint: float = 0.0, **game):
        self.joint = not_negative("joint", joint)
        super().__init__(image_shape, **game)

    def build_networks(self, draw):
        self.encoder = draw.encoder()
        self.generator = draw.generator()
        self.discriminator = draw.discriminator()

    def play(self, x, z):
        image = self.generator(z)
        real, fake = self.discriminator(x), self.discriminator(image)
        error = squared_error(z, self.encoder(image)) / math.prod(self.code_shape)
        return {
            "discriminator": accepted(real) + rejected(fake),
            "generator": accepted(fake) + self.joint * error,
            "encoder": error,
        }
