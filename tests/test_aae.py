"""AAE: what its paper claims, on numbers that can be checked by hand."""

import numpy as np
import pytest
from games import examples
from games import gradient
from games import losses_of
from games import make
from games import silent
from games import step

import zoo
from zoo.priors import PRIORS


@pytest.mark.parametrize("stochastic", [False, True])
def test_a_discriminator_that_cannot_tell_costs_2_log_2_and_the_encoder_log_2(stochastic):
    game = silent(make("aae", stochastic=stochastic))
    found = losses_of(game, examples(), game.noise(16))
    assert found["discriminator"] == pytest.approx(2 * np.log(2), rel=1e-6)
    assert found["encoder"] == pytest.approx(np.log(2), rel=1e-6)


def test_reconstruction_is_summed_over_pixels_and_prior_draws_are_the_real_ones():
    game = make("aae", "mlp")
    x, z = examples(), game.noise(16)
    code = game.encoder(x, training=True)
    error = (x - game.generator(code, training=True).numpy()) ** 2
    prior, posterior = (game.code_discriminator(c).numpy().astype("float64") for c in (z, code))
    found = losses_of(game, x, z)
    assert found["autoencoder"] == pytest.approx(error.sum() / len(x), rel=1e-5)
    minus_log = lambda a: np.mean(np.log1p(np.exp(-a)))  # noqa: E731
    both = minus_log(prior) + minus_log(-posterior)
    assert found["discriminator"] == pytest.approx(both, rel=1e-5)
    assert found["encoder"] == pytest.approx(minus_log(posterior), rel=1e-5)


@pytest.mark.parametrize("stochastic", [False, True])
def test_the_generator_gets_no_gradient_from_the_regulariser(stochastic):
    game = make("aae", "mlp", stochastic=stochastic)
    found = gradient(game, "encoder", examples(), game.noise(16), of="autoencoder")
    encoder = len(game.encoder.trainable_variables)
    assert all(np.any(g) for g in found[:encoder])
    assert not any(np.any(g) for g in found[encoder:])


def statistics(network):
    norms = (layer for layer in network.layers if hasattr(layer, "moving_mean"))
    return [v.numpy() for layer in norms for v in (layer.moving_mean, layer.moving_variance)]


@pytest.mark.parametrize("eager", [True, False])
def test_the_generator_runs_once_in_a_step_and_the_encoder_three_times(eager):
    game, other = (make("aae", "dcgan", rate=0.0, eager=eager) for _ in range(2))
    x = examples("dcgan")
    step(game, x)
    for _ in range(3):
        code = other.encoder(x, training=True)
    other.generator(code, training=True)
    for name in ("encoder", "generator"):
        found, expected = statistics(getattr(game, name)), statistics(getattr(other, name))
        assert found
        for one, two in zip(found, expected, strict=True):
            np.testing.assert_allclose(one, two, rtol=1e-5, atol=1e-6)


def test_the_code_discriminator_has_no_batch_norm():
    game = make("aae")
    kinds = {type(layer).__name__ for layer in game.code_discriminator.layers}
    assert kinds == {"InputLayer", "Dense", "LeakyReLU"}


def test_the_mixture_prior_is_ten_petals_with_the_moments_it_names():
    game = zoo.AAE((8, 8, 1), latent_dim=2, width=4, prior="mixture")
    z = np.asarray(game.prior_codes(40_000, seed=3), "float64")
    angle = np.arctan2(z[:, 1], z[:, 0])
    petal = np.round(angle / (2 * np.pi / 10)).astype(int) % 10
    np.testing.assert_allclose(np.bincount(petal) / len(z), np.full(10, 0.1), atol=0.01)
    turned = angle - 2 * np.pi / 10 * petal
    outward, across = np.hypot(*z.T) * np.cos(turned), np.hypot(*z.T) * np.sin(turned)
    assert outward.mean() == pytest.approx(2, abs=0.02)
    assert outward.std() == pytest.approx(0.5, abs=0.02)
    assert across.std() == pytest.approx(0.15, abs=0.01)
    np.testing.assert_array_equal(z, np.asarray(game.prior_codes(40_000, seed=3)))
    assert PRIORS["mixture"]((7, 2), seed=0).shape == (7, 2)
    assert np.isfinite(list(losses_of(game, examples(), game.noise(16)).values())).all()
