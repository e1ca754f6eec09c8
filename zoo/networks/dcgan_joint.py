"""The networks of `dcgan`, but in the joint discriminator the code joins at every depth.

In `dcgan` the code z meets the image behind the convolutions, so only the last layers judge pairs.
Here a linear projection of z, the same at every place, is also added to each convolution after the
first, before batch norm and nonlinearity, as the fully connected networks of BiGAN's authors join
it to each of their layers (Donahue, Krähenbühl and Darrell 2017, arXiv:1605.09782). The
discriminator of images is that of `dcgan`. With three scores, pairs and images alone pass
convolutions of their own, since the score of an image must not see z.
"""

from functools import partial

from zoo.networks import dcgan
from zoo.networks.dcgan import critic as critic
from zoo.networks.dcgan import encoder as encoder
from zoo.networks.dcgan import generator as generator

check = partial(dcgan.check, name="dcgan_joint")
discriminator = partial(dcgan.discriminator, joined=dcgan.same_everywhere)
joint_scores = partial(dcgan.joint_scores, joined=dcgan.same_everywhere)
