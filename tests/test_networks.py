"""Every set of networks draws every kind that a method can ask for."""

import keras
import numpy as np
import pytest
from games import SHAPES

from zoo.networks import BACKBONES
from zoo.networks import CONVOLUTIONAL
from zoo.networks import Backbone
from zoo.networks import dcgan
from zoo.networks.layers import SpectralNorm


class Sizes:
    """As much of a game as a backbone reads."""

    latent_dim, width, prior, players, fixed = 3, 4, "normal", {}, ()

    def __init__(self, network, shape=None):
        self.network, self.image_shape = network, shape or SHAPES[network]


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


@pytest.mark.parametrize("network", [n for n in BACKBONES if n != "mixture"])
def test_logits_are_those_of_the_same_generator(network):
    draw, z = Backbone(Sizes(network)), np.random.default_rng(0).normal(size=(5, 3))
    plain, logits = draw.generator(), draw.generator(logits=True)
    logits.set_weights(plain.get_weights())
    squash = (lambda a: 2 / (1 + np.exp(-a)) - 1) if network in ("mlp", "tanh") else np.tanh
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


@pytest.mark.parametrize("network", CONVOLUTIONAL)
def test_three_scores_are_of_the_pair_of_x_and_of_z(network):
    judge = Backbone(Sizes(network)).joint_scores_discriminator()
    for variable in judge.trainable_variables:  # the small initial weights would hide what moves
        variable.assign(variable * 10)
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (2, *SHAPES[network])).astype("float32")
    z = rng.normal(size=(2, 3)).astype("float32")
    assert [layer.name for layer in judge.layers[-3:]] == ["score_xz", "score_x", "score_z"]
    first, other_z, other_x = (
        [np.asarray(score) for score in judge(pair)] for pair in ([x, z], [x, z + 1], [-x, z])
    )
    assert [score.shape for score in first] == [(2, 1)] * 3
    changed = [[np.any(a != b) for a, b in zip(first, o)] for o in (other_z, other_x)]
    assert changed == [[True, False, True], [True, True, False]]


def test_sets_without_three_scores_name_those_that_have_them():
    with pytest.raises(ValueError, match=f"'mlp' has no .* one of {', '.join(CONVOLUTIONAL)}"):
        Backbone(Sizes("mlp")).joint_scores_discriminator()


@pytest.mark.parametrize("pairs", ["joint_discriminator", "joint_scores_discriminator"])
def test_the_code_joins_every_convolution_of_dcgan_joint_but_the_first(pairs):
    shape, judges = (64, 64, 3), {}
    for network in ("dcgan", "dcgan_joint"):
        draw = Backbone(Sizes(network, shape))
        judges[network] = [v.shape for v in getattr(draw, pairs)().trainable_variables]
        assert [layer.name for layer in draw.discriminator().layers].count("similarity") == 1
    plain, joined = (judges[network].count((3, 8)) for network in ("dcgan", "dcgan_joint"))
    assert (plain, joined) == (0, 1)  # 64 → 32 → 16 → 8: stages of 4, 8 and 16 channels
    assert judges["dcgan_joint"].count((3, 16)) == 1 and judges["dcgan_joint"].count((3, 4)) == 0
    if pairs == "joint_discriminator":
        assert len(judges["dcgan_joint"]) == len(judges["dcgan"]) + 2


@pytest.mark.parametrize("pairs", ["joint_discriminator", "joint_scores_discriminator"])
def test_dcgan_map_joins_the_last_convolution_by_a_map_of_the_code(pairs):
    draw = Backbone(Sizes("dcgan_map", (64, 64, 3)))
    judge = getattr(draw, pairs)()
    kernels = [v.shape for v in judge.trainable_variables]
    # 64 → 32 → 16 → 8: the second convolution as in dcgan_joint, the last one place by place.
    assert kernels.count((3, 8)) == 1 and kernels.count((3, 16)) == 0
    assert kernels.count((16 * 4, 8 * 8 * 16)) == 1
    assert [layer.name for layer in draw.discriminator().layers].count("similarity") == 1


def test_only_the_map_of_a_code_differs_from_place_to_place():
    x, z = keras.Input((8, 8, 6)), keras.Input((3,))
    codes = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")
    for way, differs in ((dcgan.same_everywhere, False), (dcgan.as_map, True)):
        added = keras.Model(z, way(z, 4)(x, True))(codes)
        assert bool(np.ptp(np.array(added), axis=(1, 2)).max() > 0) is differs


@pytest.mark.parametrize("shape", [(28, 28, 1), (32, 32, 3), (60, 60, 3), (128, 128, 3)])
def test_residual_takes_grey_and_colour_at_every_size_and_normalises_all_of_its_judges(shape):
    draw = Backbone(Sizes("residual", shape))
    encoder, generator = draw.encoder(), draw.generator()
    z = np.random.default_rng(0).normal(size=(2, 3)).astype("float32")
    image = generator(z)
    assert image.shape == (2, *shape) and encoder(image).shape == (2, 3)
    for judge in (draw.joint_discriminator(), draw.joint_scores_discriminator()):
        assert np.all(np.isfinite(np.ravel(judge([np.array(image), z])[0])))
        weighted = [layer for layer in judge.layers if layer.trainable_variables]
        assert {type(layer) for layer in weighted} == {SpectralNorm}


@pytest.mark.parametrize("side", [24, 30, 132])
def test_residual_names_the_sides_that_it_takes(side):
    with pytest.raises(
        ValueError, match=f"'residual' takes .* from 28 to 128; got {side} × {side}"
    ):
        Backbone(Sizes("residual", (side, side, 3))).encoder()


def test_residual_refuses_images_that_are_not_square():
    with pytest.raises(ValueError, match="'residual' takes square images .* got 32 × 64"):
        Backbone(Sizes("residual", (32, 64, 3))).encoder()


def test_placeholders_have_the_inputs_and_outputs_of_the_networks_they_stand_for():
    sets = [Backbone(Sizes("dcgan"), network) for network in ("placeholders", "dcgan")]
    builders = [name for name in vars(Backbone) if not name.startswith("_")]
    assert {"encoder", "generator", "joint_scores_discriminator"} < set(builders)
    for name in builders:
        classes = {"classes": 3} if name.startswith("class") else {}
        for options in ({}, {"stochastic": True}) if name == "encoder" else (classes,):
            small, drawn = (getattr(draw, name)(**options) for draw in sets)
            assert [i.shape for i in small.inputs] == [i.shape for i in drawn.inputs]
            # Features may have any shape.
            answers = 1 if name == "feature_discriminator" else None
            shapes = [[o.shape for o in net.outputs[:answers]] for net in (small, drawn)]
            assert shapes[0] == shapes[1], name
            assert len(small.outputs) == len(drawn.outputs)
