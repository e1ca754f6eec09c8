"""CycleGAN: two translators between two sets of images, without known pairs."""

from zoo.game import Game
from zoo.losses import absolute_error
from zoo.losses import square_accepted
from zoo.losses import square_rejected
from zoo.signatures import Signature
from zoo.training import ranges
from zoo.training.declarations import checked
from zoo.training.declarations import not_negative
from zoo.training.pool import Pool


class CycleGAN(Game):
    """Unpaired translation (Zhu, Park, Isola and Efros, ICCV 2017, arXiv:1703.10593).

    F: A → B and G: B → A against D_A and D_B, by least squares: the discriminators minimise
    ½ E [(D_B(b) − 1)² + D_B(F(a))²] and the same of A, the translators E (D_B(F(a)) − 1)² +
    E (D_A(G(b)) − 1)² + cycle · (‖G(F(a)) − a‖₁ + ‖F(G(b)) − b‖₁), with norms averaged over pixels.
    `identity` adds cycle · identity · (‖F(b) − b‖₁ + ‖G(a) − a‖₁), which keeps images of the target
    domain as they are.

    A perfect cycle does not imply a correct translation: F and F⁻¹ may also invert colours or
    exchange images. If domains agree and F = G = identity, every term of the translators but
    the adversarial is 0; if D = ½ everywhere, the discriminators lose ½ (¼ for each half).

    Networks: a_to_b and b_to_a, x → x; discriminator_a and discriminator_b, x → a score for each
    patch. They are those of `zoo.networks.translators` in every set of networks. There is no code:
    latent_dim and prior are without effect.
    Players: generators; discriminators. They move together, from one forward pass, as the update
    of the authors' code does, which plays both against the same translations.

    Deviations: D judges translations of this step, unless there is a `pool`. Batches are larger
    than the paper's single images, networks smaller.

    Args:
        cycle: weight of the cycle errors, λ.
        identity: weight of the identity terms, as a share of `cycle`; 0 leaves them out. They are
            a remedy if translators change colours that should stay.
        pool: number of past translations of either kind, from which D judges some in place of
            present ones, as in the authors' code; see `zoo.training.pool.Pool`. 0 for none.
    """

    inputs = ("a", "b")
    players = {
        "generators": ("a_to_b", "b_to_a"),
        "discriminators": ("discriminator_a", "discriminator_b"),
    }
    schedule = (("generators", "discriminators"),)
    scores = {"score_a": ("discriminator_a", "x"), "score_b": ("discriminator_b", "x")}
    averaged = ("a_to_b", "b_to_a")

    def __init__(
        self, image_shape, cycle: float = 10.0, identity: float = 0.0, pool: int = 0, **game
    ):
        self.cycle = not_negative("cycle", cycle)
        self.identity = not_negative("identity", identity)
        self.pool = checked("pool", pool, pool >= 0, "0 or more")
        super().__init__(image_shape, **game)

    def build_networks(self, draw):
        self.a_to_b, self.b_to_a = draw.translator(), draw.translator()
        self.discriminator_a = draw.patch_discriminator()
        self.discriminator_b = draw.patch_discriminator()
        if self.pool:
            self.pool_a, self.pool_b = (
                Pool(self.pool, self.image_shape, self.seed_generator) for _ in "ab"
            )

    def play(self, a, b):
        fake_a, fake_b = self.b_to_a(b), self.a_to_b(a)
        returned = absolute_error(self.b_to_a(fake_b), a) + absolute_error(self.a_to_b(fake_a), b)
        if self.identity:
            kept = absolute_error(self.b_to_a(a), a) + absolute_error(self.a_to_b(b), b)
            returned = returned + self.identity * kept
        real = self.discriminator_a(a), self.discriminator_b(b)
        fake = self.discriminator_a(fake_a), self.discriminator_b(fake_b)
        seen = fake
        if self.pool:
            pooled = self.pool_a(fake_a), self.pool_b(fake_b)
            seen = self.discriminator_a(pooled[0]), self.discriminator_b(pooled[1])
        judged = sum(map(square_accepted, real)) + sum(map(square_rejected, seen))
        return {
            "generators": sum(map(square_accepted, fake)) + self.cycle * returned,
            "discriminators": judged / 2,
        }

    def translate(self, x, domain: int):
        """Examples of the other domain in `domain`: 0 for A, 1 for B. (n, ...) → (n, ...)."""
        return self.infer(("b_to_a", "a_to_b")[ranges.domain(domain)], ranges.examples(self, x))

    def signatures(self):
        images = {"images": "images"}
        return {
            "translate_ab": Signature(lambda a: self.translate(a, 1), images, images, files=True),
            "translate_ba": Signature(lambda b: self.translate(b, 0), images, images, files=True),
            **super().signatures(),
        }
