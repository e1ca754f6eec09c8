"""The encoder and the generator of the counterexample (Arora, Risteski, Zhang, arXiv:1711.02651).

Nothing here is trained: `lookup` finds the stored image of a code by search and gather, `relu` is
the network of Theorem 3, dense layers whose weights that are not zero can be counted. Codes have
unit variance here; pixels are scaled to the noise when they are written and read. Everything is
float32 under every policy, and copying does not round: pixels equal z exactly.
"""

import keras
import numpy as np
from keras import layers
from keras import ops
from scipy.stats import norm

# Width of the soft step in units of the code: a power of two, so that dividing by it is exact.
RAMP = 2.0**-16

# Beyond it the one-hot layer of `relu`, stored dense, would not fit into memory.
MOST_RELU_SUPPORT = 2048


def noise_pixels(size: int, latent_dim: int) -> np.ndarray:
    """Indices of the overwritten pixels among `size`: the first multiples of q, counted from 1."""
    return size // latent_dim * np.arange(1, latent_dim + 1) - 1


def root(support: int, cuts: int) -> int:
    """k with k^cuts = support, or 0 if it is not a whole number of at least 2."""
    k = round(support ** (1 / cuts)) if cuts > 0 else 0
    return k if k >= 2 and k**cuts == support else 0


def most_cuts(support: int, latent_dim: int) -> int:
    """The largest number of coordinates, up to `latent_dim`, for which `support` has a root."""
    return max(r for r in range(1, latent_dim + 1) if root(support, r))


def thresholds(intervals: int) -> np.ndarray:
    """Edges that cut |z| into `intervals` of equal probability, z ~ N(0, 1); float32 (k - 1,)."""
    share = np.arange(1, intervals) / intervals
    return norm.ppf((1 + share) / 2).astype(np.float32)


def blocks(z, intervals: int, cuts: int):
    """Number of the block of each code, Σ k^i · interval of |z_i|. (n, latent_dim) → int32 (n,)."""
    edges = ops.convert_to_tensor(thresholds(intervals))
    places = ops.searchsorted(edges, ops.reshape(ops.abs(z[:, :cuts]), (-1,)), side="right")
    digits = ops.reshape(ops.cast(places, "int32"), (-1, cuts))
    return ops.sum(digits * np.array([intervals**i for i in range(cuts)], "int32"), axis=1)


def overwritten(x, values, pixels: np.ndarray):
    """x with flattened `pixels` set to `values`. (n, ...), (n, len(pixels)) → (n, ...); copies."""
    size = int(np.prod(x.shape[1:]))
    source = np.zeros(size, "int32")
    source[pixels] = np.arange(len(pixels))
    written = np.zeros(size, bool)
    written[pixels] = True
    flat = ops.where(written, ops.take(values, source, axis=1), ops.reshape(x, (-1, size)))
    return ops.reshape(flat, (-1, *x.shape[1:]))


class Memory(layers.Layer):
    """z → the stored image of its block, in [-1, 1]. Images are kept as bytes."""

    def __init__(self, shape: tuple, support: int, cuts: int):
        super().__init__(name="memory", dtype="float32")
        self.images = self.add_weight(
            shape=(support, *shape),
            dtype="uint8",
            initializer="zeros",
            trainable=False,
            name="images",
        )
        self.intervals, self.cuts = root(support, cuts), cuts

    def call(self, z):
        bytes_ = ops.take(self.images, blocks(z, self.intervals, self.cuts), axis=0)
        return to_unit(ops.cast(bytes_, "float32"))

    def compute_output_shape(self, shape):
        return (shape[0], *self.images.shape[1:])


class Overwrite(layers.Layer):
    """(image, z) → the image with its noise pixels set to s·z."""

    def __init__(self, pixels: np.ndarray, scale: float):
        super().__init__(name="overwrite", dtype="float32")
        self.pixels, self.scale = pixels, scale

    def call(self, inputs):
        image, z = inputs
        return overwritten(image, z * self.scale, self.pixels)


class Select(layers.Layer):
    """Image → its noise pixels, divided by s: the code."""

    def __init__(self, pixels: np.ndarray, scale: float):
        super().__init__(name="features", dtype="float32")
        self.pixels, self.scale = pixels, scale

    def call(self, x):
        flat = ops.reshape(x, (-1, int(np.prod(x.shape[1:]))))
        return ops.take(flat, self.pixels, axis=1) / self.scale


def to_unit(bytes_):
    """Floats in [0, 255] to [-1, 1], bit for bit as `zoo.datasets.scale`."""
    return (bytes_ - np.float32(127.5)) * np.float32(1 / 127.5)


