"""VAE/GAN: what its paper claims, on numbers that can be checked by hand."""

import numpy as np
import pytest
from games import examples
from games import gradient
from games import losses_of
from games import make
from games import same
from games import silent

import zoo


@pytest.fixture(params=["dcgan", "mlp"])
def game(request, monkeypatch):
    """A game whose noise is the same in every round."""
    made = make("vae_gan", request.param, gamma=0.5, variance=0.25)
    noise = made.normal_noise(16)
    monkeypatch.setattr(made, "normal_noise", lambda n: noise)
    return made


def judge_otherwise(game):
    """Change what the discriminator answers and leave its features as they are."""
    head = game.discriminator.trainable_variables[-1 if game.network == "mlp" else -2]
    assert head.shape[-1] == 1
    head.assign(-3 * head)


def test_losses_are_those_of_the_paper(game):
    x, z = examples(), game.noise(16)
    found = losses_of(game, x, z)
    mean, log_var = (part.numpy() for part in game.encoder(x, training=True))
    code = mean + np.exp(log_var / 2) * np.asarray(game.normal_noise(16))
    real, features = game.discriminator(x, training=True)
    _, rebuilt = game.discriminator(game.generator(code, training=True), training=True)
    fake, _ = game.discriminator(game.generator(z, training=True), training=True)
    prior = np.sum(mean**2 + np.exp(log_var) - 1 - log_var) / 2 / 16
    feature = np.sum((features.numpy() - rebuilt.numpy()) ** 2) / (2 * 0.25) / 16
    minus_log = lambda a: np.mean(np.log1p(np.exp(-a.numpy())))  # noqa: E731
    assert found["encoder"] == pytest.approx(prior + feature, rel=1e-4)
    assert found["generator"] == pytest.approx(0.5 * feature + minus_log(fake), rel=1e-4)
    assert found["discriminator"] == pytest.approx(minus_log(real) + minus_log(-fake), rel=1e-4)


def test_no_adversarial_term_reaches_the_encoder(game):
    x, z = examples(), game.noise(16)
    encoder, generator = (gradient(game, player, x, z) for player in ("encoder", "generator"))
    judge_otherwise(game)
    assert same(gradient(game, "encoder", x, z), encoder)
    assert not same(gradient(game, "generator", x, z), generator)


def test_no_feature_term_reaches_the_discriminator(game, monkeypatch):
    """Other reconstructions change what E and G learn, and nothing for D."""
    x, z = examples(), game.noise(16)
    before = {player: gradient(game, player, x, z) for player in game.players}
    monkeypatch.setattr(game, "normal_noise", lambda n: 5 * np.ones((n, 3), "float32"))
    assert same(gradient(game, "discriminator", x, z), before["discriminator"])
    assert not same(gradient(game, "generator", x, z), before["generator"])
    assert not same(gradient(game, "encoder", x, z), before["encoder"])


def test_a_discriminator_that_cannot_tell_costs_2_log_2_and_leaves_only_the_prior():
    game = silent(make("vae_gan"))
    found = losses_of(game, examples(), game.noise(16))
    assert found["discriminator"] == pytest.approx(2 * np.log(2), rel=1e-6)
    assert found["generator"] == pytest.approx(np.log(2), rel=1e-6)
    mean, log_var = (part.numpy() for part in game.encoder(examples(), training=True))
    prior = np.sum(mean**2 + np.exp(log_var) - 1 - log_var) / 2 / 16
    assert found["encoder"] == pytest.approx(prior, rel=1e-4)


def test_features_are_the_raw_output_of_the_last_convolution():
    game = zoo.VAEGAN((28, 28, 1), latent_dim=3, width=4)
    layers = game.discriminator.layers
    at = [layer.name for layer in layers].index("similarity")
    kinds = [type(layer).__name__ for layer in layers]
    assert kinds[at] == "Conv2D" and "Conv2D" not in kinds[at + 1 :]
    assert kinds[at + 1] == "BatchNormalization"
    assert game.discriminator.output[1] is layers[at].output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"gamma": 0.0}, "gamma must be above 0; got 0.0"),
        ({"variance": -1.0}, "variance must be above 0; got -1.0"),
        ({"prior": "uniform"}, "prior must be 'normal'"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        make("vae_gan", **arguments)
