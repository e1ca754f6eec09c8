"""BigBiGAN: BiGAN's game with scores of images and of codes beside the score of pairs."""

from functools import partial

import keras
from keras import ops

from zoo.game import Game
from zoo.losses import gaussian_draw
from zoo.losses import hinge_accepted
from zoo.losses import hinge_rejected
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

    Networks: encoder x → (mean, log variance), generator z → x, discriminator (x, z) →
    [s_xz, s_x, s_z], which the network sets dcgan, dcgan_joint and residual have.
    Players: discriminator; encoder; generator. They move together, from one forward pass; D moves
    alone, on images of its own, in the `discriminator_steps` − 1 phases before.

    Deviations: the encoder sees images of the size that the generator makes, the authors' sees
    larger ones. The networks are ours; only "residual" has spectral normalisation in D.
    `instance_noise` is ours too.

    Args:
        unary: whether s_x and s_z exist; without them it is BiGAN with a hinge.
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
        discriminator_steps: int = 1,
        instance_noise: float = 0.0,
        **game,
    ):
        self.unary = unary
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
        self.encoder = draw.encoder(stochastic=True)
        self.generator = draw.generator()
        judge = draw.joint_scores_discriminator()
        kept = judge.outputs[: len(self.scores)]
        self.discriminator = keras.Model(judge.inputs, kept, name="discriminator")

    def scores_of(self, x, z):
        found = self.discriminator([x, z])
        return found if self.unary else [found]

    def play(self, x, z):
        mean, log_var = self.encoder(x)
        code = gaussian_draw(mean, log_var, self.normal_noise(ops.shape(x)[0]))
        noisy = partial(with_noise, std=self.instance_noise, seed=self.seed_generator)
        encoded = self.scores_of(noisy(x), code)
        generated = self.scores_of(noisy(self.generator(z)), z)
        accepted, rejected = map(hinge_accepted, encoded), map(hinge_rejected, generated)
        return {
            "discriminator": sum(accepted) + sum(rejected),
            "encoder": sum(map(ops.mean, encoded)),
            "generator": -sum(map(ops.mean, generated)),
        }
