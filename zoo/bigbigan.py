"""BigBiGAN: BiGAN's game with scores of images and of codes beside the score of pairs."""

from functools import partial

import keras
from keras import ops

from zoo.game import Game
from zoo.losses import accepted
from zoo.losses import gaussian_draw
from zoo.losses import hinge_accepted
from zoo.losses import hinge_rejected
from zoo.losses import rejected
from zoo.priors import with_noise
from zoo.training.declarations import checked
from zoo.training.declarations import not_negative


class BigBiGAN(Game):
    """Large scale adversarial representation learning (Donahue, Simonyan 2019, arXiv:1907.02544).

    D gives three scores: s_xz(x, z) of the pair, s_x(x) of the image and s_z(z) of the code, the
    *unary* terms. With ẑ ~ q(z|x), a Gaussian from the encoder, and h(t) = max(0, 1 − t):

    - D minimises Σ_s E_x h(s(x, ẑ)) + E_z h(−s(G(z), z)), a sum over the three scores;
    - E minimises Σ_s E_x s(x, ẑ), and G minimises −Σ_s E_z s(G(z), z), both without a hinge.

    Losses are in units of the score, not nats. At zero scores D's loss is 6 (2 for each score) and
    the others are 0. s_x(x) does not depend on E nor s_z(z) on G, so s_x gives G the signal of a
    GAN, s_z gives E that of an adversarial autoencoder, and s_xz alone ties codes to images.
    `encode` returns the mean of q(z|x).

    With `hinge=False` the losses are those of `zoo.bigan.BiGAN`, in nats, summed over the scores
    and not halved: at zero scores D's loss is 2 log 2 and E's and G's are log 2 for each score.

    Networks: encoder x → (mean, log variance), generator z → x, discriminator (x, z) →
    [s_xz, s_x, s_z], which the sets dcgan, dcgan_joint, dcgan_map and residual have.
    Players: discriminator; encoder; generator. They move together, from one forward pass; D moves
    alone, on images of its own, in the `discriminator_steps` − 1 phases before.

    Deviations: the encoder sees images of the size that the generator makes, the authors' sees
    larger ones. The networks are ours; only "residual" has spectral normalisation in D. D moves
    once in a step by default, theirs twice, and Adam's beta_1 is ½, theirs 0. `instance_noise` is
    ours too.

    Args:
        unary: whether s_x and s_z exist; without them it is ALI with a hinge, or BiGAN's if
            `stochastic` is False.
        hinge: whether D's loss is the hinge; otherwise scores are logits of "encoder's pair", D
            minimises their cross-entropy, and E and G minimise it with the labels swapped.
        stochastic: whether the encoder draws codes from a Gaussian, whose mean `encode` returns;
            otherwise a code is a function of its image.
        discriminator_steps: how often D moves in a step; each time it takes a fresh batch.
        instance_noise: standard deviation, in pixels, of the normal noise on the images D sees in
            training, as in `zoo.bigan.BiGAN`.
    """

    schedule = (("discriminator", "encoder", "generator"),)
    fresh_batches = True
    scores = {
        "score_xz": ("discriminator", "xz", 0),
        "score_x": ("discriminator", "xz", 1),
        "score_z": ("discriminator", "xz", 2),
    }

    def __init__(
        self,
        image_shape,
        unary: bool = True,
        hinge: bool = True,
        stochastic: bool = True,
        discriminator_steps: int = 1,
        instance_noise: float = 0.0,
        **game,
    ):
        self.unary, self.hinge, self.stochastic = unary, hinge, stochastic
        self.instance_noise = not_negative("instance_noise", instance_noise)
        self.discriminator_steps = checked(
            "discriminator_steps", discriminator_steps, discriminator_steps >= 1, "1 or more"
        )
        if not unary:
            self.scores = {"score_xz": self.scores["score_xz"]}
        super().__init__(image_shape, **game)

    @classmethod
    def schedule_for(cls, discriminator_steps=1, **others):
        return (("discriminator",),) * (discriminator_steps - 1) + cls.schedule

    def build_networks(self, draw):
        self.encoder = draw.encoder(stochastic=self.stochastic)
        self.generator = draw.generator()
        judge = draw.joint_scores_discriminator()
        kept = judge.outputs[: len(self.scores)]
        self.discriminator = keras.Model(judge.inputs, kept, name="discriminator")

    def scores_of(self, x, z):
        found = self.discriminator([x, z])
        return found if self.unary else [found]

    def play(self, x, z):
        code = self.encoder(x)
        if self.stochastic:
            code = gaussian_draw(*code, self.normal_noise(ops.shape(x)[0]))
        noisy = partial(with_noise, std=self.instance_noise, seed=self.seed_generator)
        encoded = self.scores_of(noisy(x), code)
        generated = self.scores_of(noisy(self.generator(z)), z)
        if not self.hinge:
            return {
                "discriminator": sum(map(accepted, encoded)) + sum(map(rejected, generated)),
                "encoder": sum(map(rejected, encoded)),
                "generator": sum(map(accepted, generated)),
            }
        judged = sum(map(hinge_accepted, encoded)) + sum(map(hinge_rejected, generated))
        return {
            "discriminator": judged,
            "encoder": sum(map(ops.mean, encoded)),
            "generator": -sum(map(ops.mean, generated)),
        }
