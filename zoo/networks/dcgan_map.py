"""The networks of `dcgan_joint`, but the joint discriminator makes a map of the code.

In `dcgan_joint` the code adds the same values at every place of a convolution, so it cannot say
which part of the image should be dark. Here two layers make of it a value for each place and
channel of the last convolution, so the pair is compared place by place. The layers are ours.
"""

from zoo.networks import dcgan
from zoo.networks.dcgan import critic as critic
from zoo.networks.dcgan import encoder as encoder
from zoo.networks.dcgan import generator as generator


def check(shape: tuple) -> None:
    """Raises ValueError when these networks cannot take examples of this shape."""
    dcgan.check(shape, "dcgan_map")


def discriminator(shape, latent_dim, width):
    """x (n, *shape) → logit, or (x, z (n, latent_dim)) → logit if `latent_dim` is given."""
    return dcgan.discriminator(shape, latent_dim, width, joined=dcgan.as_map)


def joint_scores(shape, latent_dim, width):
    """(x, z) → [s_xz, s_x, s_z], with convolutions of its own for the pair."""
    return dcgan.joint_scores(shape, latent_dim, width, joined=dcgan.as_map)
