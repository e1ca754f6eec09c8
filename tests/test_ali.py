"""ALI: what its paper claims, on numbers that can be checked by hand."""

import numpy as np
import pytest
from games import examples
from games import gradient
from games import losses_of
from games import make
from games import silent
from keras import ops

from zoo import ali


@pytest.mark.parametrize("network", ["dcgan", "mlp", "mixture"])
def test_both_losses_are_2_log_2_where_the_discriminator_cannot_tell(network):
    game = silent(make("ali", network))
    found = losses_of(game, examples(network), game.noise(16))
    assert found == pytest.approx(dict.fromkeys(found, 2 * np.log(2)), rel=1e-6)


def test_codes_are_drawn_and_pairs_are_judged_as_the_value_function_says(monkeypatch):
    game = make("ali", "mlp")
    x, z, noise = examples(), game.noise(16), game.normal_noise(16)
    monkeypatch.setattr(game, "normal_noise", lambda n: noise)
    mean, log_var = (part.numpy() for part in game.encoder(x, training=True))
    code = mean + np.sqrt(np.exp(log_var)) * noise.numpy()
    real = game.discriminator([x, code], training=True).numpy().astype("float64")
    fake = game.discriminator([game.generator(z, training=True), z], training=True).numpy()
    found = losses_of(game, x, z)
    minus_log = lambda a: np.mean(np.log1p(np.exp(-a)))  # noqa: E731
    assert found["discriminator"] == pytest.approx(minus_log(real) + minus_log(-fake), rel=1e-5)
    assert found["encoder_generator"] == pytest.approx(minus_log(-real) + minus_log(fake), rel=1e-5)


def test_the_encoder_learns_mean_and_variance_through_the_draw():
    game = make("ali", "mlp")
    found = gradient(game, "encoder_generator", examples(), game.noise(16))
    encoder = found[: len(game.encoder.trainable_variables)]
    assert all(np.any(g) for g in encoder)


def test_encode_is_the_mean_and_always_the_same():
    game = make("ali", "mlp")
    mean, _ = game.encoder(examples(), training=False)
    for _ in range(2):
        np.testing.assert_array_equal(game.encode(examples()).numpy(), mean.numpy())


def test_an_encoder_with_noise_inputs_draws_its_codes_from_them(monkeypatch):
    game = make("ali", "mixture", noise_inputs=2)
    assert [i.shape for i in game.encoder.input] == [(None, 2), (None, 2)]
    x, z = ops.convert_to_tensor(examples("mixture")), game.noise(16)
    noise = ops.convert_to_tensor(np.random.default_rng(1).normal(size=(16, 2)), "float32")
    monkeypatch.setattr(ali, "drawn", lambda sampler, n, length, seed: noise)
    code = game.encoder([x, noise], training=True)
    real = game.discriminator([x, code], training=True).numpy().astype("float64")
    fake = game.discriminator([game.generator(z, training=True), z], training=True).numpy()
    expected = np.mean(np.log1p(np.exp(-real))) + np.mean(np.log1p(np.exp(fake)))
    assert losses_of(game, x, z)["discriminator"] == pytest.approx(expected, rel=1e-5)
    # Another draw is another code; `encode` is the code of zero noise.
    assert np.abs(game.encoder([x, 0 * noise], training=True) - code).max() > 1e-3
    expected = game.encoder([x, 0 * noise], training=False).numpy()
    np.testing.assert_allclose(game.encode(x).numpy(), expected, rtol=1e-6)
    assert game.features(x).shape == (16, 50)
    assert type(game).from_config(game.get_config()).noise_inputs == 2


@pytest.mark.parametrize(
    "network, noise, message",
    [
        ("dcgan", 2, "noise for the encoder must be 0 for network 'dcgan'; got 2"),
        ("mixture", -1, "noise_inputs must be 0 or more; got -1"),
    ],
)
def test_noise_inputs_that_cannot_be_are_refused(network, noise, message):
    with pytest.raises(ValueError, match=message):
        make("ali", network, noise_inputs=noise)


@pytest.mark.parametrize("method, arguments", [("bigan", {}), ("ali", {"noise_inputs": 2})])
def test_only_a_gaussian_encoder_has_a_posterior(method, arguments):
    game = make(method, "mixture", **arguments)
    with pytest.raises(ValueError, match="gives codes, not a mean and a log variance"):
        game.posterior(np.zeros((3, 2), "float32"))
    mean, log_variance = make("ali", "mixture", noise_inputs=0).posterior(np.zeros((3, 2)))
    assert mean.shape == log_variance.shape
