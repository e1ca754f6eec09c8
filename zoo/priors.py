"""Priors p(z) of the codes: each draws an array of independent codes."""

import math

import keras
from keras import ops


def normal(shape, seed):
    """Standard normal draws."""
    return keras.random.normal(shape, seed=seed)


def uniform(shape, seed):
    """Draws from the box [-1, 1]^d."""
    return keras.random.uniform(shape, -1.0, 1.0, seed=seed)


def mixture(shape, seed):
    """Draws from ten Gaussians in the plane, set like petals around the origin.

    The shape of the mixture of Makhzani et al. 2015 (arXiv:1511.05644). The sizes are ours: centres
    at distance 2, standard deviation 0.5 along the radius and 0.15 across it.
    """
    # One draw serves for all three: two draws from the same whole-number seed would be correlated.
    return petals(keras.random.normal((shape[0], 3), seed=seed))


def petals(noise):
    """Codes of the "mixture" from standard normal noise. (n, 3) → (n, 2)."""
    share = (1 + ops.erf(noise[:, 2] / math.sqrt(2))) / 2
    angle = 2 * math.pi / 10 * ops.floor(10 * share)
    outward, across = 2 + 0.5 * noise[:, 0], 0.15 * noise[:, 1]
    sine, cosine = ops.sin(angle), ops.cos(angle)
    return ops.stack([cosine * outward - sine * across, sine * outward + cosine * across], axis=1)


PRIORS = {"normal": normal, "uniform": uniform, "mixture": mixture}

# A prior in the plane needs codes of two coordinates.
PLANAR = ("mixture",)

# A prior with bounded support needs an encoder whose range is that support.
BOUNDED = ("uniform",)


def code_shape(latent_dim: int | tuple) -> tuple:
    """Shape of one code: (latent_dim,), or (h, w, c) if `latent_dim` is such a shape."""
    return latent_dim if isinstance(latent_dim, tuple) else (latent_dim,)


def draw(sampler, n, shape: tuple, seed):
    """n codes of `sampler`; under tf.distribute, this replica's slice of one draw for all.

    `keras.random` gives every replica the same numbers, so each must take others.
    """
    replicas, replica = _replica()
    z = sampler((replicas * n, *shape), seed=seed)
    # The size is not computed from the replica: XLA, hence a TPU, needs it fixed.
    return ops.slice(z, (replica * n, *(0 for _ in shape)), (n, *shape))


def with_noise(x, std: float, seed):
    """x (n, ...) plus fresh normal noise of standard deviation `std`; x itself if that is 0."""
    return x + std * draw(normal, ops.shape(x)[0], x.shape[1:], seed) if std else x


def _replica():
    """(number of replicas, index of the current one)."""
    if keras.backend.backend() != "tensorflow":
        return 1, 0
    import tensorflow as tf

    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return 1, 0
    return context.num_replicas_in_sync, ops.cast(context.replica_id_in_sync_group, "int32")
