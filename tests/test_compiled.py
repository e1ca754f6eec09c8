"""Several steps as one program of XLA: equal, bit for bit, to steps that are called one by one."""

import keras
import numpy as np
import pytest

import zoo

tf = pytest.importorskip("tensorflow")
pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="JAX compiles its steps itself"
)

POINTS = np.random.default_rng(0).normal(size=(50, 2)).astype("float32")


def networks(of_points="discriminator"):
    """Of a layer or two each, which compile fast."""
    layers = {
        "generator": [keras.layers.BatchNormalization(), keras.layers.Dense(2)],
        of_points: [keras.layers.Dense(1)],
    }
    return {
        name: keras.Sequential([keras.Input((2,)), keras.layers.Dense(8, "relu"), *last])
        for name, last in layers.items()
    }


def gan(method=zoo.GAN):
    return method((2,), latent_dim=2, ema=0.9, **networks())


def wgan():
    """Three phases."""
    return zoo.WGAN((2,), latent_dim=2, critic_steps=2, **networks("critic"))


def trained(make, per_call, *data, **options):
    """The game after one epoch, all its numbers, and its logs."""
    keras.utils.set_random_seed(0)
    game = make()
    game.compile(jit_compile=True, steps_per_execution=per_call)
    logs = game.fit(*data, verbose=0, shuffle=False, **options).history
    state = (*game.variables, *game.optimizer.variables)
    return game, [keras.ops.convert_to_numpy(v) for v in state], logs


def stream(examples, size):
    return tf.data.Dataset.from_tensor_slices(examples).batch(size)


def test_a_game_of_several_phases_is_left_to_keras():
    """Its loop would be rounded otherwise than single steps."""
    game = wgan()
    game.compile(jit_compile=True, steps_per_execution=3)
    game.make_train_function()
    assert game.train_function.__module__ != "zoo.training.compiled"


@pytest.fixture
def programs(monkeypatch):
    """Numbers of steps for which a program was made."""
    from zoo.training import compiled

    made, slice_of = [], compiled._at

    def noted(i, batches):
        made.append(keras.tree.flatten(batches)[0].shape[0])
        return slice_of(i, batches)

    monkeypatch.setattr(compiled, "_at", noted)
    return made


def test_steps_of_one_program_equal_single_steps(programs):
    """45 points in batches of 12: three batches in one call, then the last, of 9 points."""
    game, *found = trained(gan, 3, stream(POINTS[:45], 12))
    assert game.optimizer.iterations == 4
    assert set(programs) == {3, 1}
    programs.clear()
    _, *wanted = trained(gan, 1, stream(POINTS[:45], 12))
    assert not programs
    for one, other in zip(found[0], wanted[0], strict=True):
        np.testing.assert_array_equal(one, other)
    assert found[1] == wanted[1]


def test_arrays_with_labels_and_another_number_of_steps_later(programs):
    """`fit` on NumPy arrays; the second call of `fit` has other numbers of steps per call."""
    game, *_ = trained(gan, 5, POINTS, np.zeros(50, "int64"), batch_size=10)
    assert set(programs) == {5}
    game.steps_per_execution, game.train_function = 2, None
    game.fit(POINTS[:40], batch_size=10, verbose=0, shuffle=False)
    assert set(programs) == {5, 2}
    assert game.optimizer.iterations == 9
    logs = game.train_on_batch(POINTS[:10], return_dict=True)
    assert set(logs) == {"discriminator", "generator", "loss"}


def test_a_step_of_a_subclass_may_return_other_logs(programs):
    class Logged(zoo.GAN):
        def train_step(self, data):
            return super().train_step(data) | {"one": tf.ones(())}

    *_, logs = trained(lambda: gan(Logged), 5, stream(POINTS, 10))
    assert logs["one"] == [1.0]
    assert not programs


def test_an_error_of_the_step_is_told_as_it_is():
    with pytest.raises(ValueError, match=r"^examples x of GAN must be of shape \(2,\); got \(3,\)"):
        trained(gan, 2, stream(np.zeros((40, 3), "float32"), 10))
