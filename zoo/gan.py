"""GAN: a generator against a discriminator, without an encoder."""

from zoo.game import Game
from zoo.losses import accepted
from zoo.losses import rejected
from zoo.training.optimizers import adam


class GAN(Game):
    """Generative adversarial nets (Goodfellow et al. 2014, arXiv:1406.2661), as DCGAN.

    DCGAN is Radford, Metz and Chintala, ICLR 2016, arXiv:1511.06434.

    V(D, G) = E_x log D(x) + E_z log(1 − D(G(z))), which D maximises; its loss is -V, in nats, both
    halves summed. Against a fixed G the best D is p(x) / (p(x) + p_G(x)), and V is then
    −2 log 2 + 2 JSD(p, p_G): if G is perfect, D = ½ everywhere, D's loss is 2 log 2 ≈ 1.386 and
    G's is log 2.

    Networks: generator z → x, discriminator x → logit. There is no encoder.
    Players: discriminator; generator. They move together, from one forward pass.

    Deviations: G minimises the non-saturating −E_z log D(G(z)), as both papers do in practice. The
    prior is N(0, I), which methods with an encoder need, not uniform; prior="uniform" gives theirs.
    For other differences from DCGAN see `zoo.networks.dcgan`.
    """

    schedule = (("discriminator", "generator"),)
    scores = {"score_x": ("discriminator", "x")}

    def build_networks(self, draw):
        self.generator = draw.generator()
        self.discriminator = draw.discriminator()

    @classmethod
    def default_optimizer(cls, player, network):
        # As in DCGAN; on points as in the toy of ALI's authors.
        return adam(1e-4, beta_1=0.8) if network == "mixture" else adam(2e-4)

    def play(self, x, z):
        real = self.discriminator(x)
        fake = self.discriminator(self.generator(z))
        return {
            "discriminator": accepted(real) + rejected(fake),
            "generator": accepted(fake),
        }
