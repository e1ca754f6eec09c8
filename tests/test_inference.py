"""`encode`, `decode` and what is built on them are compiled, and give what Keras gives eagerly."""

import copy
import gc
import pickle
import threading
import weakref

import keras
import numpy as np
import pytest
from games import ARGUMENTS
from games import SHAPES
from games import examples
from games import make
from games import step
from keras import layers

import zoo
from zoo import inference
from zoo import scores

ON_TENSORFLOW = keras.backend.backend() == "tensorflow"


numbers = keras.ops.convert_to_numpy


@keras.saving.register_keras_serializable("test_inference")
class Counted(layers.Layer):
    """Counts how often Python runs it: at every eager call, or at every trace."""

    calls = 0

    def call(self, x):
        self.calls += 1
        return x


@keras.saving.register_keras_serializable("test_inference")
class Noisy(layers.Layer):
    """Adds fresh noise in inference mode, too."""

    def __init__(self, **options):
        super().__init__(**options)
        self.draws = keras.random.SeedGenerator(7)

    def call(self, x):
        return x + keras.random.normal(keras.ops.shape(x), seed=self.draws)


def encoder(last):
    x = keras.Input(SHAPES["mlp"])
    return keras.Model(x, last(layers.Dense(3)(layers.Flatten()(x))))


def with_encoder(last):
    return zoo.BiGAN(SHAPES["mlp"], latent_dim=3, network="mlp", width=4, encoder=encoder(last))


def outputs(game):
    """Name → output of every use of a trained game, for 5 examples."""
    x, z = examples(game.network, n=5), game.prior_codes(5, seed=1)
    found = {"decode": game.decode(z)} if game.has_generator else {}
    found |= {f"translate {y}": game.translate(x, y) for y in (0, 1) if hasattr(game, "translate")}
    if game.has_encoder:
        for name in ("encode", "reconstruct", "features"):
            found[name] = getattr(game, name)(x)
        found |= scores.anomaly(game, x)
    found |= scores.discriminate(game, x) if game.scores else {}
    if hasattr(game, "log_density"):
        found["log_density"] = game.log_density(x, z)
        found |= dict(zip(("mean", "log_var"), game.posterior(x), strict=True))
    return {name: numbers(made) for name, made in found.items()}


@pytest.mark.parametrize(
    ("method", "network"),
    [
        ("bigan", "dcgan"),
        ("ali", "mixture"),
        *(
            pytest.param(*kind, marks=pytest.mark.slow)
            for kind in (("vae", "dcgan"), ("acgan", "dcgan"), ("cyclegan", "dcgan"))
        ),
    ],
)
def test_outputs_are_those_of_eager_calls(method, network):
    arguments = ARGUMENTS.get((method, network), {})
    game = zoo.method(method)(
        SHAPES[network], latent_dim=3, network=network, width=4, ema=0.9, **arguments
    )
    compiled = outputs(game)
    game.run_eagerly = True
    for name, expected in outputs(game).items():
        np.testing.assert_allclose(compiled[name], expected, rtol=1e-5, atol=1e-5, err_msg=name)


def test_python_runs_a_network_once_for_a_kind_of_input():
    counted = Counted()
    game, x = with_encoder(counted), examples("mlp", n=7)
    before = counted.calls
    for part in (x, x, keras.ops.convert_to_tensor(x)):
        game.encode(part)
    assert counted.calls == before + 1
    for n in (1, 2, 3):
        game.encode(x[:n])
    # A graph takes batches of any size, XLA does not.
    assert counted.calls == before + (1 if ON_TENSORFLOW else 4)
    known = counted.calls
    game.run_eagerly = True
    for _ in range(3):
        game.encode(x)
    assert counted.calls == known + 3


def test_weights_are_read_at_every_call(tmp_path):
    game = make("bigan", "mlp", ema=0.5, optimizer=keras.optimizers.Adam, eager=True)
    game.run_eagerly = False
    x = examples("mlp")
    network, average = game.encoder, game.average_encoder
    first = numbers(game.encode(x))
    game.save(tmp_path / "first.keras")
    game.run_eagerly = True
    step(game, x, steps=2)
    game.run_eagerly = False
    trained = numbers(game.encode(x))
    assert np.any(trained != first)
    np.testing.assert_allclose(trained, numbers(average(x, training=False)), atol=1e-5)
    assert np.any(trained != numbers(network(x, training=False)))
    game.load_weights(tmp_path / "first.keras")
    np.testing.assert_array_equal(numbers(game.encode(x)), first)
    kernel = average.layers[-1].kernel
    kernel.assign(2 * kernel)
    np.testing.assert_allclose(numbers(game.encode(x)), 2 * first, atol=1e-5)


