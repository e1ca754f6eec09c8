"""Methods as a user writes them, for the contract of test_games.py and for test_inputs.py.

They take labels, two sets of images, fresh batches for every phase, gradient penalties.
"""

import keras
from keras import ops

from zoo.game import Game
from zoo.gradients import gradient_penalty
from zoo.losses import absolute_error
from zoo.losses import accepted
from zoo.losses import rejected
from zoo.priors import draw
from zoo.priors import uniform

CLASSES = 3


class WrittenACGAN(Game):
    """Class-conditional GAN with an auxiliary classifier (Odena et al. 2017, arXiv:1610.09585)."""

    inputs = ("x", "y", "z")
    players = {"discriminator": ("discriminator",), "generator": ("generator",)}
    schedule = (("discriminator",), ("generator",))
    scores = {"score_x": ("discriminator", "x")}

    def build_networks(self, draw):
        hidden = draw.feature_discriminator()
        named = keras.layers.Dense(CLASSES, dtype="float32")(
            keras.layers.Flatten()(hidden.outputs[1])
        )
        self.discriminator = keras.Model(hidden.input, [hidden.outputs[0], named])
        z, label = keras.Input((self.latent_dim,)), keras.Input((), dtype="int32")
        code = z * keras.layers.Embedding(CLASSES, self.latent_dim)(label)
        self.generator = keras.Model([z, label], draw.generator()(code))

    def play(self, x, y, z):
        real, real_class = self.discriminator(x)
        fake, fake_class = self.discriminator(self.generator([z, y]))
        name = keras.losses.sparse_categorical_crossentropy
        named = ops.mean(name(y, real_class, from_logits=True))
        drawn = ops.mean(name(y, fake_class, from_logits=True))
        return {
            "discriminator": accepted(real) + rejected(fake) + named,
            "generator": accepted(fake) + drawn,
        }


class WrittenCycleGAN(Game):
    """Two domains and no code (Zhu et al. 2017, arXiv:1703.10593)."""

    inputs = ("a", "b")
    players = {"generators": ("to_a", "to_b"), "discriminators": ("of_a", "of_b")}
    schedule = (("generators",), ("discriminators",))

    def build_networks(self, draw):
        for name in ("to_a", "to_b"):
            image = keras.Input(self.image_shape)
            hidden = keras.layers.Conv2D(4, 3, padding="same", activation="relu")(image)
            setattr(
                self, name, keras.Model(image, keras.layers.Conv2D(1, 3, padding="same")(hidden))
            )
        self.of_a, self.of_b = draw.discriminator(), draw.discriminator()

    def play(self, a, b):
        fake_a, fake_b = self.to_a(b), self.to_b(a)
        cycle = absolute_error(a, self.to_a(fake_b)) + absolute_error(b, self.to_b(fake_a))
        judged = [self.of_a(a), self.of_b(b)], [self.of_a(fake_a), self.of_b(fake_b)]
        real, fake = ([ops.square(1 - s) for s in judged[0]], [ops.square(s) for s in judged[1]])
        fooled = sum(ops.mean(ops.square(1 - s)) for s in judged[1])
        return {
            "generators": fooled + 10 * cycle / 64,
            "discriminators": sum(ops.mean(term) for term in real + fake),
        }


class WrittenWGANGP(Game):
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
        share = (1 + draw(uniform, ops.shape(x)[0], 1, self.seed_generator)) / 2
        mix = ops.reshape(share, (-1, 1, 1, 1))
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
    "written_acgan": WrittenACGAN,
    "written_cyclegan": WrittenCycleGAN,
    "written_wgan_gp": WrittenWGANGP,
    "written_three_scores": ThreeScores,
}

# Those whose generator makes images of codes alone.
DECODING = ("written_wgan_gp", "written_three_scores")
