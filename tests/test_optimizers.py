"""Learning-rate plans, on numbers computed beside them, and files that hold them."""

import zipfile

import keras
import numpy as np
import pytest
import tensorflow as tf
from games import state

import zoo
from zoo.training.optimizers import Adam
from zoo.training.optimizers import HoldThenDecay


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


@pytest.mark.parametrize(
    "settings",
    [{}, {"amsgrad": True}, {"weight_decay": 0.1, "clipnorm": 0.5}, {"use_ema": True}],
)
def test_steps_of_adam_are_those_of_keras(settings):
    rng = np.random.default_rng(0)
    first = [rng.normal(size=shape).astype("float32") for shape in ((3, 4), (4,))]
    gradients = [[rng.normal(size=w.shape).astype("float32") for w in first] for _ in range(5)]
    found = []
    for kind in (Adam, keras.optimizers.Adam):
        weights = [keras.Variable(w) for w in first]
        plan = HoldThenDecay(0.01, hold_steps=2, decay_steps=4)
        one = kind(plan, beta_1=0.5, epsilon=1e-8, **settings)
        for gradient in gradients:
            one.apply([keras.ops.convert_to_tensor(g) for g in gradient], weights)
        found.append([v.numpy() for v in (*weights, *one.variables)])
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=2e-6, atol=1e-7)


def test_adam_moves_rows_of_an_embedding_as_keras_does():
    layer = keras.layers.Embedding(5, 2)
    layer.build()
    first, found = layer.get_weights(), []
    for kind in (Adam, keras.optimizers.Adam):
        layer.set_weights(first)
        with tf.GradientTape() as tape:
            loss = keras.ops.sum(layer(np.array([1, 3, 3])) ** 2)
        gradient = tape.gradient(loss, layer.trainable_variables)
        assert isinstance(gradient[0], tf.IndexedSlices)
        kind(0.1).apply(gradient, layer.trainable_variables)
        found.append(layer.get_weights()[0])
    np.testing.assert_array_equal(*found)
    assert (found[0] != first[0]).any(axis=1).tolist() == [False, True, False, True, False]


def test_a_file_with_the_adam_of_keras_goes_on_with_it(tmp_path):
    game = zoo.BiGAN((8, 8, 1), latent_dim=3, network="mlp", width=4)
    game.compile({player: keras.optimizers.Adam(0.01) for player in game.players})
    x = np.random.default_rng(0).uniform(-1, 1, (16, 8, 8, 1)).astype("float32")
    game.fit(x, batch_size=8, verbose=0)  # so that no slot is zero
    game.save(tmp_path / "game.keras")
    again = zoo.BiGAN((8, 8, 1), latent_dim=3, network="mlp", width=4)
    again.compile({player: Adam(0.01) for player in game.players})
    again.load_weights(tmp_path / "game.keras")
    for one, other in zip(state(game), state(again), strict=True):
        np.testing.assert_array_equal(one, other)
