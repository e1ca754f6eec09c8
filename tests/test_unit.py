"""UNIT: what its paper claims, on numbers that can be checked by hand."""

import keras
import numpy as np
import pytest
from games import examples
from games import half
from games import make
from keras import layers

import zoo

SCALE = 5.0


def times(factor):
    """x → factor · x, in place of an encoder, a block or a generator."""
    x = keras.Input((8, 8, 1))
    return keras.Model(x, layers.Rescaling(factor)(x))


def inverted(**arguments):
    """The game of a world B = −A whose networks are right: a and −a have the code SCALE · a."""
    game = make("unit", "mlp", **arguments)
    game.encoder_a, game.encoder_b = times(SCALE), times(-SCALE)
    game.generator_a, game.generator_b = times(1 / SCALE), times(-1 / SCALE)
    game.shared_encoder, game.shared_generator = times(1.0), times(1.0)
    game.discriminator_a = game.discriminator_b = half
    return game


def test_an_image_and_its_translation_have_the_same_code():
    game, a = inverted(), examples(n=4)
    np.testing.assert_allclose(game.translate(a, 1), -a, atol=1e-6)
    np.testing.assert_allclose(game.translate(-a, 0), a, atol=1e-6)
    np.testing.assert_array_equal(np.array(game.encode(a, 0)), np.array(game.encode(-a, 1)))
    np.testing.assert_allclose(game.decode(game.encode(a, 0), 0), a, atol=1e-6)
    assert game.code_shape == (8, 8, 1)


@pytest.mark.parametrize("weights", [(3.0, 0.0, 0.0), (0.0, 3.0, 0.0), (0.0, 0.0, 3.0)])
def test_right_networks_pay_for_the_noise_of_their_codes_and_for_the_size_of_these(weights):
    a, b = examples(n=256), -examples(n=256, seed=1)
    copy, cycle, kl = weights
    game = inverted(copy=copy, cycle=cycle, kl=kl)
    found = {player: float(loss) for player, loss in game((a, b), training=True).items()}
    # D = ½ loses ½² for each of real and translated, in each domain.
    assert found["discriminators"] == pytest.approx(4 * 0.25)
    # E |n| of N(0, 1) is √(2/π), of the sum of two draws √2 as much.
    noise = np.sqrt(2 / np.pi) / SCALE
    # Codes of a and b, and of their translations, to which a draw was added.
    squares = sum(SCALE**2 * np.mean(x**2) for x in (a, b))
    expected = 2 * (0.5 - 1) ** 2 + kl * (squares + squares + 2 * 1)
    expected += copy * 2 * noise + cycle * 2 * np.sqrt(2) * noise
    assert found["autoencoders"] == pytest.approx(expected, rel=0.01)


def test_codes_of_images_have_height_and_width():
    game, x = make("unit"), examples(n=3)
    assert game.code_shape == (4, 4, 8) and game.encode(x, 0).shape == (3, 4, 4, 8)
    assert game.prior_codes(2, 0).shape == (2, 4, 4, 8)
    assert game.decode(game.prior_codes(2, 0), 1).shape == (2, 8, 8, 1)


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ({"copy": -1.0}, "copy must be 0 or more; got -1.0"),
        ({"cycle": -1.0}, "cycle must be 0 or more; got -1.0"),
        ({"kl": -0.5}, "kl must be 0 or more; got -0.5"),
        ({"prior": "uniform"}, "prior must be 'normal', .*; got 'uniform'"),
    ],
)
def test_arguments_out_of_range_are_refused(argument, message):
    with pytest.raises(ValueError, match=message):
        zoo.UNIT((8, 8, 1), **argument)


def test_each_domain_has_its_own_ends_after_training_and_equal_ones_before():
    game, x = make("unit", "dcgan"), examples("dcgan", n=3)
    copied = game.decode(game.encode(x, 0), 0)
    np.testing.assert_allclose(game.translate(x, 1), copied, atol=1e-6)
    for network in (game.encoder_b, game.generator_b):
        for variable in network.trainable_variables:
            variable.assign(variable + 0.1)
    z, served = game.encode(x, 0), game.signatures()
    for domain, letter in enumerate("ab"):
        codes, images = game.encode(x, domain), game.decode(z, domain)
        np.testing.assert_allclose(served[f"encode_{letter}"].function(x), codes, atol=1e-6)
        np.testing.assert_allclose(served[f"decode_{letter}"].function(z), images, atol=1e-6)
    assert np.abs(np.array(game.encode(x, 0)) - game.encode(x, 1)).max() > 0.1
