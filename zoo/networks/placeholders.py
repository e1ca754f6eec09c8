"""Networks that have the shapes of the others and almost no weights.

They hold the required shapes when the caller gives all networks of a method, so that examples may
have any shape; they are replaced before anything is trained.
"""

import math

import keras
from keras import layers
from keras import ops

from zoo.priors import code_shape


def check(shape: tuple) -> None:
    """Accepts any shape."""


def _network(name, inputs, **outputs):
    """Inputs of these shapes → outputs of these names and shapes."""
    tensors = [keras.Input(shape) for shape in inputs]
    flat = [layers.Flatten()(tensor) for tensor in tensors]
    hidden = layers.Concatenate()(flat) if flat[1:] else flat[0]
    hidden = layers.Dense(1, dtype="float32", name="similarity")(hidden)
    made = [
        layers.Reshape(shape, dtype="float32", name=output)(
            ops.repeat(hidden, math.prod(shape), axis=1)
        )
        for output, shape in outputs.items()
    ]
    one = [part if len(part) > 1 else part[0] for part in (tensors, made)]
    return keras.Model(*one, name=name)


def encoder(shape, latent_dim, width, bounded, stochastic, noise=0):
    """x → code, or (mean, log variance); with noise, (x, noise) → code."""
    outputs = ("code", "log_variance") if stochastic else ("code",)
    inputs = [shape, (noise,)] if noise else [shape]
    return _network("encoder", inputs, **dict.fromkeys(outputs, code_shape(latent_dim)))


def generator(latent_dim, shape, width, logits):
    """z → x."""
    return _network("generator", [code_shape(latent_dim)], x=shape)


def discriminator(shape, latent_dim, width):
    """x → logit, or (x, z) → logit if `latent_dim` is given."""
    inputs = [shape] if latent_dim is None else [shape, code_shape(latent_dim)]
    return _network("discriminator", inputs, logit=(1,))


def joint_scores(shape, latent_dim, width):
    """(x, z) → [s_xz, s_x, s_z]."""
    scores = dict.fromkeys(("score_xz", "score_x", "score_z"), (1,))
    return _network("discriminator", [shape, code_shape(latent_dim)], **scores)


def critic(shape, width):
    """x → score."""
    return _network("critic", [shape], score=(1,))
