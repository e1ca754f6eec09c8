"""The discriminator of codes, which every set of networks shares: two hidden layers, leaky ReLU.

It has no batch norm: normalising codes and prior draws in batches of their own would remove the
mean and the scale by which they differ.
"""

import keras

from zoo.networks.layers import dense
from zoo.networks.layers import flat_codes
from zoo.networks.layers import leaky
from zoo.networks.layers import logit
from zoo.priors import code_shape


def discriminator(latent_dim, width):
    """z → logit, through two layers of 32 · `width` units."""
    z = keras.Input(code_shape(latent_dim))
    hidden = flat_codes(z)
    for _ in range(2):
        hidden = leaky()(dense(32 * width)(hidden))
    return keras.Model(z, logit(hidden), name="code_discriminator")
