"""VAE: an encoder and a generator maximise a bound on the likelihood together; no adversary."""

import functools
import math

import keras
from keras import ops

from zoo.game import Game
from zoo.losses import bernoulli_log_density
from zoo.losses import gaussian_draw
from zoo.losses import gaussian_kl
from zoo.losses import gaussian_log_density
from zoo.networks.layers import symmetric
from zoo.priors import draw as drawn
from zoo.priors import uniform
from zoo.training.declarations import checked
from zoo.training.declarations import not_negative


class VAE(Game):
    """Auto-encoding variational Bayes (Kingma and Welling, ICLR 2014, arXiv:1312.6114).

    E and G minimise E_x { −E_{q(z|x)} log p(x|z) + beta · KL(q(z|x) ‖ N(0, I)) }, in nats, summed
    over pixels and code and averaged over the batch, all constants kept. For beta = 1 this is
    −ELBO ≥ −log p(x), with equality if q(z|x) is the posterior; `zoo.metrics.likelihood`
    estimates log p(x) itself.

    q(z|x) = N(mean(x), diag exp(log_var(x))), with one draw per example. p(x|z) is either Bernoulli
    for each pixel, 1 with probability sigmoid(G(z)), or Gaussian around G(z). Bernoulli pixels are
    0 and 1; grey ones give a cross-entropy, no likelihood, unless `binarize` draws binary ones.

    Networks: encoder x → (mean, log variance), generator z → x, or its logits for Bernoulli.
    `encode` returns the mean of q, `decode` that of p(x|z), in [-1, 1] for images.
    Players: autoencoder (E and G).

    Deviations: the networks are ours but for network="tanh", the one-layer model of Burda et al.
    2016 (arXiv:1509.00519), and the KL term is computed, not drawn as there.

    Args:
        likelihood: "bernoulli", for images, or "gaussian", for images and points.
        beta: weight of the KL term; 1 is the bound on the likelihood.
        variance: variance of the Gaussian p(x|z), the same for all coordinates, fixed; in squared
            units of pixels in [-1, 1] or of points.
        binarize: draw binary pixels afresh at every presentation, white with probability
            (x + 1) / 2.
    """

    players = {"autoencoder": ("encoder", "generator")}
    schedule = (("autoencoder",),)

    def __init__(
        self,
        image_shape,
        likelihood: str = "bernoulli",
        beta: float = 1.0,
        variance: float = 0.1,
        binarize: bool = False,
        **game,
    ):
        # Points lie anywhere in the plane: they give no probability of a white pixel.
        allowed = ("bernoulli", "gaussian") if len(image_shape) == 3 else ("gaussian",)
        self.likelihood = checked(
            "likelihood",
            likelihood,
            likelihood in allowed,
            f"{' or '.join(allowed)} for examples of shape {tuple(image_shape)}",
        )
        self.beta = not_negative("beta", beta)
        self.variance = checked("variance", variance, variance > 0, "above 0")
        self.binarize = checked(
            "binarize",
            binarize,
            not binarize or likelihood == "bernoulli",
            "False unless the likelihood is bernoulli",
        )
        super().__init__(image_shape, **game)
        checked("prior", self.prior, self.prior == "normal", "'normal', for its KL divergence")

    def build_networks(self, draw):
        self.encoder = draw.encoder(stochastic=True)
        self.generator = draw.generator(logits=self.likelihood == "bernoulli")

    @classmethod
    def default_optimizer(cls, player, network):
        return functools.partial(keras.optimizers.Adam, learning_rate=1e-3)

    def play(self, x, z):
        x = self._binary(x) if self.binarize else x
        mean, log_var = self.encoder(x)
        code = gaussian_draw(mean, log_var, self.normal_noise(ops.shape(x)[0]))
        reconstruction = -ops.mean(self._log_density(x, self.generator(code)))
        return {"autoencoder": reconstruction + self.beta * gaussian_kl(mean, log_var)}

    def decode(self, z):
        output = super().decode(z)
        return symmetric(output) if self.likelihood == "bernoulli" else output

    def log_density(self, x, z):
        """log p(x|z) in inference mode, nats. (n, ...), (n, *code_shape) → (n,)."""
        return self._log_density(x, self.infer("generator", z))

    def _log_density(self, x, output):
        if self.likelihood == "bernoulli":
            return bernoulli_log_density((x + 1) / 2, output)
        return gaussian_log_density(x, output, math.log(self.variance))

    def _binary(self, x):
        level = drawn(uniform, ops.shape(x)[0], self.image_shape, self.seed_generator)
        return ops.where(level < x, 1.0, -1.0)
