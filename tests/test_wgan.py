"""WGAN: what its papers claim, on numbers that can be computed by hand."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from games import batch
from games import examples
from games import make
from games import step
from keras import layers

import zoo
from zoo.training import steps


def line(**arguments):
    """A linear critic on the line and a generator of one point, which `trained` sets to 2.

    The slope begins at ½: from below 0 it would not come up, for -0.85 is a minimum of the loss of
    the first test too.
    """
    networks = {
        name: keras.Sequential([keras.Input((size,)), layers.Dense(1)])
        for name, size in (("critic", 1), ("generator", 2))
    }
    networks["critic"].set_weights([np.full((1, 1), 0.5), np.zeros(1)])
    return zoo.WGAN((1,), latent_dim=2, network="mlp", **networks, **arguments)


def trained(game, x, optimizer=None):
    """Logs of a step of the critic alone on x (n, 1), after twenty. The generator's point is 2."""
    game.generator.set_weights([np.zeros((2, 1)), np.full(1, 2.0)])
    critic = optimizer or keras.optimizers.SGD(0.02)
    game.compile({"critic": critic, "generator": keras.optimizers.SGD(0.0)})
    game.fit(np.tile(x, (20, 1)), batch_size=len(x), shuffle=False, verbose=0)
    logs = game.fit(x, batch_size=len(x), shuffle=False, verbose=0).history
    return {name: values[-1] for name, values in logs.items()}


def test_the_estimate_of_two_points_is_their_distance_and_the_known_excess():
    """δ = 3, λ = 10: f = s·y loses −3s + 10 (s − 1)², least at s = 1 + 3/20, where f says 3.45."""
    logs = trained(line(), np.full((12, 1), 5.0, "float32"))
    assert logs["distance"] == pytest.approx(3 * 1.15, rel=1e-3)
    assert logs["critic"] == pytest.approx(-3 * 1.15 + 10 * 0.15**2, rel=1e-3)


def test_the_estimate_of_a_uniform_law_and_a_point_beside_it():
    """U[3, 5] is 2 from the point 2 on average, which is its distance: 2 (1 + 2/20)."""
    x = (3 + (np.arange(600) + 0.5) / 300).astype("float32")[:, None]
    assert trained(line(), x)["distance"] == pytest.approx(2.2, rel=1e-2)


def test_clipping_measures_the_distance_times_the_largest_slope():
    game = line(clip=0.25)
    logs = trained(game, np.full((12, 1), 5.0, "float32"))
    assert logs["distance"] == pytest.approx(0.25 * 3, rel=1e-5)
    assert logs["critic"] == pytest.approx(-0.25 * 3, rel=1e-5)


def test_a_critic_of_the_set_of_networks_finds_the_distance_too():
    generator = keras.Sequential([keras.Input((2,)), layers.Dense(1, dtype="float32")])
    game = zoo.WGAN((1,), latent_dim=2, network="mixture", width=4, generator=generator)
    logs = trained(game, np.full((12, 1), 5.0, "float32"), keras.optimizers.Adam(0.01))
    assert logs["distance"] == pytest.approx(3 * 1.15, rel=0.03)


def test_the_penalty_is_exact_on_a_linear_critic():
    """|∇f| = |(3, 4)| = 5 everywhere, so the penalty is 2 (5 − 1)²."""
    critic = keras.Sequential([keras.Input((2,)), layers.Dense(1)])
    game = zoo.WGAN((2,), latent_dim=3, network="mixture", width=4, penalty=2.0, critic=critic)
    critic.set_weights([np.array([[3.0], [4.0]]), np.zeros(1)])
    x, z = examples("mixture"), game.noise(16)
    fake = np.array(game.generator(z, training=True))
    found = {name: float(value) for name, value in game((x, z), training=True).items()}
    distance = ((x.mean(axis=0) - fake.mean(axis=0)) @ [3, 4]).item()
    assert found["distance"] == pytest.approx(distance, rel=1e-4)
    assert found["critic"] == pytest.approx(2 * 16 - distance, rel=1e-5)
    assert found["generator"] == pytest.approx(-(fake.mean(axis=0) @ [3, 4]).item(), rel=1e-4)


