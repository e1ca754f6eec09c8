"""BiGAN: what its paper claims, on numbers that can be checked by hand."""

import keras
import numpy as np
import pytest
from games import examples
from games import losses_of
from games import make
from games import silent

import zoo


@pytest.mark.parametrize("network", ["dcgan", "mlp"])
def test_both_losses_are_log_2_where_the_discriminator_cannot_tell(network):
    game = silent(make("bigan", network))
    found = losses_of(game, examples(), game.noise(16))
    assert found == pytest.approx(dict.fromkeys(found, np.log(2)), rel=1e-6)


def test_losses_follow_the_value_function():
    game = make("bigan", "mlp")
    x, z = keras.ops.convert_to_tensor(examples()), game.noise(16)
    real = game.discriminator([x, game.encoder(x, training=True)], training=True).numpy()
    fake = game.discriminator([game.generator(z, training=True), z], training=True).numpy()
    sigmoid = lambda a: 1 / (1 + np.exp(-a.astype("float64")))  # noqa: E731
    found = losses_of(game, x, z)
    value = np.mean(np.log(sigmoid(real))) + np.mean(np.log(1 - sigmoid(fake)))
    swapped = np.mean(np.log(1 - sigmoid(real))) + np.mean(np.log(sigmoid(fake)))
    assert found["discriminator"] == pytest.approx(-value / 2, rel=1e-5)
    assert found["encoder_generator"] == pytest.approx(-swapped / 2, rel=1e-5)


def test_the_generator_is_not_moved_by_the_encoders_pair():
    """E learns from (x, E(x)) only, G from (G(z), z) only."""
    import tensorflow as tf

    game = make("bigan", "mlp")
    z = game.noise(16)
    gradients = []
    for seed in (0, 1):
        with tf.GradientTape() as tape:
            loss = game((examples(seed=seed), z), training=True)["encoder_generator"]
        gradients.append(tape.gradient(loss, game.generator.trainable_variables))
    for a, b in zip(*gradients, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


def test_codes_of_a_uniform_prior_stay_in_its_box():
    game = zoo.BiGAN((8, 8, 1), latent_dim=3, width=4, prior="uniform")
    for variable in game.encoder.trainable_variables:
        variable.assign(variable * 100)
    codes = keras.ops.convert_to_numpy(game.encode(examples()))
    assert 0.5 < np.abs(codes).max() <= 1
    z = game.prior_codes(1000, seed=0).numpy()
    assert np.abs(z).max() <= 1
    assert np.var(z) == pytest.approx(1 / 3, rel=0.1)


def test_mlp_has_the_parameter_count_of_the_authors_networks():
    game = zoo.BiGAN((28, 28, 1), latent_dim=50, network="mlp", prior="uniform")
    count = lambda net: sum(int(np.prod(v.shape)) for v in net.trainable_variables)  # noqa: E731
    assert count(game.encoder) == 784 * 1024 + 1024 * 1024 + 1024 * 50
    assert count(game.generator) == 50 * 1024 + 1024 * 1024 + 50 * 1024 + 1024 * 784
    assert count(game.discriminator) == 784 * 1024 + 1024 * 1024 + 50 * 1024 + 1024


@pytest.mark.parametrize("side", range(8, 65, 4))
def test_dcgan_takes_every_multiple_of_4_up_to_64(side):
    game = zoo.BiGAN((side, side, 3), latent_dim=3, width=2)
    assert game.decode(game.prior_codes(2, seed=0)).shape == (2, side, side, 3)
    assert game.encode(np.zeros((2, side, side, 3), "float32")).shape == (2, 3)


@pytest.mark.parametrize("method", ["bigan", "ali", "bigbigan"])
def test_instance_noise_is_added_to_what_the_discriminator_sees_alone(method, monkeypatch):
    networks = "dcgan" if method == "bigbigan" else "mlp"
    game = make(method, networks, instance_noise=0.5)
    seen = {"encoder": [], "discriminator": []}
    for name, inputs in seen.items():
        network = getattr(game, name)
        call = lambda given, inputs=inputs, network=network: inputs.append(given) or network(given)  # noqa: E731
        monkeypatch.setattr(game, name, call)
    x = np.repeat(examples(), 50, axis=0)
    game.play(keras.ops.convert_to_tensor(x), game.noise(len(x)))
    np.testing.assert_array_equal(seen["encoder"][0], x)
    noise = np.array(seen["discriminator"][0][0]) - x
    assert noise.mean() == pytest.approx(0, abs=0.01)
    assert noise.std() == pytest.approx(0.5, rel=0.02)
    # Samples lie in [-1, 1] and cannot have such values.
    assert np.abs(seen["discriminator"][1][0]).max() > 1.5
    with pytest.raises(ValueError, match="instance_noise must be 0 or more; got -1"):
        make(method, networks, instance_noise=-1)
