"""The networks of the one-layer VAE of Burda, Grosse and Salakhutdinov 2016 (arXiv:1509.00519).

Encoder x → 200 → 200 → code and its mirror image, all tanh, without batch norm; pixels enter in
[0, 1]. `width` scales the hidden layers, 32 being the paper's. Weights are Glorot's, as in the
authors' code: with N(0, 0.02²), which batch norm corrects in other sets, a layer of 200 tanh units
would shrink its signal to 28 %. Deviation: the bias of the last layer starts at 0, not at the
log-odds of the mean training image. The discriminators have the shape of the encoder; they are
ours.
"""

import keras
from keras import layers

from zoo.networks.layers import code_head
from zoo.networks.layers import dense
from zoo.networks.layers import flat_size
from zoo.networks.layers import logit
from zoo.networks.layers import symmetric
from zoo.networks.layers import unit_pixels

GLOROT = keras.initializers.GlorotUniform


def check(shape: tuple) -> None:
    """Raises ValueError for points, which have no range that a squashed output could cover."""
    if len(shape) != 3:
        raise ValueError(
            f"network 'tanh' takes images, not examples of shape {shape}; for points use 'mixture'"
        )


def linear(h, width, **kwargs):
    """200 linear units at width 32."""
    return dense(200 * width // 32, weights=GLOROT, **kwargs)(h)


def squashed(h, **kwargs):
    return layers.Activation("tanh", **kwargs)(h)


def encoder(shape, latent_dim, width, bounded, stochastic):
    """x → code, or (mean, log variance)."""
    x = keras.Input(shape)
    hidden = squashed(linear(unit_pixels(x), width))
    features = squashed(linear(hidden, width), name="features")
    code = code_head(features, latent_dim, bounded, stochastic, weights=GLOROT)
    return keras.Model(x, code, name="encoder")


def generator(latent_dim, shape, width, logits):
    """z → x in [-1, 1], or its logits."""
    z = keras.Input((latent_dim,))
    hidden = squashed(linear(squashed(linear(z, width)), width))
    pixels = dense(flat_size(shape), weights=GLOROT, dtype="float32")(hidden)
    pixels = layers.Reshape(shape, dtype="float32")(pixels)
    return keras.Model(z, pixels if logits else symmetric(pixels), name="generator")


def discriminator(shape, latent_dim, width):
    """x → logit, or (x, z) → logit if `latent_dim` is given."""
    inputs = x = keras.Input(shape)
    hidden = unit_pixels(x)
    if latent_dim is not None:
        inputs = [x, keras.Input((latent_dim,))]
        hidden = layers.Concatenate()([hidden, inputs[1]])
    hidden = squashed(linear(squashed(linear(hidden, width)), width, name="similarity"))
    return keras.Model(inputs, logit(hidden, weights=GLOROT), name="discriminator")


def critic(shape, width):
    """x → score: the discriminator, which has no batch norm."""
    return discriminator(shape, None, width)
