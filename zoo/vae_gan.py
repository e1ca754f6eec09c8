"""VAE/GAN: an autoencoder whose errors are measured by the features of a discriminator."""

import functools

import keras
from keras import ops

from zoo.game import Game
from zoo.losses import accepted
from zoo.losses import gaussian_draw
from zoo.losses import gaussian_kl
from zoo.losses import rejected
from zoo.losses import squared_error
from zoo.training.declarations import checked


class VAEGAN(Game):
    """Autoencoding beyond pixels using a learned similarity metric (Larsen et al., ICML 2016).

    arXiv:1512.09300. With f(x) the output of a layer of D, z' ~ q(z|x) and z ~ N(0, I):

    - L_prior = KL(q(z|x) ‖ N(0, I)), in nats, summed over the code;
    - L_feature = |f(x) − f(G(z'))|² / (2 · variance), summed over features: −log density, but for
      a constant, of a Gaussian around f(G(z')), in nats; both are averaged over the batch;
    - L_GAN = −log D(x) − log(1 − D(G(z))).

    E minimises L_prior + L_feature, G gamma · L_feature − log D(G(z)), D only L_GAN. A loss is
    differentiated with respect to its own player's networks, so no adversarial term reaches E and
    no feature term reaches D. If D cannot tell, L_GAN is 2 log 2 ≈ 1.386.

    Networks: encoder x → (mean, log variance), generator z → x, discriminator x → (logit, f(x)).
    f is the raw output of the last convolution, before its batch norm, as in the authors' runs on
    faces; in a network without convolutions, of the last linear layer before the head.
    Players: encoder; generator; discriminator. They move together, from one forward pass.

    Deviations: the variance of features is 1 in the paper. Here weights start at N(0, 0.02²), which
    makes raw features so small that at variance 1 the KL term outweighs them and codes forget
    their images. G's adversarial term is non-saturating, and gamma stands before L_feature alone;
    the authors' code weighs a saturating term by 1 − gamma. Only draws from the prior count as
    fake, as in their last runs on faces; the paper's L_GAN counts reconstructions too. Their code
    skips the updates of D or G while one is far ahead; here every player moves at every step.

    Args:
        gamma: weight of L_feature in G's loss. It goes with the reductions above and with the
            number of features; the default is ours, not the paper's.
        variance: variance of the Gaussian around f(G(z')), in squared units of the features; ours,
            too.
    """

    schedule = (("encoder", "generator", "discriminator"),)
    scores = {"score_x": ("discriminator", "x")}

    def __init__(self, image_shape, gamma: float = 0.01, variance: float = 1e-3, **game):
        self.gamma = checked("gamma", gamma, gamma > 0, "above 0")
        self.variance = checked("variance", variance, variance > 0, "above 0")
        super().__init__(image_shape, **game)
        checked("prior", self.prior, self.prior == "normal", "'normal', for its KL divergence")

    def build_networks(self, draw):
        self.encoder = draw.encoder(stochastic=True)
        self.generator = draw.generator()
        self.discriminator = draw.feature_discriminator()

    @classmethod
    def default_optimizer(cls, player, network):
        # As in the authors' code, where the rate falls during training and weights decay.
        return functools.partial(keras.optimizers.RMSprop, learning_rate=3e-4)

    def play(self, x, z):
        mean, log_var = self.encoder(x)
        code = gaussian_draw(mean, log_var, self.normal_noise(ops.shape(x)[0]))
        real, features = self.discriminator(x)
        _, reconstructed = self.discriminator(self.generator(code))
        fake, _ = self.discriminator(self.generator(z))
        feature = squared_error(features, reconstructed) / (2 * self.variance)
        return {
            "encoder": gaussian_kl(mean, log_var) + feature,
            "generator": self.gamma * feature + accepted(fake),
            "discriminator": accepted(real) + rejected(fake),
        }
