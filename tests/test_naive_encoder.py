"""Naive encoder: a linear generator, of which both optima are known in closed form."""

import keras
import numpy as np
import pytest
from games import gradient
from games import losses_of
from games import make

import zoo
from zoo.naive_encoder import NaiveEncoder


class Linear(NaiveEncoder):
    """G(z) = Wz and E(x) = Vx, without bias."""

    def build_networks(self, draw):
        x, z = keras.Input(self.image_shape), keras.Input((self.latent_dim,))
        self.encoder = keras.Model(x, keras.layers.Dense(self.latent_dim, use_bias=False)(x))
        self.generator = keras.Model(z, keras.layers.Dense(*self.image_shape, use_bias=False)(z))


def linear(w, **weights):
    """The game of G(z) = Wz with the best encoder, V = Wᵀ."""
    game = Linear(w.shape[:1], latent_dim=w.shape[1], network="mixture", **weights)
    game.generator.set_weights([w.T])
    game.encoder.set_weights([w])
    return game


@pytest.mark.parametrize("codes, images", [(1, 0), (0, 1), (2, 3)])
def test_the_optimum_is_the_transpose_and_the_floor_the_distance_to_the_range(codes, images):
    rng = np.random.default_rng(0)
    w = np.linalg.qr(rng.normal(size=(5, 2)))[0].astype("float32")
    x, z = rng.normal(size=(64, 5)).astype("float32"), rng.normal(size=(64, 2)).astype("float32")
    game = linear(w, codes=codes, images=images)
    away = x - x @ w @ w.T
    floor = images * np.mean(away**2)
    assert losses_of(game, x, z)["encoder"] == pytest.approx(floor, abs=1e-6)
    for found in gradient(game, "encoder", x, z):
        np.testing.assert_allclose(found, 0, atol=1e-5)
    for seed in range(3):
        other = w + 0.1 * np.random.default_rng(seed).normal(size=w.shape).astype("float32")
        game.encoder.set_weights([other])
        by_hand = codes * np.mean((z - z @ w.T @ other) ** 2)
        by_hand += images * np.mean((x - x @ other @ w.T) ** 2)
        assert losses_of(game, x, z)["encoder"] == pytest.approx(by_hand, rel=1e-4)
        assert by_hand > floor + 1e-3


def test_without_the_term_of_images_no_real_one_is_looked_at():
    game = make("naive_encoder", "mlp")
    z = game.noise(8)
    ones, zeros = (np.full((8, 8, 8, 1), value, "float32") for value in (1, 0))
    assert losses_of(game, ones, z) == losses_of(game, zeros, z)
    game = make("naive_encoder", "mlp", codes=0.0, images=1.0)
    assert losses_of(game, ones, z) == losses_of(game, ones, game.noise(8))


@pytest.mark.parametrize(
    "weights, said",
    [
        ({"codes": -1.0}, "codes must be 0 or more; got -1.0"),
        ({"codes": 0.0}, "images must be 0 or more, above 0 if codes is 0; got 0.0"),
        ({"images": -1.0}, "images must be 0 or more, above 0 if codes is 0; got -1.0"),
    ],
)
def test_weights_that_leave_nothing_are_refused(weights, said):
    with pytest.raises(ValueError, match=said):
        zoo.NaiveEncoder((8, 8, 1), **weights)


def test_an_encoder_of_ones_own_has_the_generator_of_the_set_or_a_given_one(tmp_path):
    drawn = make("naive_encoder", "mlp")
    sizes = {"latent_dim": 3, "network": "mlp", "width": 4}
    alone = zoo.NaiveEncoder((8, 8, 1), encoder=drawn.encoder, **sizes)
    assert alone.generator.count_params() == drawn.generator.count_params()
    gan = make("gan", "mlp")
    both = zoo.NaiveEncoder((8, 8, 1), encoder=drawn.encoder, generator=gan.generator, **sizes)
    assert not both.generator.trainable and both.encoder.trainable
    both.save(tmp_path / "game.keras")
    z = both.prior_codes(2, 0)
    again = zoo.load(tmp_path / "game.keras")
    np.testing.assert_allclose(again.decode(z), gan.decode(z), rtol=1e-5, atol=1e-6)
    assert not again.generator.trainable
