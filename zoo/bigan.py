"""BiGAN: an encoder and a generator play together against a joint discriminator."""

from functools import partial

from zoo.game import Game
from zoo.losses import accepted
from zoo.losses import rejected
from zoo.networks import CONVOLUTIONAL
from zoo.priors import with_noise
from zoo.training.declarations import not_negative
from zoo.training.optimizers import adam


class BiGAN(Game):
    """Adversarial feature learning (Donahue, Krähenbühl and Darrell, ICLR 2017, arXiv:1605.09782).

    V(D, E, G) = E_x log D(x, E(x)) + E_z log(1 − D(G(z), z)), which D maximises and E and G
    minimise together. Both halves are averaged, as the authors' code does: at zero logits, and
    at the optimum where D = ½ everywhere, each player's loss is log 2 ≈ 0.693. There the two
    joint laws are equal, and deterministic E and G invert each other on the supports.

    Networks: encoder x → z, generator z → x, discriminator (x, z) → logit.
    Players: discriminator; encoder_generator. They move together, from one forward pass.

    Deviations: E and G minimise the non-saturating loss (labels swapped), as the authors' code
    does and its value function does not say. The prior is N(0, I) by default, the authors' is
    prior="uniform". Their MNIST networks are network="mlp". The convolutional ones are ours, and
    there D learns faster than E and G; in the others at one rate. `instance_noise` is ours too.

    Args:
        instance_noise: standard deviation, in pixels, of the normal noise that is added to the
            images D sees in training, real and generated (Sønderby et al. 2016, arXiv:1610.04490;
            Arjovsky and Bottou 2017, arXiv:1701.04862). Without it D wins in the end by details of
            G(z), and no longer needs the code; with it D may learn at four times the rate.
    """

    players = {
        "discriminator": ("discriminator",),
        "encoder_generator": ("encoder", "generator"),
    }
    schedule = (("discriminator", "encoder_generator"),)
    scores = {"score_xz": ("discriminator", "xz")}

    def __init__(self, image_shape, instance_noise: float = 0.0, **game):
        self.instance_noise = not_negative("instance_noise", instance_noise)
        super().__init__(image_shape, **game)

    def build_networks(self, draw):
        self.encoder = draw.encoder()
        self.generator = draw.generator()
        self.discriminator = draw.joint_discriminator()

    @classmethod
    def default_optimizer(cls, player, network):
        # Two time scales (Heusel et al. 2017, arXiv:1706.08500). At one rate D lags: its loss is
        # near log 2 while anyone can tell its two kinds of pairs apart.
        fast = player == "discriminator" and network in CONVOLUTIONAL
        return adam(4e-4 if fast else 2e-4)

    def play(self, x, z):
        noisy = partial(with_noise, std=self.instance_noise, seed=self.seed_generator)
        encoded = self.discriminator([noisy(x), self.encoder(x)])
        generated = self.discriminator([noisy(self.generator(z)), z])
        return {
            "discriminator": (accepted(encoded) + rejected(generated)) / 2,
            "encoder_generator": (rejected(encoded) + accepted(generated)) / 2,
        }
