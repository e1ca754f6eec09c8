"""Every set of networks draws every kind that a method can ask for."""

import numpy as np
import pytest
from games import SHAPES

from zoo.networks import BACKBONES
from zoo.networks import Backbone


class Sizes:
    """As much of a game as a backbone reads."""

    latent_dim, width, prior = 3, 4, "normal"

    def __init__(self, network):
        self.network, self.image_shape = network, SHAPES[network]


@pytest.mark.parametrize("network", BACKBONES)
def test_every_kind_has_its_inputs_and_outputs(network):
    draw, shape = Backbone(Sizes(network)), SHAPES[network]
    assert draw.encoder().output.shape == (None, 3)
    assert [o.shape for o in draw.encoder(stochastic=True).output] == [(None, 3)] * 2
    assert draw.encoder().get_layer("features")
    assert draw.generator().output.shape == draw.generator(logits=True).output.shape
    assert draw.generator().output.shape == (None, *shape)
    assert draw.discriminator().output.shape == (None, 1)
    joint, codes, judge = (
        draw.joint_discriminator(),
        draw.code_discriminator(),
        draw.feature_discriminator(),
    )
    assert [i.shape for i in joint.input] == [(None, *shape), (None, 3)]
    assert codes.input.shape == (None, 3) and codes.output.shape == (None, 1)
    assert judge.output[0].shape == (None, 1)
    assert judge.output[1] is judge.get_layer("similarity").output
    assert len(judge.weights) == len(draw.discriminator().weights)


@pytest.mark.parametrize("network", ["dcgan", "mlp", "tanh"])
def test_logits_are_those_of_the_same_generator(network):
    draw, z = Backbone(Sizes(network)), np.random.default_rng(0).normal(size=(5, 3))
    plain, logits = draw.generator(), draw.generator(logits=True)
    logits.set_weights(plain.get_weights())
    squash = np.tanh if network == "dcgan" else lambda a: 2 / (1 + np.exp(-a)) - 1
    np.testing.assert_allclose(plain(z).numpy(), squash(logits(z).numpy()), atol=1e-6)


def test_tanh_is_the_network_of_its_paper():
    sizes = Sizes("tanh")
    sizes.image_shape, sizes.latent_dim, sizes.width = (28, 28, 1), 50, 32
    draw = Backbone(sizes)
    encoder, generator = draw.encoder(stochastic=True), draw.generator()
    hidden = 784 * 200 + 200 + 200 * 200 + 200
    assert encoder.count_params() == hidden + 2 * (200 * 50 + 50)
    assert generator.count_params() == 50 * 200 + 200 + 200 * 200 + 200 + 200 * 784 + 784
    codes = encoder(np.random.default_rng(0).uniform(-1, 1, (500, 28, 28, 1)))
    # With Glorot's weights the code of an untrained network still depends on its image.
    assert 0.05 < np.std(codes[0].numpy(), axis=0).mean() < 2
    # Two heads of the same shape must not start equal.
    heads = [v.numpy() for v in encoder.trainable_variables if v.shape == (200, 50)]
    assert len(heads) == 2 and np.any(heads[0] != heads[1])
