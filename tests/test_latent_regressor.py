"""Latent regressor: what its paper claims, on numbers that can be checked by hand."""

import keras
import numpy as np
import pytest
from games import examples
from games import gradient
from games import losses_of
from games import make

import zoo


def test_the_error_is_per_coordinate_and_an_exact_inverse_costs_nothing():
    game, z = make("latent_regressor", "mlp"), np.array([[3.0, 0, 1], [0, 0, 2]], "float32")
    game.encoder = lambda image: keras.ops.zeros((2, 3))
    # |z|² is 10 and 4: the mean of 7 over three coordinates.
    assert losses_of(game, examples(n=2), z)["encoder"] == pytest.approx(7 / 3)
    game.encoder = lambda image: keras.ops.convert_to_tensor(z)
    assert losses_of(game, examples(n=2), z)["encoder"] == 0


def test_the_encoder_never_sees_a_real_image():
    game = make("latent_regressor", "mlp")
    z = game.prior_codes(8, seed=0)
    one, other = (gradient(game, "encoder", examples(n=8, seed=s), z) for s in (0, 1))
    assert any(np.any(g != 0) for g in one)
    for a, b in zip(one, other, strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_generator_heeds_the_encoder_only_where_they_are_joint():
    x, found = examples(n=8), {}
    for joint in (0.0, 0.25):
        game = make("latent_regressor", "mlp", joint=joint)
        z = game.prior_codes(8, seed=0)
        found[joint] = losses_of(game, x, z)
    apart, joint = found[0.0], found[0.25]
    assert apart["encoder"] == joint["encoder"]
    extra = joint["generator"] - apart["generator"]
    assert extra == pytest.approx(0.25 * joint["encoder"], rel=1e-4)


def test_the_game_of_images_is_that_of_a_gan():
    gan, game, x = make("gan", "mlp"), make("latent_regressor", "mlp"), examples(n=8)
    game.generator.set_weights(gan.generator.get_weights())
    # The losses of D and G differ visibly if its logits are not all but 0.
    game.discriminator.set_weights([3 * w for w in gan.discriminator.get_weights()])
    gan.discriminator.set_weights(game.discriminator.get_weights())
    z = gan.prior_codes(8, seed=0)
    expected, found = losses_of(gan, x, z), losses_of(game, x, z)
    assert {p: found[p] for p in expected} == pytest.approx(expected, rel=1e-5)
    assert abs(expected["discriminator"] - 2 * expected["generator"]) > 1e-3


def test_a_negative_weight_is_refused():
    with pytest.raises(ValueError, match="joint must be 0 or more; got -1"):
        zoo.LatentRegressor((8, 8, 1), joint=-1)
