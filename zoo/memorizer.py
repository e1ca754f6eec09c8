"""The memorizer: a generator of stored images that fools discriminators smaller than these."""

from zoo import counterexample
from zoo.counterexample import check
from zoo.game import Game
from zoo.losses import accepted
from zoo.losses import rejected
from zoo.networks import theorem
from zoo.training.declarations import checked


class Memorizer(Game):
    """Generalization and equilibrium in GANs (Arora, Ge, Liang, Ma, Zhang 2017, arXiv:1703.00573).

    A GAN's objective, |E_x φ(D(x)) − E_z φ(D(G(z)))|, is within ε of its optimum for every D of p
    parameters at once, though G returns `support` = m images only, with m of the order of
    p log p / ε². φ(t) = log t gives the GAN, φ(t) = t the Wasserstein form. G is a random sample of
    the training images: of m blocks of equal probability it finds that of z and looks its image up.
    The proof is concentration for one D and a union over all of them, so neither more training of D
    nor more data helps it. `zoo.Counterexample` extends this to pairs with codes; here there is no
    encoder, and images are clean.

    Block: see `zoo.Counterexample`.

    Networks: generator (fixed), discriminator x → logit.
    Players: discriminator. Its loss has both halves averaged: log 2 if it cannot tell them apart.

    Deviations: none in G. A result on a fixed generator does not show that training finds one.

    Args:
        support: m, the number of stored images; a whole number to the power of `cuts`.
        cuts: how many coordinates of a code choose the block, at most latent_dim; 0 for the most
            for which the root of m is a whole number.
    """

    schedule = (("discriminator",),)
    scores = {"score_x": ("discriminator", "x")}

    def __init__(
        self, image_shape, latent_dim: int = 16, support: int = 1024, cuts: int = 0, **game
    ):
        self.support, self.cuts = support, check(image_shape, latent_dim, support, cuts)
        super().__init__(image_shape, latent_dim=latent_dim, **game)
        checked("prior", self.prior, self.prior == "normal", "'normal', for its quantiles")
        checked("ema", self.ema, not self.ema, "0: the generator does not move")

    def build_networks(self, draw):
        sizes = self.image_shape, self.latent_dim, self.support, self.cuts
        self.generator = theorem.memory(*sizes)
        self.discriminator = draw.discriminator()

    def play(self, x, z):
        real, fake = self.discriminator(x), self.discriminator(self.generator(z))
        return {"discriminator": (accepted(real) + rejected(fake)) / 2}

    def remember(self, images) -> None:
        """Store the `support` images, uint8 (m, *image_shape), that G returns from then on.

        Raises:
            ValueError: another number, shape or type of images.
        """
        theorem.remember(self.generator, images, pixels=())


def build(data, support: int, latent_dim: int, seed: int, **game) -> Memorizer:
    """`zoo.counterexample.build` of a memorizer."""
    return counterexample.build(data, support, latent_dim, seed, Memorizer, **game)
