"""GAN: a generator against a discriminator, without an encoder."""

import keras

from zoo.game import Game
from zoo.losses import accepted
from zoo.losses import rejected


class GAN(Game):
    """Generative adversarial nets (Goodfellow et al. 2014, arXiv:1406.2661), as DCGAN.

    DCGAN is Radford, Metz and Chintala, ICLR 2016, arXiv:1511.06434.

    V(D, G) = E_x log D(x) + E_z log(1 − D(G(z))), which D maximises; its loss is -V, in nats, both
    halves summed. Against a fixed G the best D is p(x) / (p(x) + p_G(x)), and V is then
    −2 log 2 + 2 JSD(p, p_G): where G is perfect D = ½ everywhere, D's loss is 2 log 2 ≈ 1.386 and
    G's is log 2.

    Networks: generator z → x, discriminator x → logit. There is no encoder.
    Players: discriminator; generator. They move together, from one forward pass.

    Deviations: G minimises the non-saturating −E_z log D(G(z)), as both papers do in practice. The
    prior is N(0, I), which methods with an encoder need, not uniform; prior="uniform" gives theirs.
    For what else differs from DCGAN see `zoo.networks.dcgan`.
    """

    players = {"discriminator": ("discriminator",), "generator": ("generator",)}
    schedule = (("discriminator", "generator"),)
    scores = {"score_x": ("discriminator", "x")}

    def build_networks(self, draw):
        self.generator = draw.generator()
        self.discriminator = draw.discriminator()

    def default_optimizer(self, player):
        rate, beta = (1e-4, 0.8) if self.network == "mixture" else (2e-4, 0.5)
        return keras.optimizers.Adam(rate, beta_1=beta, epsilon=1e-8, name=player)

    def play(self, x, z):
        real = self.discriminator(x)
        fake = self.discriminator(self.generator(z))
        return {
            "discriminator": accepted(real) + rejected(fake),
            "generator": accepted(fake),
        }
