"""The networks of `dcgan`, but in the joint discriminator the code joins at every depth.

In `dcgan` the code z meets the image behind the convolutions, so only the last layers judge pairs.
Here a linear projection of z, the same at every place, is also added to each convolution after the
first, before batch norm and nonlinearity, as the fully connected networks of BiGAN's authors join
it to each of their layers (Donahue, Krähenbühl and Darrell 2017, arXiv:1605.09782). The
discriminator of images is that of `dcgan`. With three scores, pairs and images alone pass
convolutions of their own, since the score of an image must not see z.
"""

from zoo.networks import dcgan
from zoo.networks.dcgan import critic as critic
from zoo.networks.dcgan import encoder as encoder
from zoo.networks.dcgan import generator as generator


def check(shape: tuple) -> None:
    """Raises ValueError when these networks cannot take examples of this shape."""
    dcgan.check(shape, "dcgan_joint")


def discriminator(shape, latent_dim, width):
    """x (n, *shape) → logit, or (x, z (n, latent_dim)) → logit if `latent_dim` is given."""
    return dcgan.discriminator(shape, latent_dim, width, joined=dcgan.same_everywhere)


def joint_scores(shape, latent_dim, width):
    """(x, z) → [s_xz, s_x, s_z], with convolutions of its own for the pair."""
    return dcgan.joint_scores(shape, latent_dim, width, joined=dcgan.same_everywhere)
