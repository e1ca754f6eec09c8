"""Networks from one set of examples to another, and their discriminators; the same in all sets.

Smaller than those of CycleGAN's paper (Zhu, Park, Isola and Efros 2017, arXiv:1703.10593), for
images of 28 to 64 pixels: one strided convolution instead of two, two residual blocks instead of
six or nine, and a discriminator of two strided convolutions, whose every output judges a patch of
18 × 18 pixels. Points of the plane have dense networks, and one patch.
"""

import keras
from keras import layers

from zoo.networks.layers import dense
from zoo.networks.layers import initializer
from zoo.networks.layers import leaky

BLOCKS = 2


def translator(shape, width):
    """x → x of the other domain, of the same shape; images in [-1, 1]."""
    x = keras.Input(shape)
    if len(shape) != 3:
        hidden = x
        for _ in range(2):
            hidden = layers.ReLU()(_dense(32 * width)(hidden))
        return keras.Model(x, x + _dense(shape[0], dtype="float32")(hidden), name="translator")
    hidden = layers.ReLU()(_normalised(x, width, 5))
    hidden = layers.ReLU()(_normalised(hidden, 2 * width, 4, 2))
    for _ in range(BLOCKS):
        inner = layers.ReLU()(_normalised(hidden, 2 * width, 3))
        hidden = hidden + _normalised(inner, 2 * width, 3)
    hidden = _normalised(hidden, width, 4, 2, kind=layers.Conv2DTranspose)
    hidden = _convolution(shape[-1], 5)(layers.ReLU()(hidden))
    end = layers.Activation("tanh", dtype="float32")
    return keras.Model(x, end(hidden), name="translator")


def patch_discriminator(shape, width):
    """x → scores (h / 4, w / 4, 1), one for each patch; (1,) of a point."""
    x = keras.Input(shape)
    if len(shape) != 3:
        hidden = x
        for _ in range(2):
            hidden = leaky()(_dense(32 * width)(hidden))
        return keras.Model(x, _dense(1, dtype="float32")(hidden), name="discriminator")
    hidden = leaky()(_convolution(2 * width, 4, 2)(x))
    hidden = leaky()(_normalised(hidden, 4 * width, 4, 2))
    return keras.Model(x, _convolution(1, 3, dtype="float32")(hidden), name="discriminator")


def _convolution(channels, size, stride=1, kind=layers.Conv2D, **kwargs):
    return kind(channels, size, stride, "same", kernel_initializer=initializer(), **kwargs)


def _dense(units, **kwargs):
    return dense(units, weights=keras.initializers.GlorotUniform, **kwargs)


def _normalised(x, *sizes, **kwargs):
    """A convolution of x, and instance norm: each channel of an image to mean 0 and variance 1."""
    # A bias would be removed with the mean.
    x = _convolution(*sizes, use_bias=False, **kwargs)(x)
    return layers.LayerNormalization(axis=(1, 2), epsilon=1e-5, center=False, scale=False)(x)
