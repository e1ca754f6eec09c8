"""A pool of past translations, some of which a discriminator judges in place of present ones."""

import keras
from keras import ops


class Pool(keras.layers.Layer):
    """Exchanges half of the examples for earlier ones (Shrivastava et al. 2017, arXiv:1612.07828).

    The first examples are returned, and stored until there are `size`. After that, each is
    exchanged with probability ½ for a stored one, which is returned while the example takes its
    place; the others are returned and not stored. In inference mode none is exchanged or stored.

    If there are several replicas, each has the pool of the first.

    Args:
        size: number of stored examples.
        shape: shape of one, such as (height, width, channels).
        seed_generator: the source of the draws.
    """

    def __init__(self, size: int, shape: tuple, seed_generator):
        super().__init__(dtype="float32")
        self.size, self.seed_generator = size, seed_generator
        kept = {"initializer": "zeros", "trainable": False, "aggregation": "only_first_replica"}
        self.stored = self.add_weight(shape=(size, *shape), name="stored", **kept)
        self.seen = self.add_weight(shape=(), dtype="int32", name="seen", **kept)
        self.built = True

    def call(self, x, training=None):
        """(n, *shape) → (n, *shape). Of more than `size` examples, the rest is returned."""
        if not training:
            return x
        n = ops.shape(x)[0]
        n = min(n, self.size) if isinstance(n, int) else ops.minimum(n, self.size)
        x, rest = x[:n], x[n:]
        filling = self.seen < self.size
        order = keras.random.shuffle(ops.arange(self.size), seed=self.seed_generator)
        slots = ops.where(filling, (self.seen + ops.arange(n)) % self.size, order[:n])
        past = ops.take(self.stored, slots, axis=0)
        drawn = keras.random.uniform((n,) + (1,) * (len(x.shape) - 1), seed=self.seed_generator)
        exchanged = drawn < 0.5
        kept = ops.where(ops.logical_or(filling, exchanged), x, past)
        self.stored.assign(ops.scatter_update(self.stored, slots[:, None], kept))
        self.seen.assign(ops.minimum(self.seen + n, self.size))
        returned = ops.where(ops.logical_or(filling, ops.logical_not(exchanged)), x, past)
        return ops.concatenate([returned, rest])
