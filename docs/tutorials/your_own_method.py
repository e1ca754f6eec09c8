# %% [markdown]
# # Your own method in one screen
#
# A method is a class with four parts: which player owns which networks, in which order players
# move, how the networks are made, and `play`, which returns the loss of every player. A loss
# updates only the networks of its player. Training, averages, checkpoints, metrics and export are
# those of `zoo.Game`.
#
# The example removes noise: an adversarial autoencoder (Makhzani et al. 2015,
# [arXiv:1511.05644](https://arxiv.org/abs/1511.05644)) whose encoder sees noisy images, and whose
# generator has to return the clean ones.

# %%
import pathlib
import tempfile

import numpy as np
from keras import ops
from PIL import Image

import zoo
from zoo import datasets
from zoo import metrics
from zoo.losses import accepted
from zoo.losses import rejected
from zoo.losses import squared_error
from zoo.plots import pictures
from zoo.priors import with_noise

# %% tags=["parameters"]
epochs = 6
trained = 8000  # images


# %%
class DenoisingAAE(zoo.Game):
    """An adversarial autoencoder of noisy images; `noise_std` is in units of pixels."""

    players = {
        "autoencoder": ("encoder", "generator"),
        "discriminator": ("code_discriminator",),
        "encoder": ("encoder",),  # a network may have two players, each with its own optimizer
    }
    schedule = (("autoencoder",), ("discriminator",), ("encoder",))

    def __init__(self, image_shape, noise_std: float = 0.4, **game):
        self.noise_std = noise_std  # constructor arguments are kept under their own names
        super().__init__(image_shape, **game)

    def build_networks(self, draw):
        self.encoder, self.generator = draw.encoder(), draw.generator()
        self.code_discriminator = draw.code_discriminator()

    def play(self, x, z):
        noisy = ops.clip(with_noise(x, self.noise_std, self.seed_generator), -1, 1)
        code = self.encoder(noisy)
        prior, posterior = self.code_discriminator(z), self.code_discriminator(code)
        return {
            "autoencoder": squared_error(x, self.generator(code)),
            "discriminator": accepted(prior) + rejected(posterior),
            "encoder": accepted(posterior),
        }


# %% [markdown]
# That is all. Mistakes in the declaration are refused when the class is made, or before training:
# a player without networks, a schedule that names no player, a `play` that forgets a loss.
#
# ## Train it
#
# `compile("adam")` gives every player a copy of that optimizer. Noise comes from the game's seed;
# `fit` shuffles by Keras' own, which `keras.utils.set_random_seed` fixes.

# %%
data = datasets.load("fashion_mnist_10k")
x, x_test = datasets.scale(data.train[:trained]), datasets.scale(data.test)
game = DenoisingAAE(data.shape, latent_dim=20, width=8, ema=0.99, seed=0)
game.compile("adam")
history = game.fit(x, batch_size=64, epochs=epochs, verbose=0)
print({name: round(losses[-1], 2) for name, losses in history.history.items()})

# %% [markdown]
# Noisy test images, each above what comes back:

# %%
noise = np.random.default_rng(0).normal(size=x_test.shape).astype("float32")
noisy = np.clip(x_test + game.noise_std * noise, -1, 1)
cleaned = np.asarray(game.reconstruct(noisy))
shown = pictures.pairs(noisy[:24], cleaned[:24], 12)
Image.fromarray(shown).resize((2 * shown.shape[1], 2 * shown.shape[0]))

# %% [markdown]
# `encode`, `reconstruct` and all metrics of codes are there because the class has an attribute
# `encoder`. Does the result come closer to the clean image than the noisy one was? And is the class
# still there?

# %%
for name, images in (("noisy", noisy), ("cleaned", cleaned)):
    distance = np.linalg.norm((images - x_test).reshape(len(x_test), -1), axis=1).mean()
    print(f"{name}: distance to the clean image {distance:.2f}")
pair = data.train_labels[: len(x[:4000])], data.test_labels
codes, noisy_codes = (np.asarray(game.encode(images)) for images in (x[:4000], noisy))
known = metrics.logistic_accuracy(codes, pair[0], noisy_codes, pair[1])
print(f"class from codes: {known:.1%}, chance {metrics.chance_accuracy(*pair):.1%}")

# %% [markdown]
# ## Save and load
#
# Constructor arguments are the configuration of a checkpoint. A game of your class loads wherever
# the class has been imported.

# %%
with tempfile.TemporaryDirectory() as directory:
    file = pathlib.Path(directory) / "mine.keras"
    game.save(file)
    again = zoo.load(str(file))
    print(type(again).__name__, again.noise_std)

# %% [markdown]
# More arguments, more players, networks of your own:
# [train from Python](../train_from_python.md). A method for everyone, with a trainer and its tests:
# [CONTRIBUTING.md](../../CONTRIBUTING.md).
