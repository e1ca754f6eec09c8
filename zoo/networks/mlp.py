"""The permutation-invariant MNIST networks of BiGAN's authors (Donahue et al. 2017).

Two hidden layers of 32 · `width` units (1,024 at the default width), no biases, batch norm without
gain or bias after the second layer of the encoder and the discriminator and after both of the
generator. Pixels enter as the authors' do, in [0, 1]. A code joins a hidden layer through a linear
projection added before the nonlinearity, in every layer after the first.
"""

import keras
from keras import layers

from zoo.networks.layers import batch_norm
from zoo.networks.layers import code_head
from zoo.networks.layers import dense
from zoo.networks.layers import flat_size
from zoo.networks.layers import initializer
from zoo.networks.layers import leaky
from zoo.networks.layers import logit
from zoo.networks.layers import symmetric
from zoo.networks.layers import unit_pixels


def check(shape: tuple) -> None:
    """Accepts any shape."""


def linear(units, **kwargs):
    return dense(units, bias=False, **kwargs)


def encoder(shape, latent_dim, width, bounded, stochastic):
    """x → code, or (mean, log variance)."""
    x = keras.Input(shape)
    hidden = leaky()(linear(32 * width)(unit_pixels(x)))
    features = leaky(name="features")(batch_norm(affine=False)(linear(32 * width)(hidden)))
    code = code_head(features, latent_dim, bounded, stochastic, bias=False, weights=initializer)
    return keras.Model(x, code, name="encoder")


def generator(latent_dim, shape, width, logits):
    """z → x in [-1, 1], or its logits; points have no range."""
    z = keras.Input((latent_dim,))
    hidden = layers.ReLU()(batch_norm(affine=False)(linear(32 * width)(z)))
    joined = linear(32 * width)(hidden) + linear(32 * width)(z)
    hidden = layers.ReLU()(batch_norm(affine=False)(joined))
    pixels = dense(flat_size(shape), bias=False, dtype="float32")(hidden)
    pixels = layers.Reshape(shape, dtype="float32")(pixels)
    free = logits or len(shape) == 1
    return keras.Model(z, pixels if free else symmetric(pixels), name="generator")


def discriminator(shape, latent_dim, width):
    """x → logit, or (x, z) → logit if `latent_dim` is given."""
    x = keras.Input(shape)
    hidden = leaky()(linear(32 * width)(unit_pixels(x)))
    joined = linear(32 * width, name="similarity")(hidden)
    inputs = x
    if latent_dim is not None:
        z = keras.Input((latent_dim,))
        joined, inputs = joined + linear(32 * width)(z), [x, z]
    hidden = leaky()(batch_norm(affine=False)(joined))
    return keras.Model(inputs, logit(hidden, bias=False), name="discriminator")


def critic(shape, width):
    """x → score: the discriminator without batch norm."""
    x = keras.Input(shape)
    hidden = leaky()(linear(32 * width)(leaky()(linear(32 * width)(unit_pixels(x)))))
    return keras.Model(x, logit(hidden, bias=False), name="critic")
