"""A method as a user writes it, for the contract of test_games.py and for test_inputs.py."""

import keras

from zoo.game import Game
from zoo.losses import accepted

CLASSES = 3


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


WRITTEN = {"three_scores": ThreeScores}
