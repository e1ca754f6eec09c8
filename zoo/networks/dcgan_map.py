"""The networks of `dcgan_joint`, but the joint discriminator makes a map of the code.

In `dcgan_joint` the code adds the same values at every place of a convolution, so it cannot say
which part of the image should be dark. Here two layers make of it a value for each place and
channel of the last convolution, so the pair is compared place by place. The layers are ours.
"""

from functools import partial

from zoo.networks import dcgan
from zoo.networks.dcgan import critic as critic
from zoo.networks.dcgan import encoder as encoder
from zoo.networks.dcgan import generator as generator

check = partial(dcgan.check, name="dcgan_map")
discriminator = partial(dcgan.discriminator, joined=dcgan.as_map)
joint_scores = partial(dcgan.joint_scores, joined=dcgan.as_map)
