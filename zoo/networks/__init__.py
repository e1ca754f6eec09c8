"""Sets of networks. Each module builds the same kinds; a method chooses among them.

| set | networks | shapes |
| --- | --- | --- |
| `dcgan` | strided convolutions (Radford et al. 2016) | square images, 8 to 128 px in steps of 4 |
| `dcgan_joint` | the same, but D joins the code at every depth | the same |
| `dcgan_map` | the same, and D makes a map of the code | the same |
| `residual` | residual blocks, spectral norm in D (Miyato et al. 2018) | the same from 28 px |
| `mlp` | the permutation-invariant networks of the BiGAN authors | any |
| `mixture` | the fully connected networks of ALI's two-dimensional toy | points |
| `tanh` | the one-layer VAE of the IWAE paper, for likelihoods | images |

The code discriminator is the same in all of them (`zoo.networks.codes`), and so are translators and
their discriminators (`zoo.networks.translators`). A caller may give networks of another kind
(`zoo.networks.own`).
"""

import contextlib
import functools
import importlib
import random

import keras
from keras import ops

from zoo import keras_settings
from zoo.networks import codes
from zoo.networks import own
from zoo.networks import translators
from zoo.networks.layers import batch_norm
from zoo.networks.layers import dense
from zoo.networks.layers import flat_codes
from zoo.networks.layers import initializer
from zoo.priors import BOUNDED
from zoo.priors import code_shape

BACKBONES = ("dcgan", "dcgan_joint", "dcgan_map", "residual", "mlp", "mixture", "tanh")

# Those for images; they also have a discriminator of (x, z) with three scores.
CONVOLUTIONAL = ("dcgan", "dcgan_joint", "dcgan_map", "residual")

# Those that have a critic. That of "residual" would have spectral norm, which keeps state.
CRITICAL = ("dcgan", "dcgan_joint", "dcgan_map", "mlp", "mixture", "tanh")

# Of the class beside a code. If it is 1, the images of a class are nearly equal after 500 steps.
# Our guess at the reason: the gradient of a class's weights has one sign for many steps, that of
# the code's changes, so under Adam the former outgrow the latter, and batch norm keeps the shares.
CLASS_SCALE = 0.1


def create(game, given: dict) -> None:
    """Have the method build its networks from the seed of `game`, and freeze those of no player.

    Args:
        given: name → network to take in place of the one that the method draws.

    Raises:
        ValueError: a player owns a network that was not built, or one that was given does not fit.
    """
    owned = own.names(game)
    # When all networks are given, those that are drawn only give the required shapes.
    draw = Backbone(game, "placeholders" if set(given) == set(owned) else "")
    with seeded(game.seed), keras_settings.channels_last():
        game.build_networks(draw)
    own.with_ends(game)
    missing = set(owned) - set(game.named_networks())
    if missing:
        raise ValueError(f"{type(game).__name__} built no network called {sorted(missing)}")
    own.replace(game, given)
    freeze(game)


@contextlib.contextmanager
def seeded(seed: int):
    """Weights drawn inside follow from `seed`: initializers take their seeds from `random`."""
    state = random.getstate()
    random.seed(seed)
    try:
        yield
    finally:
        random.setstate(state)


def freeze(game) -> None:
    """Freeze the networks of `game` that belong to no player, and the averages."""
    owned = own.played(game)
    for name, net in game.named_networks().items():
        if name not in owned:
            net.trainable = False
    for average in getattr(game, "averages", {}).values():
        average.trainable = False