@pytest.mark.parametrize("network", ["dcgan", "mlp", "mixture"])
def test_the_score_of_an_example_does_not_depend_on_the_others(network):
    critic = make("wgan", network).critic
    x = examples(network)
    alone = np.concatenate([critic(x[i : i + 1], training=True) for i in range(4)])
    np.testing.assert_allclose(alone, critic(x, training=True)[:4], rtol=1e-4, atol=1e-6)


def test_the_critic_takes_five_steps_to_one_of_the_generator():
    game = make("wgan", "mlp", eager=True)
    step(game, batch(game))
    taken = {p: int(o.iterations) for p, o in game.optimizer.by_player.items()}
    assert taken == {"critic": 5, "generator": 1}
    assert make("wgan", "mlp", critic_steps=2).batches_per_step == 3


def test_a_last_batch_that_is_too_short_for_every_phase_is_shared():
    game = make("wgan", "mlp")

    @tf.function(input_signature=[tf.TensorSpec([None])])
    def shares(batch):
        return [steps.share(game, (batch,), phase)[0] for phase in range(6)]

    found = [part.numpy().tolist() for part in shares(np.arange(8.0))]
    assert found == [[0, 6], [1, 7], [2], [3], [4], [5]]
    found = [part.numpy().tolist() for part in shares(np.arange(2.0))]
    assert found == [[0], [1], [1], [1], [1], [1]]


def test_clipped_weights_stay_clipped_after_loading(tmp_path):
    game = make("wgan", "mlp", clip=0.01, rate=1.0, eager=True)
    game.save(tmp_path / "game.keras")
    for played in (game, zoo.load(tmp_path / "game.keras")):
        step(played, batch(played))
        largest = [np.abs(v.numpy()).max() for v in played.critic.trainable_variables]
        assert max(largest) == pytest.approx(0.01)
        assert np.abs(played.generator.trainable_variables[0].numpy()).max() > 0.01


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"penalty": -1.0}, "penalty must be 0 or more; got -1.0"),
        ({"clip": -0.1}, r"clip must be 0 \(for the penalty\) or more; got -0.1"),
        ({"penalty": 0.0}, "penalty must be above 0, if clip is 0; got 0.0"),
        ({"critic_steps": 0}, "critic_steps must be 1 or more; got 0"),
        ({"network": "residual"}, "a critic must be one of dcgan, .*, tanh; got 'residual'"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    shape = (28, 28, 1) if "network" in arguments else (8, 8, 1)
    with pytest.raises(ValueError, match=message):
        zoo.WGAN(shape, latent_dim=3, width=4, **arguments)


def test_a_critic_with_batch_norm_has_no_penalty():
    layers = [keras.Input((2,)), keras.layers.Dense(4), keras.layers.BatchNormalization()]
    critic = keras.Sequential([*layers, keras.layers.Dense(1, dtype="float32")])
    sizes = {"latent_dim": 3, "width": 4, "network": "mixture"}
    with pytest.raises(ValueError, match="critic must be without batch norm, if it has a penalty"):
        zoo.WGAN((2,), critic=critic, **sizes)
    zoo.WGAN((2,), critic=critic, clip=0.01, **sizes)


def test_the_penalty_is_taken_on_lines_between_real_and_generated_points():
    y = keras.Input((1,))
    game = zoo.WGAN((1,), latent_dim=2, network="mixture", width=4)
    game.critic = keras.Model(y, keras.ops.square(y) / 2)
    x, fake = keras.ops.full((20_000, 1), 3.0), keras.ops.full((20_000, 1), 1.0)
    # The slope at y is y, uniform on [1, 3]: the mean of (y - 1)² is 4/3.
    assert float(game.steepness(x, fake)) == pytest.approx(4 / 3, rel=0.05)


def test_every_phase_of_a_step_plays_examples_of_its_own(monkeypatch):
    game, x, seen = make("wgan", "mlp", eager=True), examples("mlp", n=24), []
    play = zoo.WGAN.play
    monkeypatch.setattr(zoo.WGAN, "play", lambda self, x, z: seen.append(x) or play(self, x, z))
    step(game, x)
    rows = [row.tobytes() for part in seen[-6:] for row in part.numpy()]
    assert len(rows) == 24 and set(rows) == {row.tobytes() for row in x}
