"""Strided convolutions (Radford, Metz and Chintala 2016, arXiv:1511.06434) at 8 to 128 pixels.

Each stage halves the image and doubles the channels, from `width` on, until the side is odd or at
most 8; one hidden layer of 16 · `width` units joins the stages to the code. Deviations from
the paper: kernels are 4 × 4 (5 × 5 with stride 2 leaves a checkerboard), and that hidden layer.
"""

import math

import keras
from keras import layers

from zoo.networks.layers import batch_norm
from zoo.networks.layers import code_head
from zoo.networks.layers import dense
from zoo.networks.layers import initializer
from zoo.networks.layers import leaky
from zoo.networks.layers import logit


def check(shape: tuple, name: str = "dcgan", least: int = 8) -> None:
    """Raises ValueError when the networks of set `name` cannot take examples of this shape."""
    if len(shape) != 3:
        raise ValueError(
            f"network {name!r} takes images, not examples of shape {shape}; "
            "for points use 'mixture' or 'mlp'"
        )
    height, side, _ = shape
    if height != side or side % 4 or not least <= side <= 128:
        raise ValueError(
            f"network {name!r} takes square images whose side is a multiple of 4 from "
            f"{least} to 128; got {height} × {side} (resize with --image_size)"
        )


def stages(side: int) -> list:
    """Sides from the image down: 28 → [28, 14, 7], 64 → [64, 32, 16, 8], 124 → [124, 62, 31]."""
    sides = [side, side // 2]
    while sides[-1] % 2 == 0 and sides[-1] > 8:
        sides.append(sides[-1] // 2)
    return sides


def trunk(x, side: int, width: int, last: str | None = None, join=None, normed: bool = True):
    """Strided convolutions, the last one named `last`; batch norm after all but the first.

    `join`: (convolution, whether it is the last) → what is added to it, before batch norm; asked
    for each convolution but the first. `normed`: whether there is batch norm.
    """
    strided = len(stages(side)) - 1
    for stage in range(strided):
        x = layers.Conv2D(
            width * 2**stage,
            4,
            2,
            "same",
            use_bias=not (stage and normed),
            kernel_initializer=initializer(),
            name=last if stage == strided - 1 else None,
        )(x)
        if join is not None and stage:
            x = x + join(x, stage == strided - 1)
        x = leaky()(batch_norm()(x) if stage and normed else x)
    return layers.Flatten()(x)


def same_everywhere(code, width: int):
    """The code (n, latent_dim) is added to a convolution, by one projection for every place."""
    return lambda x, last: layers.Reshape((1, 1, -1))(dense(x.shape[-1], bias=False)(code))


def as_map(code, width: int):
    """As `same_everywhere`, but the last convolution is joined by a map with values for each place.

    A hidden layer of 16 · `width` units and a linear one make it of the code.
    """
    hidden = leaky()(batch_norm()(dense(16 * width, bias=False)(code)))
    everywhere = same_everywhere(code, width)

    def join(x, last):
        places = x.shape[1:]
        if not last:
            return everywhere(x, last)
        return layers.Reshape(places)(dense(math.prod(places), bias=False)(hidden))

    return join


def encoder(shape, latent_dim, width, bounded, stochastic):
    """x → code, or (mean, log variance)."""
    x = keras.Input(shape)
    hidden = batch_norm()(dense(16 * width, bias=False)(trunk(x, shape[0], width)))
    features = leaky(name="features")(hidden)
    return keras.Model(x, code_head(features, latent_dim, bounded, stochastic), name="encoder")


def generator(latent_dim, shape, width, logits):
    """z → image in [-1, 1], or its logits."""
    z = keras.Input((latent_dim,))
    sides = stages(shape[0])
    channels = width * 2 ** (len(sides) - 2)
    hidden = layers.ReLU()(batch_norm()(dense(16 * width, bias=False)(z)))
    hidden = layers.ReLU()(batch_norm()(dense(sides[-1] ** 2 * channels, bias=False)(hidden)))
    x = layers.Reshape((sides[-1], sides[-1], channels))(hidden)
    for stage in reversed(range(len(sides) - 2)):
        x = layers.Conv2DTranspose(
            width * 2**stage, 4, 2, "same", use_bias=False, kernel_initializer=initializer()
        )(x)
        x = layers.ReLU()(batch_norm()(x))
    x = layers.Conv2DTranspose(shape[-1], 4, 2, "same", kernel_initializer=initializer())(x)
    end = layers.Activation("linear" if logits else "tanh", dtype="float32")
    return keras.Model(z, end(x), name="generator")


def discriminator(shape, latent_dim, width, joined=None):
    """x → logit, or (x, z) → logit if `latent_dim` is given: z joins after the convolutions.

    `joined`: how z joins the convolutions too: `same_everywhere` or `as_map`.
    """
    x = keras.Input(shape)
    z = keras.Input((latent_dim,)) if latent_dim is not None else None
    join = joined(z, width) if joined and z is not None else None
    # In this order: the layer takes its initial weights before the convolutions do.
    hidden = leaky()(dense(16 * width)(trunk(x, shape[0], width, last="similarity", join=join)))
    if z is None:
        return keras.Model(x, logit(hidden), name="discriminator")
    code = leaky()(dense(16 * width)(z))
    joint = leaky()(dense(16 * width)(layers.Concatenate()([hidden, code])))
    return keras.Model([x, z], logit(joint), name="discriminator")


def critic(shape, width):
    """x → score: the discriminator without batch norm."""
    x = keras.Input(shape)
    hidden = leaky()(dense(16 * width)(trunk(x, shape[0], width, normed=False)))
    return keras.Model(x, logit(hidden), name="critic")


def joint_scores(shape, latent_dim, width, joined=None):
    """(x, z) → [s_xz, s_x, s_z]: scores of the pair, of x alone and of z alone.

    `joined`: the pair has convolutions of its own, which z joins in this way (see `discriminator`);
    without it the features of x serve for both of the scores that see x.
    """
    x, z = keras.Input(shape), keras.Input((latent_dim,))

    def seen(join=None, last=None):
        return leaky()(dense(16 * width)(trunk(x, shape[0], width, last=last, join=join)))

    image = seen(last="similarity")
    code = leaky()(dense(16 * width)(z))
    both = layers.Concatenate()([seen(joined(z, width)) if joined else image, code])
    scores = [
        logit(leaky()(dense(16 * width)(both)), name="score_xz"),
        logit(image, name="score_x"),
        logit(code, name="score_z"),
    ]
    return keras.Model([x, z], scores, name="discriminator")
