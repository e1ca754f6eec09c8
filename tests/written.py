"""Methods as a user writes them, for the contract of test_games.py and for test_inputs.py.

They take labels, two sets of images, fresh batches for every phase, gradient penalties.
"""

import keras
from keras import ops

from zoo.game import Game
from zoo.losses import accepted
from zoo.priors import draw
from zoo.priors import uniform
from zoo.training.gradients import gradient_penalty

CLASSES = 3


class WGANGP(Game):
    """Five steps of a critic with a gradient penalty to one of the generator (arXiv:1704.00028)."""

    players = {"critic": ("critic",), "generator": ("generator",)}
    schedule = (("critic",),) * 5 + (("generator",),)
    fresh_batches = True
    scores = {"score_x": ("critic", "x")}

    def build_networks(self, draw):
        x = keras.Input(self.image_shape)
        hidden = keras.layers.Dense(16, "softplus")(keras.layers.Flatten()(x))
        self.critic = keras.Model(x, keras.layers.Dense(1, dtype="float32")(hidden))
        self.generator = draw.generator()

    def play(self, x, z):
        fake = self.generator(z)
        # `draw` gives every replica numbers of its own.
        mix = (1 + draw(uniform, ops.shape(x)[0], (1, 1, 1), self.seed_generator)) / 2
        penalty = gradient_penalty(self.critic, mix * x + (1 - mix) * fake)
        real, drawn = ops.mean(self.critic(x)), ops.mean(self.critic(fake))
        return {"critic": drawn - real + 10 * penalty, "generator": -drawn}


class ThreeScores(Game):
    """One discriminator with three outputs, as BigBiGAN's (arXiv:1907.02544)."""

    players = {"discriminator": ("discriminator",)}
    schedule = (("discriminator",),)
    scores = {
        "score_xz": ("discriminator", "xz", 0),
        "score_x": ("discriminator", "xz", 1),
        "score_z": ("discriminator", "xz", 2),
    }

    def build_networks(self, draw):
        self.encoder, self.generator = draw.encoder(), draw.generator()
        x, z = keras.Input(self.image_shape), keras.Input((self.latent_dim,))
        f, h = keras.layers.Dense(8)(keras.layers.Flatten()(x)), keras.layers.Dense(8)(z)
        both = keras.layers.Concatenate()([f, h])
        heads = [keras.layers.Dense(1)(part) for part in (both, f, h)]
        self.discriminator = keras.Model([x, z], heads)

    def play(self, x, z):
        return {"discriminator": sum(map(accepted, self.discriminator([x, z])))}


WRITTEN = {
    "wgan_gp": WGANGP,
    "three_scores": ThreeScores,
}

# Those whose generator makes images of codes alone.
DECODING = ("wgan_gp", "three_scores")
