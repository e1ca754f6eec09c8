"""VAE: its bound and its likelihood, on models whose likelihood is known."""

import keras
import numpy as np
import pytest
from games import examples
from games import losses_of
from games import make
from keras import ops

import zoo
from zoo.metrics import likelihood
from zoo.metrics.likelihood import binarized
from zoo.metrics.likelihood import log_likelihood

VARIANCE = 0.3
# Columns at right angles: the posterior of a linear model is then of independent coordinates.
MATRIX = np.array([[2.0, 0.0], [0.0, 0.5], [0.0, 1.0]])
OFFSET = np.array([0.3, -1.0, 2.0])


class Linear(zoo.VAE):
    """x = MATRIX z + OFFSET + noise of VARIANCE, with its true posterior as the encoder."""

    def build_networks(self, draw):
        x, z = keras.Input((3,)), keras.Input((2,))
        heads = [keras.layers.Dense(2)(x), keras.layers.Dense(2)(x)]
        self.encoder = keras.Model(x, heads, name="encoder")
        self.generator = keras.Model(z, keras.layers.Dense(3)(z), name="generator")
        precision = np.eye(2) + MATRIX.T @ MATRIX / VARIANCE
        to_mean = np.linalg.solve(precision, MATRIX.T / VARIANCE)
        mean, log_var = self.encoder.layers[1:]
        mean.set_weights([to_mean.T, -to_mean @ OFFSET])
        log_var.set_weights([np.zeros((3, 2)), -np.log(np.diag(precision))])
        self.generator.layers[-1].set_weights([MATRIX.T, OFFSET])


def linear_game(**arguments):
    return Linear(
        (3,), latent_dim=2, network="mixture", likelihood="gaussian", variance=VARIANCE, **arguments
    )


def exact(x):
    """log N(x; OFFSET, MATRIX MATRIXᵀ + VARIANCE I) of each row, float64."""
    covariance = MATRIX @ MATRIX.T + VARIANCE * np.eye(3)
    off = x - OFFSET
    quadratic = np.sum(off * np.linalg.solve(covariance, off.T).T, axis=1)
    return -(quadratic + np.linalg.slogdet(covariance)[1] + 3 * np.log(2 * np.pi)) / 2


def points(n=12):
    return np.random.default_rng(0).normal(size=(n, 3)).astype("float32") + OFFSET.astype("float32")