def lookup(shape, pixels, support, cuts, scale):
    """(encoder, generator) by search and gather."""
    x, z = keras.Input(shape), keras.Input((len(pixels),))
    image = Overwrite(pixels, scale)([Memory(shape, support, cuts)(z), z])
    return (
        keras.Model(x, Select(pixels, scale)(x), name="encoder"),
        keras.Model(z, image, name="generator"),
    )


def memory(shape, latent_dim, support, cuts):
    """The generator that looks the stored image of the block of z up, and changes nothing of it."""
    z = keras.Input((latent_dim,))
    return keras.Model(z, Memory(shape, support, cuts)(z), name="generator")


def relu(shape, pixels, support, cuts, scale):
    """(encoder, generator) as the networks of the paper: linear, and ReLU.

    Weights of G that are not zero, biases aside, with k = m^(1/r): index r·(4k - 2), one-hot 4m,
    memory m·(d - d̃), skip d̃. E has d̃.

    Raises:
        ValueError: `support` is above MOST_RELU_SUPPORT.
    """
    if support > MOST_RELU_SUPPORT:
        raise ValueError(
            f"circuit 'relu' takes a support of up to {MOST_RELU_SUPPORT}, got {support}; "
            "take 'lookup'"
        )
    size, count, k = int(np.prod(shape)), len(pixels), root(support, cuts)
    x, z = keras.Input(shape), keras.Input((count,))
    selector = np.zeros((size, count))
    selector[pixels, np.arange(count)] = 1 / scale
    code = _fixed(selector, name="features")(layers.Flatten(dtype="float32")(x))
    one_hot = _one_hot(_index(z, count, cuts, k), support)
    memory = _fixed(np.zeros((support, size)), name="memory")(one_hot)
    skip = _fixed(selector.T * scale**2, name="overwrite")(z)
    image = layers.Reshape(shape, dtype="float32")(layers.Add(dtype="float32")([memory, skip]))
    return keras.Model(x, code, name="encoder"), keras.Model(z, image, name="generator")


def _index(z, count, cuts, k):
    """z → the number of its block, a float; exact but where a |z_i| is in a ramp."""
    edges = np.tile(thresholds(k).astype(np.float64), cuts)
    owner = np.repeat(np.arange(cuts), k - 1)
    halves = np.zeros((count, 2 * cuts))
    halves[np.arange(cuts), np.arange(cuts)] = 1
    halves[np.arange(cuts), cuts + np.arange(cuts)] = -1
    # |z_i| = relu(z_i) + relu(-z_i); the step is 0 up to a ramp below its edge, and 1 from the edge
    # on. Saturating twice keeps rounding inside the ramp, which one difference of ReLUs does not.
    rises = np.zeros((2 * cuts, len(edges)))
    rises[owner, np.arange(len(edges))] = rises[cuts + owner, np.arange(len(edges))] = 1 / RAMP
    u = _fixed(rises, 1 - edges / RAMP, "relu")(_fixed(halves, activation="relu")(z))
    missing = _fixed(-np.eye(len(edges)), np.ones(len(edges)), "relu")(u)
    weight = float(k) ** owner
    return _fixed(-weight[:, None], [weight.sum()])(missing)


def _one_hot(n, support):
    """relu(1 - relu(n - t) - relu(t - n)) for every t below `support`."""
    t = np.arange(support)
    signs = np.concatenate([np.ones(support), -np.ones(support)])
    away = _fixed(signs[None], np.concatenate([-t, t]), "relu")(n)
    both = -np.concatenate([np.eye(support), np.eye(support)])
    return _fixed(both, np.ones(support), "relu")(away)


def _fixed(kernel, bias=None, activation=None, name=None):
    """A dense layer with these weights."""
    return layers.Dense(
        np.shape(kernel)[1],
        activation,
        use_bias=bias is not None,
        kernel_initializer=lambda shape, dtype=None: ops.convert_to_tensor(kernel, dtype),
        bias_initializer=lambda shape, dtype=None: ops.convert_to_tensor(bias, dtype),
        trainable=False,
        dtype="float32",
        name=name,
    )


def remember(generator, images, pixels) -> None:
    """Store `images`, uint8 (m, h, w, c), in a generator made here."""
    memory = generator.get_layer("memory")
    images = np.asarray(images)
    wanted = (memory.weights[0].shape[0], *generator.output_shape[1:])
    if images.dtype != np.uint8 or images.shape != wanted:
        raise ValueError(
            f"the generator stores {wanted[0]} images of bytes, uint8 {wanted}; "
            f"got {images.dtype} {images.shape}"
        )
    if isinstance(memory, Memory):
        memory.images.assign(images)
        return
    kernel = to_unit(images.reshape(len(images), -1).astype(np.float32))
    kernel[:, pixels] = 0  # the skip connection writes these
    memory.kernel.assign(kernel)


CIRCUITS = {"lookup": lookup, "relu": relu}
