"""The fully connected networks of ALI's 2-D toy (Dumoulin et al. 2017, arXiv:1606.00704).

Hidden layers of 400 units in the encoder and the generator, of 200 maxout units with 5 pieces in
the discriminator; `width` scales them, 32 being the paper's. The output is linear: points are not
images and have no range.
"""

import keras
from keras import layers
from keras import ops

from zoo.networks.layers import batch_norm
from zoo.networks.layers import code_head
from zoo.networks.layers import dense
from zoo.networks.layers import logit


def check(shape: tuple) -> None:
    """Raises ValueError for anything but points."""
    if len(shape) != 1:
        raise ValueError(
            f"network 'mixture' takes points, not examples of shape {shape}; "
            "for images use 'dcgan' or 'mlp'"
        )


def rectified(h, width):
    """400 rectified units with batch norm."""
    return layers.ReLU()(batch_norm()(dense(400 * width // 32, bias=False)(h)))


def maxout(h, width, pieces=5, **kwargs):
    """200 units, each the largest of 5 linear functions (Goodfellow et al. 2013)."""
    units = 200 * width // 32
    return ops.max(layers.Reshape((units, pieces))(dense(units * pieces, **kwargs)(h)), axis=-1)


def encoder(shape, latent_dim, width, bounded, stochastic, noise=0):
    """x → code, or (mean, log variance); (x, noise (n, `noise`)) → the same if `noise` > 0."""
    inputs = x = keras.Input(shape)
    if noise:
        inputs = [x, keras.Input((noise,))]
        x = layers.Concatenate()(inputs)
    features = layers.Identity(name="features")(rectified(rectified(x, width), width))
    code = code_head(features, latent_dim, bounded, stochastic)
    return keras.Model(inputs, code, name="encoder")


def generator(latent_dim, shape, width, logits):
    """z → point, unbounded, with or without `logits`."""
    z = hidden = keras.Input((latent_dim,))
    for _ in range(4):
        hidden = rectified(hidden, width)
    return keras.Model(z, dense(shape[0], dtype="float32")(hidden), name="generator")


def discriminator(shape, latent_dim, width):
    """x → logit, or (x, z) → logit if `latent_dim` is given."""
    inputs = x = keras.Input(shape)
    if latent_dim is not None:
        inputs = [x, keras.Input((latent_dim,))]
        x = layers.Concatenate()(inputs)
    for name in (None, None, "similarity"):
        x = maxout(x, width, name=name)
    return keras.Model(inputs, logit(x), name="discriminator")


def critic(shape, width):
    """x → score: the discriminator, which has no batch norm."""
    return discriminator(shape, None, width)