def corners(n):
    """Four codes per example over which the mean of any quadratic is that over N(0, I)."""
    return np.tile(np.sqrt(2) * np.concatenate([np.eye(2), -np.eye(2)]), (n // 4, 1)).astype(
        "float32"
    )


def test_the_bound_is_tight_where_the_posterior_is_exact(monkeypatch):
    game = linear_game()
    monkeypatch.setattr(game, "normal_noise", corners)
    x = points()
    loss = losses_of(game, np.repeat(x, 4, axis=0), game.noise(48))["autoencoder"]
    assert loss == pytest.approx(-exact(x).mean(), rel=1e-5)
    # Any other encoder, here a shifted one, is worse by KL(q ‖ posterior).
    mean = game.encoder.layers[1]
    mean.bias.assign(mean.bias + 0.5)
    worse = losses_of(game, np.repeat(x, 4, axis=0), game.noise(48))["autoencoder"]
    precision = np.diag(np.eye(2) + MATRIX.T @ MATRIX / VARIANCE)
    assert worse - loss == pytest.approx(np.sum(0.25 * precision) / 2, rel=1e-4)


def test_beta_weighs_the_kl_term_alone(monkeypatch):
    x = np.repeat(points(), 4, axis=0)
    losses = []
    for beta in (0.0, 1.0, 3.0):
        game = linear_game(beta=beta)
        monkeypatch.setattr(game, "normal_noise", corners)
        losses.append(losses_of(game, x, game.noise(48))["autoencoder"])
    assert losses[2] - losses[0] == pytest.approx(3 * (losses[1] - losses[0]), rel=1e-5)
    mean, log_var = (part.numpy() for part in game.posterior(x))
    kl = np.sum(mean**2 + np.exp(log_var) - 1 - log_var) / 2 / len(x)
    assert losses[1] - losses[0] == pytest.approx(kl, rel=1e-5)


@pytest.mark.parametrize("k", [1, 7, 30])
def test_importance_weights_of_the_exact_posterior_are_all_the_likelihood(k, monkeypatch):
    monkeypatch.setattr(likelihood, "IMAGES", 5)
    monkeypatch.setattr(likelihood, "DRAWS", 7)
    np.testing.assert_allclose(
        log_likelihood(linear_game(), points(), k), exact(points()), rtol=1e-5
    )


def test_importance_sampling_corrects_a_wrong_posterior():
    game = linear_game()
    mean, log_var = game.encoder.layers[1], game.encoder.layers[2]
    mean.bias.assign(mean.bias + 0.3)
    log_var.bias.assign(log_var.bias + 0.7)
    elbo, many = (log_likelihood(game, points(), k) for k in (1, 5000))
    assert np.mean(exact(points()) - elbo) > 0.2
    np.testing.assert_allclose(many, exact(points()), atol=0.1)


def test_a_bernoulli_likelihood_agrees_with_quadrature():
    """One code coordinate: log ∫ p(x|z) N(z) dz over a fine grid, in NumPy."""
    game = zoo.VAE((4, 4, 1), latent_dim=1, network="tanh", width=4)
    for variable in game.generator.trainable_variables:
        variable.assign(3 * variable)
    x = binarized(np.random.default_rng(1).uniform(-1, 1, (6, 4, 4, 1)))
    z = np.linspace(-8, 8, 2001)
    logits = game.generator(z[:, None].astype("float32")).numpy().reshape(2001, 1, -1).astype(float)
    white = (x.reshape(6, -1) + 1) / 2
    log_p = np.sum(white * logits - np.logaddexp(0, logits), axis=-1)
    integrand = np.exp(log_p - z[:, None] ** 2 / 2) / np.sqrt(2 * np.pi)
    quadrature = np.log(np.sum(integrand, axis=0) * (z[1] - z[0]))
    found = log_likelihood(game, x, k=20_000, seed=3)
    np.testing.assert_allclose(found, quadrature, atol=0.05)
    np.testing.assert_array_equal(found[:1], log_likelihood(game, x, k=20_000, seed=3)[:1])
    assert np.any(found != log_likelihood(game, x, k=400, seed=4))


def test_the_loss_is_the_mean_negative_bound_in_nats_over_pixels_and_code(monkeypatch):
    game = make("vae", "tanh")
    noise = game.normal_noise(16)
    monkeypatch.setattr(game, "normal_noise", lambda n: noise)
    x = examples()
    mean, log_var = (part.numpy() for part in game.encoder(x))
    logits = game.generator(mean + np.exp(log_var / 2) * noise.numpy()).numpy()
    cross_entropy = np.sum(np.logaddexp(0, logits) - (x + 1) / 2 * logits) / 16
    kl = np.sum(mean**2 + np.exp(log_var) - 1 - log_var) / 2 / 16
    found = losses_of(game, x, game.noise(16))["autoencoder"]
    assert found == pytest.approx(cross_entropy + kl, rel=1e-5)


def test_binarised_pixels_are_drawn_afresh_with_the_grey_level_as_probability():
    game = make("vae", "tanh", binarize=True)
    x = np.full((2000, 8, 8, 1), 0.5, "float32")
    first, second = (game._binary(x).numpy() for _ in range(2))
    assert set(np.unique(first)) == {-1, 1}
    assert np.mean(first == 1) == pytest.approx(0.75, abs=0.005)
    assert np.mean(first == second) == pytest.approx(0.75**2 + 0.25**2, abs=0.01)
    ends = np.tile(np.array([-1, 1], "float32"), 32).reshape(1, 8, 8, 1)
    np.testing.assert_array_equal(game._binary(ends).numpy(), ends)
    fixed = binarized(x, seed=1)
    assert fixed.dtype == np.float32 and np.mean(fixed == 1) == pytest.approx(0.75, abs=0.005)


def test_decode_is_the_mean_of_the_pixels():
    game = make("vae", "mlp")
    z = game.prior_codes(3, seed=0)
    logits = game.generator(z, training=False).numpy()
    np.testing.assert_allclose(game.decode(z).numpy(), 2 / (1 + np.exp(-logits)) - 1, atol=1e-6)


@pytest.mark.parametrize(
    ("network", "arguments", "message"),
    [
        ("mixture", {"likelihood": "bernoulli"}, r"must be gaussian for examples of shape \(2,\)"),
        ("mlp", {"likelihood": "laplace"}, "likelihood must be bernoulli or gaussian"),
        ("mlp", {"beta": -1.0}, "beta must be 0 or more"),
        ("mlp", {"variance": 0.0}, "variance must be above 0"),
        ("mlp", {"likelihood": "gaussian", "binarize": True}, "binarize must be False unless"),
        ("mlp", {"prior": "uniform"}, "prior must be 'normal'"),
    ],
)
def test_bad_arguments_are_named(network, arguments, message):
    with pytest.raises(ValueError, match=message):
        make("vae", network, **arguments)


def test_a_likelihood_needs_a_density_and_binary_pixels():
    with pytest.raises(ValueError, match="density p\\(x|z\\), such as VAE; got BiGAN"):
        log_likelihood(make("bigan"), examples())
    with pytest.raises(ValueError, match="binary pixels"):
        log_likelihood(make("vae"), examples())
    with pytest.raises(ValueError, match="k = 0"):
        log_likelihood(make("vae"), binarized(examples()), k=0)


def test_binarize_gives_the_loss_binary_pixels(monkeypatch):
    game = make("vae", "tanh", binarize=True)
    seen, density = [], game._log_density
    monkeypatch.setattr(game, "_log_density", lambda x, out: seen.append(x) or density(x, out))
    losses_of(game, examples("tanh"), game.noise(16))
    assert set(np.unique(ops.convert_to_numpy(seen[0]))) == {-1, 1}
