"""α-GAN: an autoencoder with a discriminator of images and one of codes."""

from zoo.game import Game
from zoo.losses import absolute_error
from zoo.losses import accepted
from zoo.losses import rejected
from zoo.training.declarations import not_negative
from zoo.training.optimizers import adam


class AlphaGAN(Game):
    """Variational approaches for auto-encoding GANs (Rosca et al. 2017, arXiv:1706.04987).

    The two intractable terms of the variational bound become density ratios, estimated by a
    discriminator D of images and C of codes. With x' = G(E(x)), z ~ p(z) and λ the weight below:

    - E minimises λ |x − x'| − log C(E(x));
    - G minimises λ |x − x'| − log D(x') − log D(G(z));
    - D minimises −log D(x) − log(1 − D(x')) − log(1 − D(G(z))): reconstructions are fakes too;
    - C minimises −log C(z) − log(1 − C(E(x))): draws from the prior are the real ones.

    At zero logits the adversarial parts are log 2, 2 log 2, 3 log 2 and 2 log 2 nats, in this
    order. With two kinds of fakes for one of real images, that is not D's optimum: if all three
    laws are equal D = ⅓ and its loss is 3 log 3 − 2 log 2 ≈ 1.910. C's optimum is C = ½.

    Networks: encoder x → z (deterministic), generator z → x, discriminator x → logit,
    code_discriminator z → logit without batch norm.
    Players: encoder; generator; discriminator; code_discriminator. Schedule: E and G move together,
    twice, then D and C together, once: the order of the paper's algorithm, with the two steps to
    one of the example of the public re-implementation (victor-shepardson/alpha-GAN), which begins
    with D and C.

    Deviations: the paper's E and G minimise the ratio −log C + log(1 − C) = −logit, which has no
    lower bound; like the re-implementation we keep the first, non-saturating half. The first
    version of the paper swaps prior and posterior in C's loss, which its authors confirmed to be
    an error; above is the corrected one. The score of x' does not move E, as in the paper's
    algorithm; in the re-implementation it does, and its two kinds of fakes are averaged, not
    summed. The networks are ours.

    Args:
        reconstruction_weight: λ. |x − x'| is the mean over pixels in [-1, 1], at most 2, so λ means
            the same at every image size; the re-implementation's example has 10.
    """

    schedule = (("encoder", "generator"),) * 2 + (("discriminator", "code_discriminator"),)
    scores = {"score_x": ("discriminator", "x"), "score_z": ("code_discriminator", "z")}

    def __init__(self, image_shape, reconstruction_weight: float = 10.0, **game):
        self.reconstruction_weight = not_negative("reconstruction_weight", reconstruction_weight)
        super().__init__(image_shape, **game)

    def build_networks(self, draw):
        self.encoder = draw.encoder()
        self.generator = draw.generator()
        self.discriminator = draw.discriminator()
        self.code_discriminator = draw.code_discriminator()

    @classmethod
    def default_optimizer(cls, player, network):
        # Defaults of victor-shepardson/alpha-GAN.
        return adam(2e-4, beta_2=0.9)

    def play(self, x, z):
        code = self.encoder(x)
        reconstruction = self.generator(code)
        real, sampled = self.discriminator(x), self.discriminator(self.generator(z))
        reconstructed = self.discriminator(reconstruction)
        prior, posterior = self.code_discriminator(z), self.code_discriminator(code)
        distance = self.reconstruction_weight * absolute_error(x, reconstruction)
        return {
            "encoder": distance + accepted(posterior),
            "generator": distance + accepted(reconstructed) + accepted(sampled),
            "discriminator": accepted(real) + rejected(reconstructed) + rejected(sampled),
            "code_discriminator": accepted(prior) + rejected(posterior),
        }
