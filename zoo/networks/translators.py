"""Networks from one set of examples to another, and their discriminators; the same in all sets.

A translator can also be had in parts, between which its hidden layer is a code: an encoder, blocks
that keep the shape of the code, and a generator.

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


def check(shape: tuple) -> None:
    """Raises ValueError if networks cannot take examples of this shape: one convolution halves."""
    if len(shape) == 3 and (shape[0] % 2 or shape[1] % 2):
        raise ValueError(
            f"height and width of translated images must be even; got {shape[0]} × {shape[1]} "
            "(resize with --image_size)"
        )


def translator(shape, width):
    """x → x of the other domain, of the same shape; images in [-1, 1]."""
    check(shape)
    x = keras.Input(shape)
    if len(shape) != 3:
        hidden = x
        for _ in range(2):
            hidden = layers.ReLU()(_dense(32 * width)(hidden))
        return keras.Model(x, x + _dense(shape[0], dtype="float32")(hidden), name="translator")
    hidden = _down(x, width)
    for _ in range(BLOCKS):
        hidden = _block(hidden, 2 * width)
    return keras.Model(x, _up(hidden, shape, width), name="translator")


def encoder(shape, width):
    """x → a map (h / 2, w / 2, 2 · width); (2 · width,) of a point."""
    check(shape)
    x = keras.Input(shape)
    if len(shape) == 3:
        return keras.Model(x, _down(x, width), name="encoder")
    hidden = layers.ReLU()(_dense(32 * width)(x))
    return keras.Model(x, _dense(2 * width)(hidden), name="encoder")


def block(shape, width):
    """Map → map of the same shape, float32: a residual block on codes of `encoder`."""
    code = keras.Input(encoder(shape, width).output.shape[1:])
    if len(shape) == 3:
        made = _block(code, 2 * width)
    else:
        made = code + _dense(2 * width)(layers.ReLU()(_dense(32 * width)(code)))
    return keras.Model(code, layers.Activation("linear", dtype="float32")(made), name="block")


def generator(shape, width):
    """Map → x, from the codes of `encoder`."""
    code = keras.Input(encoder(shape, width).output.shape[1:])
    if len(shape) == 3:
        return keras.Model(code, _up(code, shape, width), name="generator")
    hidden = layers.ReLU()(_dense(32 * width)(code))
    return keras.Model(code, _dense(shape[0], dtype="float32")(hidden), name="generator")


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


def _down(x, width):
    hidden = layers.ReLU()(_normalised(x, width, 5))
    return layers.ReLU()(_normalised(hidden, 2 * width, 4, 2))


def _block(x, channels):
    inner = layers.ReLU()(_normalised(x, channels, 3))
    return x + _normalised(inner, channels, 3)


def _up(x, shape, width):
    hidden = _normalised(x, width, 4, 2, kind=layers.Conv2DTranspose)
    hidden = _convolution(shape[-1], 5)(layers.ReLU()(hidden))
    return layers.Activation("tanh", dtype="float32")(hidden)


def _convolution(channels, size, stride=1, kind=layers.Conv2D, **kwargs):
    return kind(channels, size, stride, "same", kernel_initializer=initializer(), **kwargs)


def _dense(units, **kwargs):
    return dense(units, weights=keras.initializers.GlorotUniform, **kwargs)


def _normalised(x, *sizes, **kwargs):
    """A convolution of x, and instance norm: each channel of an image to mean 0 and variance 1."""
    # A bias would be removed with the mean.
    x = _convolution(*sizes, use_bias=False, **kwargs)(x)
    return layers.LayerNormalization(axis=(1, 2), epsilon=1e-5, center=False, scale=False)(x)
