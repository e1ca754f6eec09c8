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


def leaky(**kwargs):
    """Leaky ReLU."""
    return layers.LeakyReLU(negative_slope=0.2, **kwargs)


def dense(units: int, bias: bool = True, weights=initializer, **kwargs):
    """Fully connected, no activation. `weights`: makes a fresh initializer for each layer."""
    return layers.Dense(units, use_bias=bias, kernel_initializer=weights(), **kwargs)


@keras.saving.register_keras_serializable("zoo")
class SpectralNorm(layers.Wrapper):
    """A Dense or Conv2D layer whose kernel is divided by its largest singular value σ.

    Spectral normalisation (Miyato, Kataoka, Koyama and Yoshida 2018, arXiv:1802.05957). The kernel,
    seen as a matrix (inputs, units), stays as it is: a trainable weight. The vector u (units,) is
    kept beside it, and each call in training mode takes one step of the power iteration. The
    gradient goes through σ = vᵀ W u; v and u are constants. A call in inference mode reads u only.

    Args:
        layer: `keras.layers.Dense`, or `keras.layers.Conv2D` without groups.

    Raises:
        ValueError: another layer.
    """

    def __init__(self, layer, **kwargs):
        plain = isinstance(layer, layers.Dense) or getattr(layer, "groups", 0) == 1
        if not plain or not isinstance(layer, layers.Dense | layers.Conv2D):
            raise ValueError(
                f"SpectralNorm takes a Dense or a Conv2D without groups, not {type(layer).__name__}"
            )
        # σ needs float32 under every policy, so `call` casts by hand.
        kwargs = {"dtype": layer.dtype_policy, **kwargs}
        super().__init__(layer, autocast=False, **kwargs)

    def build(self, input_shape):
        super().build(input_shape)
        self.u = self.add_weight(
            shape=(self.layer.kernel.shape[-1],),
            initializer=keras.initializers.RandomNormal(),
            trainable=False,
            aggregation="only_first_replica",
            name="u",
        )

    def call(self, x, training=None):
        layer = self.layer
        kernel = ops.cast(layer.kernel / self._sigma(training), layer.compute_dtype)
        x = ops.cast(x, layer.compute_dtype)
        convolves = isinstance(layer, layers.Conv2D)
        x = layer.convolution_op(x, kernel) if convolves else ops.matmul(x, kernel)
        if layer.use_bias:
            channels_first = convolves and layer.data_format == "channels_first"
            shape = (-1, 1, 1) if channels_first else (-1,)
            x = x + ops.reshape(ops.cast(layer.bias, layer.compute_dtype), shape)
        return layer.activation(x)

    def _sigma(self, training):
        matrix = ops.reshape(self.layer.kernel, (-1, self.u.shape[0]))
        constant = ops.stop_gradient(matrix)
        u = ops.convert_to_tensor(self.u)
        v = _unit(ops.matmul(constant, u))
        if training:
            u = _unit(ops.matmul(v, constant))
            self.u.assign(u)
        else:
            u = _unit(u)
        return ops.sum(v * ops.matmul(matrix, u))

    def compute_output_shape(self, input_shape):
        return self.layer.compute_output_shape(input_shape)


def _unit(vector):
    return vector / (ops.norm(vector) + 1e-12)


def prior_scale():
    """Weights that give outputs of variance 1 after batch norm and a rectifier.

    Codes that start much smaller than the prior's let a discriminator tell pairs by the norm of
    the code alone, and then no network learns for epochs.
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


def flat_codes(z):
    """Codes (n, d) as they are, codes (n, h, w, c) as (n, h · w · c)."""
    return z if len(z.shape) == 2 else layers.Flatten()(z)


def logit(features, bias: bool = True, weights=initializer, name: str | None = None):
    """One unbounded number per example, float32 under every policy."""
    return dense(1, bias, weights, dtype="float32", name=name)(features)


def flat_size(shape: tuple) -> int:
    """The number of coordinates of one example."""
    return math.prod(shape)
