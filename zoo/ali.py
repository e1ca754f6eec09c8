"""ALI: BiGAN's game between joint laws, with an encoder that draws its codes."""

from functools import partial

from keras import ops

from zoo.game import Game
from zoo.losses import accepted
from zoo.losses import gaussian_draw
from zoo.losses import rejected
from zoo.networks import CONVOLUTIONAL
from zoo.priors import draw as drawn
from zoo.priors import normal
from zoo.priors import with_noise
from zoo.training.declarations import not_negative
from zoo.training.optimizers import adam


class ALI(Game):
    """Adversarially learned inference (Dumoulin et al., ICLR 2017, arXiv:1606.00704).

    V(D, E, G) = E_{x, q(z|x)} log D(x, z) + E_{z} log(1 − D(G(z), z)), which D maximises and E and
    G minimise together. The halves are summed: at zero logits, and at the optimum where D = ½
    everywhere and the two joint laws are equal, each player's loss is 2 log 2 ≈ 1.386 nats.

    q(z|x) = N(mean(x), diag exp(log_var(x))), drawn as mean + exp(log_var / 2) · noise, so that E
    is moved through the draw. `encode` returns the mean.

    With `noise_inputs` the encoder is (x, e) → z instead, with e ~ N(0, I), so that q(z|x) may have
    any shape; `encode` returns the code of e = 0. This is the encoder of the authors' toy of
    points, and there it matters: a Gaussian cannot fill the share of the prior that belongs to a
    narrow mode, so that D can tell the pairs apart.

    Networks: encoder x → (mean, log variance) or (x, e) → code, generator z → x, discriminator
    (x, z) → logit.
    Players: discriminator; encoder_generator. They move together, from one forward pass.

    Deviations: the decoder is deterministic, as in the released experiments; the theory allows a
    random one. E and G minimise the non-saturating loss (labels swapped), as the paper does. Pairs
    pass D in two calls, the authors' in one concatenated batch, which only batch norm can tell. The
    generator's output bias starts at 0, theirs from the marginals of the pixels. The networks for
    images are ours, and there D learns faster than E and G; "mixture" is the authors' toy, at ten
    times their rate.

    Args:
        instance_noise: standard deviation, in pixels, of the normal noise on the images D sees in
            training, as in `zoo.bigan.BiGAN`; ours. The authors' D has dropout.
        noise_inputs: numbers of noise that the encoder takes as an input, 2 in the authors' toy;
            0: q(z|x) is Gaussian. Only network "mixture" takes noise.
    """

    players = {
        "discriminator": ("discriminator",),
        "encoder_generator": ("encoder", "generator"),
    }
    schedule = (("discriminator", "encoder_generator"),)
    scores = {"score_xz": ("discriminator", "xz")}

    def __init__(self, image_shape, noise_inputs: int = 0, instance_noise: float = 0.0, **game):
        self.instance_noise = not_negative("instance_noise", instance_noise)
        self.noise_inputs = not_negative("noise_inputs", noise_inputs)
        super().__init__(image_shape, **game)

    def build_networks(self, draw):
        self.encoder = draw.encoder(stochastic=not self.noise_inputs, noise=self.noise_inputs)
        self.generator = draw.generator()
        self.discriminator = draw.joint_discriminator()

    @classmethod
    def default_optimizer(cls, player, network):
        # The authors' rate is 1e-4, with beta_1 0.8 on points and 0.5 on images.
        if network == "mixture":
            return adam(1e-3, beta_1=0.8)
        if network not in CONVOLUTIONAL:
            return adam(1e-4)
        # As in `zoo.bigan`: at one rate D lags behind E and G.
        return adam(4e-4 if player == "discriminator" else 2e-4)

    def play(self, x, z):
        code = self._drawn(x)
        noisy = partial(with_noise, std=self.instance_noise, seed=self.seed_generator)
        encoded = self.discriminator([noisy(x), code])
        generated = self.discriminator([noisy(self.generator(z)), z])
        return {
            "discriminator": accepted(encoded) + rejected(generated),
            "encoder_generator": rejected(encoded) + accepted(generated),
        }

    def encoder_inputs(self, x):
        if not self.noise_inputs:
            return x
        # Keras takes tensors or arrays as inputs of a network, not both.
        x = ops.convert_to_tensor(x)
        return [x, ops.zeros((ops.shape(x)[0], self.noise_inputs), x.dtype)]

    def _drawn(self, x):
        """Codes drawn from q(z|x). (n, ...) → (n, *code_shape)."""
        n = ops.shape(x)[0]
        if self.noise_inputs:
            return self.encoder([x, drawn(normal, n, (self.noise_inputs,), self.seed_generator)])
        return gaussian_draw(*self.encoder(x), self.normal_noise(n))
