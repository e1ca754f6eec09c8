"""ALI: BiGAN's game between joint laws, with an encoder that draws its codes."""

from keras import ops

from zoo.game import Game
from zoo.losses import accepted
from zoo.losses import gaussian_draw
from zoo.losses import rejected
from zoo.training.optimizers import adam


class ALI(Game):
    """Adversarially learned inference (Dumoulin et al., ICLR 2017, arXiv:1606.00704).

    V(D, E, G) = E_{x, q(z|x)} log D(x, z) + E_{z} log(1 − D(G(z), z)), which D maximises and E and
    G minimise together. The halves are summed: at zero logits, and at the optimum where D = ½
    everywhere and the two joint laws are equal, each player's loss is 2 log 2 ≈ 1.386 nats.

    q(z|x) = N(mean(x), diag exp(log_var(x))), drawn as mean + exp(log_var / 2) · noise, so that E
    is moved through the draw. `encode` returns the mean.

    Networks: encoder x → (mean, log variance), generator z → x, discriminator (x, z) → logit.
    Players: discriminator; encoder_generator. They move together, from one forward pass.

    Deviations: the decoder is deterministic, as in the released experiments; the theory allows a
    random one. E and G minimise the non-saturating loss (labels swapped), as the paper does. Pairs
    pass D in two calls, the authors' in one concatenated batch, which only batch norm can tell. On
    points the encoder is Gaussian; the authors' takes two numbers of noise as an input. The
    generator's output bias starts at 0, theirs from the marginals of the pixels. The networks for
    images are ours; "mixture" is the authors' toy.
    """

    players = {
        "discriminator": ("discriminator",),
        "encoder_generator": ("encoder", "generator"),
    }
    schedule = (("discriminator", "encoder_generator"),)
    scores = {"score_xz": ("discriminator", "xz")}

    def build_networks(self, draw):
        self.encoder = draw.encoder(stochastic=True)
        self.generator = draw.generator()
        self.discriminator = draw.joint_discriminator()

    @classmethod
    def default_optimizer(cls, player, network):
        # As in the authors' code: beta_1 is another for their toy of points.
        return adam(1e-4, beta_1=0.8 if network == "mixture" else 0.5)

    def play(self, x, z):
        mean, log_var = self.encoder(x)
        code = gaussian_draw(mean, log_var, self.normal_noise(ops.shape(x)[0]))
        encoded = self.discriminator([x, code])
        generated = self.discriminator([self.generator(z), z])
        return {
            "discriminator": accepted(encoded) + rejected(generated),
            "encoder_generator": rejected(encoded) + accepted(generated),
        }
