"""The layers that every set of networks shares, with the papers' constants instead of Keras'."""

import math

import keras
from keras import layers
from keras import ops


def initializer():
    """Weights N(0, 0.02²) (Radford et al. 2016)."""
    return keras.initializers.RandomNormal(stddev=0.02)


def batch_norm(affine: bool = True):
    """Batch norm over the global batch: two replicas normalise as one would.

    `affine`: whether it learns a gain and a bias.
    """
    return layers.BatchNormalization(
        momentum=0.9,
        epsilon=1e-5,
        center=affine,
        scale=affine,
        synchronized=keras.backend.backend() == "tensorflow",
    )


def leaky(slope: float = 0.2, **kwargs):
    """Leaky ReLU."""
    return layers.LeakyReLU(negative_slope=slope, **kwargs)


def dense(units: int, bias: bool = True, weights=initializer, **kwargs):
    """Fully connected, no activation. `weights`: makes a fresh initializer for each layer."""
    return layers.Dense(units, use_bias=bias, kernel_initializer=weights(), **kwargs)


def prior_scale():
    """Weights that turn what batch norm and a rectifier leave into outputs of variance 1.

    Codes that start much smaller than the prior's let a discriminator tell pairs by the norm of
    the code alone, and for epochs nobody learns anything.
    """
    return keras.initializers.VarianceScaling(2.0)


def unit_pixels(x):
    """Flattened pixels, moved from [-1, 1] to [0, 1]."""
    return layers.Rescaling(0.5, 0.5)(layers.Flatten()(x))


def symmetric(logits):
    """2 sigmoid(a) - 1: from logits to [-1, 1]."""
    return 2 * ops.sigmoid(logits) - 1


def code_head(
    features, latent_dim: int, bounded: bool, stochastic: bool, bias=True, weights=prior_scale
):
    """The code of `features`, or its mean and log variance; float32 under every policy.

    Args:
        features: (n, units).
        latent_dim: length of the code.
        bounded: the prior lives on [-1, 1]^latent_dim, so the code (or mean) is squashed to it.
        stochastic: also return log σ², clipped to [-10, 10] so that no exponential overflows.
        bias, weights: see `dense`.
    """

    def linear():
        return dense(latent_dim, bias, weights, dtype="float32")(features)

    mean = linear()
    if bounded:
        mean = symmetric(mean)
    return [mean, ops.clip(linear(), -10, 10)] if stochastic else mean


def logit(features, bias: bool = True, weights=initializer):
    """One unbounded number per example, float32 under every policy."""
    return dense(1, bias, weights, dtype="float32")(features)


def flat_size(shape: tuple) -> int:
    """How many numbers one example has."""
    return math.prod(shape)