class Backbone:
    """The builders of one set of networks, with the sizes of one game filled in."""

    def __init__(self, game, network: str = ""):
        self._set = network or game.network
        self._shape, self._latent = game.image_shape, game.latent_dim
        self._width, self._bounded = game.width, game.prior in BOUNDED
        self._owned = own.names(game)

    @functools.cached_property
    def _draw(self):
        """The module of the set; any shape is allowed if a method draws nothing from it.

        Raises:
            ValueError: the set has no networks for these examples or these codes.
        """
        if isinstance(self._latent, tuple) and self._set != "placeholders":
            raise ValueError(
                f"latent_dim must be a whole number for network {self._set!r}, whose codes are "
                f"vectors; got {self._latent}. Codes of that shape need all networks of your own: "
                f"{', '.join(self._owned)}"
            )
        module = importlib.import_module(f"zoo.networks.{self._set}")
        module.check(self._shape)
        return module

    def encoder(self, stochastic: bool = False, noise: int = 0):
        """x → code, or x → (mean, log variance). Its last hidden layer is called "features".

        `noise`: if above 0, the encoder is (x, noise) → code with so many numbers of noise.

        Raises:
            ValueError: this set of networks has no encoder that takes noise.
        """
        arguments = {"noise": noise} if noise else {}
        if noise and self._set not in ("mixture", "placeholders"):
            raise ValueError(
                f"noise for the encoder must be 0 for network {self._set!r}; got {noise}"
            )
        sizes = self._shape, self._latent, self._width, self._bounded
        return self._draw.encoder(*sizes, stochastic, **arguments)

    def generator(self, logits: bool = False):
        """z → x, or z → a with x = 2 sigmoid(a) - 1 if `logits`; points have no range."""
        return self._draw.generator(self._latent, self._shape, self._width, logits)

    def discriminator(self):
        """x → logit."""
        return self._draw.discriminator(self._shape, None, self._width)

    def feature_discriminator(self):
        """x → (logit, features): the raw output of the layer called "similarity".

        That is the last convolution (of `residual`, the sum in its last block), or the last linear
        layer before the head if there are none, ahead of batch norm and nonlinearity.
        """
        judge = self.discriminator()
        outputs = [judge.output, judge.get_layer("similarity").output]
        return keras.Model(judge.input, outputs, name="discriminator")

    def critic(self):
        """x → score, without batch norm: the gradient of each score is that of one example.

        Raises:
            ValueError: this set of networks has none.
        """
        if not hasattr(self._draw, "critic"):
            raise ValueError(
                f"network of a critic must be one of {', '.join(CRITICAL)}; got {self._set!r}"
            )
        return self._draw.critic(self._shape, self._width)

    def class_generator(self, classes: int, shared: bool = False):
        """(z, y) → x: a generator of z and of a vector that is CLASS_SCALE at y and 0 elsewhere.

        `shared`: z alone is generated, as a hidden layer of the size of x, and each class has a
        linear layer of its own from there to x.
        """
        z, y = keras.Input(code_shape(self._latent)), keras.Input((), dtype="int32")
        named = ops.one_hot(y, classes)
        if shared:
            return keras.Model([z, y], self._class_heads(flat_codes(z), named), name="generator")
        code = keras.layers.Concatenate()([flat_codes(z), CLASS_SCALE * named])
        make = self._draw.generator(code.shape[1], self._shape, self._width, False)
        return keras.Model([z, y], make(code), name="generator")

    def _class_heads(self, z, named):
        *sides, channels = self._shape
        classes, image = named.shape[1], len(self._shape) == 3
        hidden = (*sides, self._width) if image else (32 * self._width,)
        make = self._draw.generator(z.shape[1], hidden, self._width, True)
        hidden = keras.layers.ReLU()(batch_norm()(make(z)))
        units = channels * classes
        if image:
            weights = initializer()
            layer = keras.layers.Conv2D(units, 5, padding="same", kernel_initializer=weights)
        else:
            layer = dense(units, weights=keras.initializers.GlorotUniform)
        every = keras.layers.Reshape((*self._shape, classes))(layer(hidden))
        named = keras.layers.Reshape((*[1] * len(self._shape), classes))(named)
        end = keras.layers.Activation("tanh" if image else "linear", dtype="float32")
        return end(ops.sum(every * ops.cast(named, every.dtype), axis=-1))

    def class_discriminator(self, classes: int):
        """x → (logit, logits of the classes): two linear heads on the last hidden layer."""
        judge = self.discriminator()
        hidden = judge.output._keras_history.operation.input
        named = dense(classes, dtype="float32", name="classes")(hidden)
        return keras.Model(judge.input, [judge.output, named], name="discriminator")

    def code_discriminator(self):
        """z → logit."""
        return codes.discriminator(self._latent, self._width)

    def translator(self):
        """x → x of another domain."""
        return translators.translator(self._shape, self._width)

    def map_encoder(self):
        """x → a code of a translator: a map (h / 2, w / 2, channels), or a vector of a point."""
        return translators.encoder(self._shape, self._width)

    def map_block(self):
        """Code of `map_encoder` → code of the same shape."""
        return translators.block(self._shape, self._width)

    def map_generator(self):
        """Code of `map_encoder` → x."""
        return translators.generator(self._shape, self._width)

    def patch_discriminator(self):
        """x → a score for each patch of it."""
        return translators.patch_discriminator(self._shape, self._width)

    def joint_discriminator(self):
        """(x, z) → logit."""
        return self._draw.discriminator(self._shape, self._latent, self._width)

    def joint_scores_discriminator(self):
        """(x, z) → [s_xz, s_x, s_z]: three logits, of the pair, of x alone and of z alone.

        The discriminator of BigBiGAN (Donahue and Simonyan 2019, arXiv:1907.02544) is F(x), H(z)
        and J(F(x), H(z)) with a linear head on each; the heads are layers called "score_xz",
        "score_x" and "score_z".

        Raises:
            ValueError: this set of networks has none.
        """
        if not hasattr(self._draw, "joint_scores"):
            name = self._draw.__name__.rpartition(".")[2]
            raise ValueError(
                f"network {name!r} has no discriminator with three scores; take one of "
                f"{', '.join(CONVOLUTIONAL)}"
            )
        return self._draw.joint_scores(self._shape, self._latent, self._width)
