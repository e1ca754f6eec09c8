"""Priors p(z) of the codes: each draws an array of independent coordinates."""

import keras
from keras import ops


def normal(shape, seed):
    """Standard normal draws."""
    return keras.random.normal(shape, seed=seed)


def uniform(shape, seed):
    """Draws from the box [-1, 1]^d."""
    return keras.random.uniform(shape, -1.0, 1.0, seed=seed)


PRIORS = {"normal": normal, "uniform": uniform}

# A prior with bounded support needs an encoder whose range is that support.
BOUNDED = ("uniform",)


def draw(sampler, n, latent_dim, seed):
    """n codes of `sampler`; under tf.distribute, this replica's slice of one draw for all.

    `keras.random` gives every replica the same numbers, so each must take others.
    """
    replicas, replica = _replica()
    z = sampler((replicas * n, latent_dim), seed=seed)
    return z[replica * n : (replica + 1) * n]


def _replica():
    """(number of replicas, index of the one that this code runs in)."""
    if keras.backend.backend() != "tensorflow":
        return 1, 0
    import tensorflow as tf

    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return 1, 0
    return context.num_replicas_in_sync, ops.cast(context.replica_id_in_sync_group, "int32")
