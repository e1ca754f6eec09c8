"""Learning-rate plans, on numbers computed beside them, and files that hold them."""

import zipfile

import keras
import numpy as np
import pytest
from games import state

import zoo
from zoo import networks
from zoo.training.optimizers import HoldThenDecay

# Class, rate, beta_1, beta_2, epsilon; the last is that of the authors' frameworks, or of Keras.
DCGAN = ("Adam", 2e-4, 0.5, 0.999, 1e-8)
POINTS = {"mixture": ("Adam", 1e-4, 0.8, 0.999, 1e-8)}
WGAN = ("Adam", 1e-4, 0.5, 0.9, 1e-8)
ALPHA = ("Adam", 2e-4, 0.5, 0.9, 1e-8)
KERAS = ("Adam", 1e-3, 0.9, 0.999, 1e-7)
VAE_GAN = ("RMSprop", 3e-4, None, None, 1e-7)
IMAGES = ("dcgan", "dcgan_joint", "dcgan_map", "residual")
FAST = dict.fromkeys(IMAGES, ("Adam", 4e-4, 0.5, 0.999, 1e-8))
ALI = dict.fromkeys(("mlp", "tanh"), ("Adam", 1e-4, 0.5, 0.999, 1e-8))
ALI |= {"mixture": ("Adam", 1e-3, 0.8, 0.999, 1e-8)}
# Method → player → the settings, and network → those where they are others.
DEFAULTS = {
    "gan": {"discriminator": (DCGAN, POINTS), "generator": (DCGAN, POINTS)},
    "wgan": {"critic": (WGAN, {}), "generator": (WGAN, {})},
    "vae": {"autoencoder": (KERAS, {})},
    "bigan": {"discriminator": (DCGAN, FAST), "encoder_generator": (DCGAN, {})},
    "ali": {"discriminator": (DCGAN, FAST | ALI), "encoder_generator": (DCGAN, ALI)},
    "aae": {"autoencoder": (KERAS, {}), "discriminator": (DCGAN, {}), "encoder": (DCGAN, {})},
    "vae_gan": dict.fromkeys(("encoder", "generator", "discriminator"), (VAE_GAN, {})),
    "alpha_gan": dict.fromkeys(
        ("encoder", "generator", "discriminator", "code_discriminator"), (ALPHA, {})
    ),
    "latent_regressor": dict.fromkeys(("discriminator", "generator", "encoder"), (DCGAN, {})),
    "bigbigan": dict.fromkeys(("discriminator", "encoder", "generator"), (DCGAN, {})),
    "acgan": dict.fromkeys(("discriminator", "generator", "inverse"), (DCGAN, POINTS)),
    "cyclegan": dict.fromkeys(("generators", "discriminators"), (DCGAN, {})),
    "unit": dict.fromkeys(("autoencoders", "discriminators"), (DCGAN, {})),
    "naive_encoder": {"encoder": (DCGAN, {})},
}


@pytest.mark.parametrize("method", zoo.METHODS)
def test_the_optimizers_of_a_method_are_these(method):
    played = zoo.method(method)
    assert set(played.players) == set(DEFAULTS[method])
    for player, (usual, others) in DEFAULTS[method].items():
        for network in networks.BACKBONES:
            made = played.default_optimizer(player, network)
            kept = made().get_config()
            found = made.func.__name__, made.keywords["learning_rate"]
            found += tuple(kept.get(name) for name in ("beta_1", "beta_2", "epsilon"))
            assert found == others.get(network, usual), (player, network)


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (0, 2e-4),
        (100, 2e-4),
        (125, 2e-4 * 0.1),
        (112.5, 2e-4 * np.sqrt(0.1)),
        (150, 2e-6),
        (10_000, 2e-6),
    ],
)
def test_a_rate_is_held_then_falls_to_one_percent(step, expected):
    plan = HoldThenDecay(2e-4, hold_steps=100, decay_steps=50)
    assert float(plan(step)) == pytest.approx(expected, rel=1e-5)
    again = keras.optimizers.schedules.deserialize(keras.optimizers.schedules.serialize(plan))
    assert float(again(step)) == float(plan(step))


def test_players_that_share_an_optimizer_and_an_l2_without_effect_are_refused():
    game = zoo.BiGAN((8, 8, 1), latent_dim=3, network="mlp", width=4)
    adam = keras.optimizers.Adam()
    with pytest.raises(ValueError, match="an optimizer of its own; got one object for several"):
        game.compile(dict.fromkeys(game.players, adam))
    game.compile(adam, l2=0.1)
    with pytest.raises(ValueError, match="l2 must be given to PlayerOptimizers, not beside it"):
        game.compile(game.optimizer, l2=0.1)


def test_a_file_that_names_modules_as_they_were_once_is_loaded(tmp_path):
    game = zoo.BiGAN((8, 8, 1), latent_dim=3, network="mlp", width=4)
    plan = HoldThenDecay(0.01, hold_steps=3, decay_steps=4)
    game.compile({player: keras.optimizers.Adam(plan) for player in game.players})
    game.save(tmp_path / "now.keras")
    # The modules of zoo/training were in zoo itself, and classes are found by registered names.
    with (
        zipfile.ZipFile(tmp_path / "now.keras") as now,
        zipfile.ZipFile(tmp_path / "once.keras", "w") as once,
    ):
        for name in now.namelist():
            once.writestr(
                name, now.read(name).replace(b"zoo.training.optimizers", b"zoo.optimizers")
            )
        assert b"zoo.training.optimizers" in now.read("config.json")
    again = zoo.load(tmp_path / "once.keras")
    for one in again.optimizer.by_player.values():
        assert one._learning_rate.get_config() == plan.get_config()
    for one, other in zip(state(game), state(again), strict=True):
        np.testing.assert_array_equal(one, other)
