"""Spectral normalisation against NumPy's singular values."""

import keras
import numpy as np
import pytest
from keras import layers

from zoo.networks.layers import SpectralNorm

CASES = {
    "dense": (lambda: layers.Dense(6), (9,)),
    "conv": (lambda: layers.Conv2D(5, 3, 2, "same", activation="relu"), (8, 8, 3)),
}
every_case = pytest.mark.parametrize("case", CASES)


def normed(case):
    keras.utils.set_random_seed(0)
    make, shape = CASES[case]
    x = keras.Input(shape)
    layer = SpectralNorm(make(), name="normed")
    return keras.Model(x, layer(x)), layer


def examples(case):
    return np.random.default_rng(0).normal(size=(4, *CASES[case][1])).astype("float32")


numbers = keras.ops.convert_to_numpy


@every_case
def test_largest_singular_value_becomes_one(case):
    model, layer = normed(case)
    raw = numbers(layer.layer.kernel)
    for _ in range(30):
        model(examples(case), training=True)
    np.testing.assert_array_equal(numbers(layer.layer.kernel), raw)
    largest = np.linalg.svd(raw.reshape(-1, raw.shape[-1]), compute_uv=False)[0]
    assert largest / float(numbers(layer._sigma(False))) == pytest.approx(1, rel=0.02)
    plain = CASES[case][0]()
    plain.build((None, *CASES[case][1]))
    plain.set_weights([raw / largest, numbers(layer.layer.bias)])
    np.testing.assert_allclose(
        numbers(model(examples(case))), numbers(plain(examples(case))), rtol=0.02, atol=1e-3
    )


@every_case
def test_one_call_in_training_is_one_step_of_the_power_iteration(case):
    model, layer = normed(case)
    matrix, u = numbers(layer.layer.kernel), numbers(layer.u)
    matrix = matrix.reshape(-1, matrix.shape[-1])
    model(examples(case), training=False)
    np.testing.assert_array_equal(numbers(layer.u), u)
    model(examples(case), training=True)
    v = matrix @ u / np.linalg.norm(matrix @ u)
    u = v @ matrix / np.linalg.norm(v @ matrix)
    np.testing.assert_allclose(numbers(layer.u), u, rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal([v.path.split("/")[-1] for v in model.non_trainable_weights], "u")


@every_case
def test_a_saved_model_gives_the_same_output(case, tmp_path):
    model, _ = normed(case)
    model(examples(case), training=True)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(numbers(again(examples(case))), numbers(model(examples(case))))


@pytest.mark.tensorflow("takes the gradient with a tape")
@every_case
def test_the_gradient_goes_through_sigma(case):
    import tensorflow as tf

    model, layer = normed(case)
    for _ in range(50):
        model(examples(case), training=True)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(model(examples(case)) ** 2)
    gradient, kernel = tape.gradient(loss, layer.layer.kernel).numpy(), numbers(layer.layer.kernel)
    assert np.abs(gradient).max() > 0
    # The output does not change with the scale of the kernel, so the gradient is orthogonal to it.
    cosine = np.sum(gradient * kernel) / np.linalg.norm(gradient) / np.linalg.norm(kernel)
    assert abs(cosine) < 1e-4


def test_other_layers_are_refused():
    with pytest.raises(ValueError, match="takes a Dense or a Conv2D without groups, not Flatten"):
        SpectralNorm(layers.Flatten())


def test_half_precision_computes_in_it_and_keeps_sigma_in_float32():
    layer = SpectralNorm(layers.Dense(6, dtype="mixed_bfloat16"))
    x = examples("dense")
    assert keras.backend.standardize_dtype(layer(x, training=True).dtype) == "bfloat16"
    assert keras.backend.standardize_dtype(layer._sigma(True).dtype) == "float32"
    assert keras.backend.standardize_dtype(layer.u.dtype) == "float32"
