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


def dense(units: int, bias: bool = True, **kwargs):
    """Fully connected, no activation."""
    return layers.Dense(units, use_bias=bias, kernel_initializer=initializer(), **kwargs)


def code_head(features, latent_dim: int, bounded: bool, stochastic: bool, **options):
    """The code of `features`, or its mean and log variance; float32 under every policy.

    From features of unit second moment times ½, as batch norm and a rectifier leave them, codes
    start with variance 1, the prior's. Started much smaller, they let a discriminator tell pairs
    by the norm of the code alone, and for epochs nobody learns anything.

    Args:
        features: (n, units).
        latent_dim: length of the code.
        bounded: the prior lives on [-1, 1]^latent_dim, so the code (or mean) is squashed to it.
        stochastic: also return log σ², clipped to [-10, 10] so that no exponential overflows.
        **options: of `Dense`, in place of the above.
    """
    options = {"kernel_initializer": keras.initializers.VarianceScaling(2.0), **options}

    def linear():
        return layers.Dense(latent_dim, dtype="float32", **options)(features)

    mean = linear()
    if bounded:
        mean = 2 * ops.sigmoid(mean) - 1
    return [mean, ops.clip(linear(), -10, 10)] if stochastic else mean


def logit(features, bias: bool = True):
    """One unbounded number per example, float32 under every policy."""
    return dense(1, bias=bias, dtype="float32")(features)


def flat_size(shape: tuple) -> int:
    """How many numbers one example has."""
    return math.prod(shape)