def test_a_layer_of_another_policy_is_compiled_again():
    game, x = with_encoder(layers.Activation("linear")), examples("mlp")
    dense = game.encoder.layers[2]
    full = numbers(game.encode(x))
    dense.dtype_policy = keras.dtype_policies.DTypePolicy("mixed_bfloat16")
    halved = numbers(game.encode(x)).astype("float32")
    assert np.any(halved != full)
    np.testing.assert_allclose(halved, full, atol=0.05)


def test_noise_of_a_layer_goes_on_as_it_does_eagerly():
    x = examples("mlp")
    compiled, eager = with_encoder(Noisy()), with_encoder(Noisy())
    eager.set_weights(compiled.get_weights())
    eager.run_eagerly = True
    drawn = [numbers(compiled.encode(x)) for _ in range(3)]
    assert np.any(drawn[0] != drawn[1]) and np.any(drawn[1] != drawn[2])
    for codes in drawn:
        np.testing.assert_allclose(codes, numbers(eager.encode(x)), atol=1e-5)


def test_threads_get_what_one_gets():
    game, x = with_encoder(layers.Activation("tanh")), examples("mlp", n=24)
    expected = numbers(game.encoder(x, training=False))
    found = [None] * 8

    def encode(i):
        found[i] = np.concatenate(
            [numbers(game.encode(x[j : j + i + 1])) for j in range(0, 24, i + 1)]
        )

    threads = [threading.Thread(target=encode, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for codes in found:
        np.testing.assert_allclose(codes, expected, atol=1e-5)


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda g: pickle.loads(pickle.dumps(g))])
def test_games_in_use_are_copied_pickled_and_forgotten(duplicate):
    game, x = zoo.BiGAN(SHAPES["mlp"], latent_dim=3, network="mlp", width=4), examples("mlp")
    codes = numbers(game.encode(x))
    other = duplicate(game)
    np.testing.assert_array_equal(numbers(other.encode(x)), codes)
    known = weakref.ref(other.encoder)
    assert known() in inference._FUNCTIONS
    del other
    gc.collect()
    assert known() is None


def test_values_of_a_stateless_scope_are_used_and_not_kept():
    game, x = with_encoder(layers.Activation("linear")), examples("mlp")
    bias = game.encoder.layers[2].bias
    codes = numbers(game.encoder(x, training=False))
    for _ in range(2):
        with keras.StatelessScope([(bias, np.ones(3, "float32"))]):
            np.testing.assert_allclose(numbers(game.encode(x)), codes + 1, atol=1e-5)
    np.testing.assert_allclose(numbers(game.encode(x)), codes, atol=1e-5)


@pytest.mark.tensorflow("JAX differentiates functions, which test_jax.py does with `encode`")
def test_gradients_flow_through_a_compiled_encoder():
    import tensorflow as tf

    game, x = with_encoder(layers.Activation("tanh")), tf.constant(examples("mlp"))

    def gradient():
        with tf.GradientTape() as tape:
            tape.watch(x)
            total = tf.reduce_sum(game.encode(x))
        return tape.gradient(total, [x, game.encoder.layers[2].kernel])

    compiled = gradient()
    game.run_eagerly = True
    for one, expected in zip(compiled, gradient(), strict=True):
        np.testing.assert_allclose(one, expected, atol=1e-5)


def test_a_game_on_two_devices_is_used_as_one_is(two_devices):
    x = examples("mlp", n=5)
    with two_devices.scope():
        game = zoo.BiGAN(SHAPES["mlp"], latent_dim=3, network="mlp", width=4)
    expected = numbers(game.encoder(x, training=False))
    for n in (5, 1):
        np.testing.assert_allclose(numbers(game.encode(x[:n])), expected[:n], atol=1e-5)
