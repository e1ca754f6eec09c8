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


def small(per_call):
    """A GAN of points with networks of a layer or two, which compile fast."""
    generator, discriminator = (
        keras.Sequential([keras.Input((2,)), keras.layers.Dense(8, "relu"), *last])
        for last in (
            [keras.layers.BatchNormalization(), keras.layers.Dense(2)],
            [keras.layers.Dense(1)],
        )
    )
    game = zoo.GAN((2,), latent_dim=2, ema=0.9, generator=generator, discriminator=discriminator)
    game.compile(jit_compile=True, steps_per_execution=per_call)
    return game


def trained(per_call, stream):
    """All numbers of `small` after one epoch, its logs, and how many steps it has taken."""
    keras.utils.set_random_seed(0)
    game = small(per_call)
    logs = game.fit(stream, verbose=0, shuffle=False).history
    state = [keras.ops.convert_to_numpy(v) for v in (*game.variables, *game.optimizer.variables)]
    return state, logs, int(game.optimizer.iterations)


def batches(examples, size):
    return tf.data.Dataset.from_tensor_slices(examples).batch(size)


def assert_equal(found, wanted):
    for one, other in zip(found[0], wanted[0], strict=True):
        np.testing.assert_array_equal(one, other)
    assert found[1:] == wanted[1:]


def test_steps_of_one_program_equal_single_steps():
    """47 points in batches of 10: five steps, the last of 7 points, in calls of 3."""
    found = trained(3, batches(POINTS[:47], 10))
    assert found[-1] == 5
    assert_equal(found, trained(1, batches(POINTS[:47], 10)))


def test_arrays_and_labels_are_taken_as_by_keras():
    def fitted(per_call):
        keras.utils.set_random_seed(0)
        game = small(per_call)
        game.fit(POINTS, np.zeros(50, "int64"), batch_size=10, shuffle=False, verbose=0)
        return game.generator.get_weights()

    for one, other in zip(fitted(5), fitted(1), strict=True):
        np.testing.assert_array_equal(one, other)
