"""Residual networks with spectral normalisation, at 28 to 128 pixels.

The up- and downsampling blocks of SNGAN (Miyato, Kataoka, Koyama and Yoshida 2018,
arXiv:1802.05957), which BigBiGAN uses too (Donahue and Simonyan 2019, arXiv:1907.02544). A block is
two 3 × 3 convolutions, each after a nonlinearity, beside a 1 × 1 convolution; it halves or doubles
the side. Sides go down until odd or 4; channels double with every block, from `width` on.
Discriminators have spectral normalisation in every layer but ACGAN's head of classes, and no batch
norm; the generator and the encoder have batch norm.

Deviations: the encoder flattens its last block and has one hidden layer of 16 · `width` units
before the code, as `dcgan` has, so that a code may hold positions; weights are N(0, 0.02²).
"""

import keras
from keras import layers
from keras import ops

from zoo.networks import dcgan
from zoo.networks.layers import SpectralNorm
from zoo.networks.layers import batch_norm
from zoo.networks.layers import code_head
from zoo.networks.layers import dense
from zoo.networks.layers import initializer
from zoo.networks.layers import leaky


def check(shape: tuple) -> None:
    """Raises ValueError when these networks cannot take examples of this shape."""
    dcgan.check(shape, "residual", least=28)


def stages(side: int) -> list:
    """Sides from the image down: 28 → [28, 14, 7], 64 → [64, 32, 16, 8, 4]."""
    sides = [side]
    while sides[-1] % 2 == 0 and sides[-1] > 4:
        sides.append(sides[-1] // 2)
    return sides


def convolution(x, channels, kernel=3, normed=False, bias=False):
    """A convolution with stride 1; if `normed`, with spectral norm and a bias.

    A layer followed by batch norm, here or in a later block, needs no bias: its gradient would be
    rounding errors, and Adam would follow them. (n, h, w, c) → (n, h, w, channels).
    """
    made = layers.Conv2D(
        channels,
        kernel,
        padding="same",
        use_bias=bias or normed,
        kernel_initializer=initializer(),
    )
    return SpectralNorm(made)(x) if normed else made(x)


def rectified(x, normalised):
    """ReLU, after batch norm if `normalised`."""
    return layers.ReLU()(batch_norm()(x) if normalised else x)


def down(x, channels, normed, first=False, name=None):
    """A block that halves the side: batch norm, or spectral norm in its place if `normed`.

    `first`: the block that takes the image itself, without a nonlinearity in front. `name`: of the
    sum of its two paths. (n, h, w, c) → (n, h / 2, w / 2, channels).
    """
    hidden = x if first else rectified(x, not normed)
    hidden = convolution(hidden, channels, normed=normed)
    hidden = convolution(rectified(hidden, not normed), channels, normed=normed)
    beside = convolution(x, channels, 1, normed=normed)
    # Pooling is linear: pooling the sum is pooling both paths.
    return layers.AveragePooling2D(2)(layers.Add(name=name)([hidden, beside]))


def up(x, channels):
    """A block that doubles the side. (n, h, w, c) → (n, 2 h, 2 w, channels)."""
    hidden = convolution(layers.UpSampling2D()(rectified(x, True)), channels)
    hidden = convolution(rectified(hidden, True), channels)
    # A 1 × 1 convolution and copying pixels commute; this order needs a fourth of the work.
    return layers.Add()([hidden, layers.UpSampling2D()(convolution(x, channels, 1))])


def trunk(x, side, width, normed, last=None):
    """The blocks from the image down; the sum in the last one is named `last`."""
    blocks = len(stages(side)) - 1
    for block in range(blocks):
        name = last if block == blocks - 1 else None
        x = down(x, width * 2**block, normed, first=block == 0, name=name)
    return rectified(x, not normed)


def encoder(shape, latent_dim, width, bounded, stochastic):
    """x → code, or (mean, log variance)."""
    x = keras.Input(shape)
    convolved = layers.Flatten()(trunk(x, shape[0], width, normed=False))
    features = leaky(name="features")(batch_norm()(dense(16 * width, bias=False)(convolved)))
    return keras.Model(x, code_head(features, latent_dim, bounded, stochastic), name="encoder")


def generator(latent_dim, shape, width, logits):
    """z → image in [-1, 1], or its logits."""
    z = keras.Input((latent_dim,))
    sides = stages(shape[0])
    channels = [width * 2**block for block in range(len(sides) - 1)]
    x = dense(sides[-1] ** 2 * channels[-1])(z)
    x = layers.Reshape((sides[-1], sides[-1], channels[-1]))(x)
    for block in reversed(range(len(channels))):
        x = up(x, channels[max(block - 1, 0)])
    x = convolution(rectified(x, True), shape[-1], bias=True)
    end = layers.Activation("linear" if logits else "tanh", dtype="float32")
    return keras.Model(z, end(x), name="generator")


def discriminator(shape, latent_dim, width):
    """x → logit, or (x, z) → logit if `latent_dim` is given: z joins after the blocks."""
    if latent_dim is None:
        x = keras.Input(shape)
        return keras.Model(x, score(image_features(x, width)), name="discriminator")
    inputs, (pair, _, _) = joined(shape, latent_dim, width)
    return keras.Model(inputs, score(pair), name="discriminator")


def joint_scores(shape, latent_dim, width):
    """(x, z) → [s_xz, s_x, s_z]: scores of the pair, of x alone and of z alone."""
    inputs, features = joined(shape, latent_dim, width)
    names = ("score_xz", "score_x", "score_z")
    scores = [score(part, name=name) for part, name in zip(features, names, strict=True)]
    return keras.Model(inputs, scores, name="discriminator")


def joined(shape, latent_dim, width):
    """Inputs x and z, and the features of (x, z), of x and of z: BigBiGAN's J(F, H), F and H."""
    inputs = x, z = [keras.Input(shape), keras.Input((latent_dim,))]
    image, code = image_features(x, width), hidden(hidden(z, width), width)
    pair = hidden(hidden(layers.Concatenate()([image, code]), width), width)
    return inputs, (pair, image, code)


def image_features(x, width):
    """The last block, summed over height and width. (n, h, w, c) → (n, channels)."""
    return ops.sum(trunk(x, x.shape[1], width, normed=True, last="similarity"), axis=(1, 2))


def hidden(x, width):
    """16 · `width` units with spectral normalisation and leaky ReLU."""
    return leaky()(SpectralNorm(dense(16 * width))(x))


def score(features, name=None):
    """One unbounded number per example, float32 under every policy."""
    return SpectralNorm(dense(1, dtype="float32"), name=name)(features)
