"""Naive encoder: an encoder for a trained, fixed generator."""

import math

from zoo.game import Game
from zoo.losses import squared_error
from zoo.training.declarations import checked
from zoo.training.declarations import not_negative


class NaiveEncoder(Game):
    """The encoder learned after the generator, a baseline of ALI's paper (arXiv:1606.00704).

    G is fixed, and E minimises codes · A + images · B, with

    - A = E_z |z − E(G(z))|² / latent_dim, on images that G makes from codes of the prior;
    - B = E_x |x − G(E(x))|² / pixels, on real images, with the gradient through G, as Zhu et al.
      2016 (arXiv:1609.03552) train theirs with further terms.

    A is 0 if E inverts G, but it ignores images that G cannot make: E never sees a real one. B is
    at least the mean squared distance from images to the range of G, and 0 only if G makes them
    all; nothing keeps its codes near the prior. With linear G of orthonormal columns, G(z) = Wz,
    both have the optimum E(x) = Wᵀx.

    In `zoo.latent_regressor` E learns A while G learns, as a baseline in BiGAN's paper. Here G
    comes from another game (`--start_from` of the trainer, or `generator=game.generator`); a new
    `NaiveEncoder` has an untrained one.

    Networks: encoder x → z, generator z → x.
    Players: encoder. The generator belongs to none, so it is frozen, and its batch norm uses the
    moving statistics.

    Args:
        codes: weight of A, 0 or more.
        images: weight of B, 0 or more, above 0 if `codes` is not. With both, the statistics of E's
            batch norm are averages over generated and real images.
    """

    schedule = (("encoder",),)
    fixed = ("generator",)

    def __init__(self, image_shape, codes: float = 1.0, images: float = 0.0, **game):
        self.codes = not_negative("codes", codes)
        above = images > 0 or (images == 0 and codes > 0)
        self.images = checked("images", images, above, "0 or more, above 0 if codes is 0")
        super().__init__(image_shape, **game)

    def build_networks(self, draw):
        self.encoder = draw.encoder()
        self.generator = draw.generator()

    def play(self, x, z):
        # A term of weight 0 is left out: E's batch norm would see its images.
        loss = 0.0
        if self.codes:
            error = squared_error(z, self.encoder(self.generator(z))) / math.prod(self.code_shape)
            loss = self.codes * error
        if self.images:
            error = squared_error(x, self.generator(self.encoder(x))) / math.prod(self.image_shape)
            loss = loss + self.images * error
        return {"encoder": loss}
