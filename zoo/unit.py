"""UNIT: two domains with one code, a map; each has an encoder and a generator."""

from keras import ops

from zoo.game import Game
from zoo.losses import absolute_error
from zoo.losses import square_accepted
from zoo.losses import square_rejected
from zoo.signatures import Signature
from zoo.training import ranges
from zoo.training.declarations import checked


class UNIT(Game):
    """Unsupervised image-to-image translation (Liu, Breuel and Kautz 2017, arXiv:1703.00848).

    The autoencoders of domains A and B have one space of codes: an image and its translation have
    the same code. An encoder gives the mean μ of q(z | x) = N(μ, I), a generator of either domain
    takes a draw z. With x_ab the image of B made of a, and so on, the autoencoders minimise

        E (D_B(x_ab) − 1)² + E (D_A(x_ba) − 1)² + copy · (‖x_aa − a‖₁ + ‖x_bb − b‖₁)
        + cycle · (‖x_aba − a‖₁ + ‖x_bab − b‖₁) + kl · E μ², for the codes of a, b, x_ab and x_ba,

    norms and squares averaged over pixels and numbers. E μ² is, but for a factor, the divergence of
    q(z | x) from N(0, I). D_A and D_B minimise E (D_B(b) − 1)² + E D_B(x_ab)² and the same of A: if
    they are ½ everywhere, they lose 1. A code is a map, (h / 2, w / 2, 2 · width) for images.

    Networks: encoder_a and encoder_b, x → map; shared_encoder, map → μ; shared_generator, z → map;
    generator_a and generator_b, map → x; discriminator_a and discriminator_b as of `zoo.cyclegan`.
    The shared ones are the paper's layers with weights in common. latent_dim is without effect.
    Players: autoencoders; discriminators. They move together, from one forward pass.

    Deviations: weights and least squares are those of the authors' later code. D judges this step's
    translations at one scale. A and B begin with equal weights: translations begin as copies.

    Args:
        copy: weight of the errors of reconstructions.
        cycle: weight of the errors of translations there and back.
        kl: weight of the mean squares of the codes.
    """

    inputs = ("a", "b")
    averaged: tuple = ("encoder_a", "encoder_b", "shared_encoder")
    averaged += ("shared_generator", "generator_a", "generator_b")
    players = {"autoencoders": averaged, "discriminators": ("discriminator_a", "discriminator_b")}
    schedule = (("autoencoders", "discriminators"),)
    scores = {"score_a": ("discriminator_a", "x"), "score_b": ("discriminator_b", "x")}

    def __init__(
        self, image_shape, copy: float = 10.0, cycle: float = 10.0, kl: float = 0.01, **game
    ):
        for name, weight in {"copy": copy, "cycle": cycle, "kl": kl}.items():
            setattr(self, name, checked(name, weight, weight >= 0, "0 or more"))
        super().__init__(image_shape, **game)
        checked("prior", self.prior, self.prior == "normal", "'normal', that of its codes")

    def build_networks(self, draw):
        self.encoder_a, self.encoder_b = draw.map_encoder(), draw.map_encoder()
        self.shared_encoder, self.shared_generator = draw.map_block(), draw.map_block()
        self.generator_a, self.generator_b = draw.map_generator(), draw.map_generator()
        self.encoder_b.set_weights(self.encoder_a.get_weights())
        self.generator_b.set_weights(self.generator_a.get_weights())
        self.discriminator_a = draw.patch_discriminator()
        self.discriminator_b = draw.patch_discriminator()

    def play(self, a, b):
        mean_a, mean_b = self._means(a, b)
        drawn_a, drawn_b = self._drawn(mean_a), self._drawn(mean_b)
        x_aa, x_bb = self.generator_a(drawn_a), self.generator_b(drawn_b)
        x_ba, x_ab = self.generator_a(drawn_b), self.generator_b(drawn_a)
        mean_ba, mean_ab = self._means(x_ba, x_ab)
        x_bab = self.generator_b(self._drawn(mean_ba))
        x_aba = self.generator_a(self._drawn(mean_ab))

        fake = self.discriminator_a(x_ba), self.discriminator_b(x_ab)
        real = self.discriminator_a(a), self.discriminator_b(b)
        copied = absolute_error(x_aa, a) + absolute_error(x_bb, b)
        returned = absolute_error(x_aba, a) + absolute_error(x_bab, b)
        squares = sum(ops.mean(ops.square(mean)) for mean in (mean_a, mean_b, mean_ba, mean_ab))
        same = self.copy * copied + self.cycle * returned + self.kl * squares
        return {
            "autoencoders": sum(map(square_accepted, fake)) + same,
            "discriminators": sum(map(square_accepted, real)) + sum(map(square_rejected, fake)),
        }

    def _means(self, a, b):
        return self.shared_encoder(self.encoder_a(a)), self.shared_encoder(self.encoder_b(b))

    def _drawn(self, mean):
        return self.shared_generator(mean + self.normal_noise(ops.shape(mean)[0]))

    @property
    def code_shape(self):
        return tuple(self.encoder_a.output.shape[1:])

    def encode(self, x, domain: int):  # type: ignore[override]
        """Means of the codes of examples of domain 0, A, or 1, B. (n, ...) → (n, *code_shape)."""
        encoder = ("encoder_a", "encoder_b")[ranges.domain(domain)]
        return self.infer("shared_encoder", self.infer(encoder, ranges.examples(self, x)))

    def decode(self, z, domain: int):  # type: ignore[override]
        """Examples of a domain that have the codes z. (n, *code_shape) → (n, ...)."""
        generator = ("generator_a", "generator_b")[ranges.domain(domain)]
        return self.infer(generator, self.infer("shared_generator", z))

    def translate(self, x, domain: int):
        """Examples of the other domain in `domain`: 0 for A, 1 for B. (n, ...) → (n, ...)."""
        return self.decode(self.encode(x, 1 - ranges.domain(domain)), domain)

    def signatures(self):
        images, codes = {"images": "images"}, {"codes": "codes"}
        return {
            "translate_ab": Signature(lambda a: self.translate(a, 1), images, images, files=True),
            "translate_ba": Signature(lambda b: self.translate(b, 0), images, images, files=True),
            "encode_a": Signature(lambda a: self.encode(a, 0), images, codes),
            "encode_b": Signature(lambda b: self.encode(b, 1), images, codes),
            "decode_a": Signature(lambda z: self.decode(z, 0), codes, images),
            "decode_b": Signature(lambda z: self.decode(z, 1), codes, images),
            **super().signatures(),
        }
