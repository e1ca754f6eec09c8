"""Losses against NumPy in float64, computed beside each case."""

import math

import numpy as np
import pytest

from zoo import losses


def normal(seed, *shape):
    return np.random.default_rng(seed).normal(size=shape)


def value(tensor):
    array = np.asarray(tensor)
    assert array.dtype == np.float32
    return array


def test_adversarial_losses_are_minus_log_sigmoid():
    logits = normal(0, 50, 1)
    probability = 1 / (1 + np.exp(-logits))
    assert value(losses.accepted(logits)) == pytest.approx(-np.log(probability).mean(), rel=1e-6)
    assert value(losses.rejected(logits)) == pytest.approx(
        -np.log(1 - probability).mean(), rel=1e-6
    )


def test_swapped_labels_swap_the_losses():
    logits = normal(1, 50, 1)
    assert value(losses.accepted(logits)) == value(losses.rejected(-logits))
    zero = np.zeros((3, 1))
    assert value(losses.accepted(zero)) == value(losses.rejected(zero)) == np.float32(np.log(2))


def test_hinge_losses_are_those_worked_out_by_hand():
    scores = np.array([[3.0], [1.0], [0.5], [-2.0]])
    # 1 - s: -2, 0, 0.5, 3; 1 + s: 4, 2, 1.5, -1.
    assert value(losses.hinge_accepted(scores)) == np.float32(3.5 / 4)
    assert value(losses.hinge_rejected(scores)) == np.float32(7.5 / 4)
    assert value(losses.hinge_accepted(scores)) == value(losses.hinge_rejected(-scores))


@pytest.mark.parametrize("size", [100, 1000])
def test_adversarial_losses_stay_exact_at_large_logits(size):
    logits = np.array([[size], [-size]], "float64")
    assert value(losses.accepted(logits)) == value(losses.rejected(logits)) == size / 2
    assert value(losses.accepted(logits[:1])) == value(losses.rejected(logits[1:])) == 0


def test_squared_error_sums_over_an_example_and_averages_over_the_batch():
    x, y = normal(2, 4, 3, 3, 2), normal(3, 4, 3, 3, 2)
    direct = np.mean([((a - b) ** 2).sum() for a, b in zip(x, y, strict=True)])
    assert value(losses.squared_error(x, y)) == pytest.approx(direct, rel=1e-6)


def test_absolute_error_averages_over_everything():
    x, y = normal(2, 4, 3, 3, 2), normal(3, 4, 3, 3, 2)
    assert value(losses.absolute_error(x, y)) == pytest.approx(np.abs(x - y).mean(), rel=1e-6)
    assert value(losses.absolute_error(np.ones((2, 5)), -np.ones((2, 5)))) == 2


def test_kl_is_zero_at_the_standard_normal_and_nowhere_else():
    zero = np.zeros((6, 3))
    assert value(losses.gaussian_kl(zero, zero)) == 0
    assert value(losses.gaussian_kl(zero + 0.1, zero)) > 0
    assert value(losses.gaussian_kl(zero, zero + 0.1)) > 0
    assert value(losses.gaussian_kl(zero, zero - 0.1)) > 0


def test_kl_by_hand_and_by_integration():
    mean, log_var = normal(4, 5, 3), normal(5, 5, 3)
    closed = np.mean(np.sum(mean**2 + np.exp(log_var) - 1 - log_var, axis=1) / 2)
    assert value(losses.gaussian_kl(mean, log_var)) == pytest.approx(closed, rel=1e-5)
    m, s = 0.7, 0.4
    z = np.linspace(-6, 6, 20001)
    q = np.exp(-(((z - m) / s) ** 2) / 2) / (s * np.sqrt(2 * np.pi))
    log_ratio = -(((z - m) / s) ** 2) / 2 - np.log(s) + z**2 / 2
    integral = np.sum(q * log_ratio) * (z[1] - z[0])
    found = losses.gaussian_kl(np.array([[m]]), np.array([[2 * np.log(s)]]))
    assert value(found) == pytest.approx(integral, rel=1e-5)


def test_gaussian_log_density_keeps_its_constants():
    x, mean, log_var = normal(6, 4, 2, 3), normal(7, 4, 2, 3), normal(8, 4, 2, 3)
    std = np.exp(log_var / 2)
    each = -(((x - mean) / std) ** 2) / 2 - np.log(std) - np.log(2 * np.pi) / 2
    found = value(losses.gaussian_log_density(x, mean, log_var))
    np.testing.assert_allclose(found, each.sum(axis=(1, 2)), rtol=1e-5)
    at_mode = value(losses.gaussian_log_density(np.zeros((1, 8)), 0.0, math.log(0.1)))
    assert at_mode == pytest.approx(-4 * math.log(2 * math.pi * 0.1), rel=1e-6)


def test_bernoulli_log_density_is_that_of_each_pixel():
    x, logits = (normal(9, 4, 3, 3) > 0) * 1.0, normal(10, 4, 3, 3)
    probability = 1 / (1 + np.exp(-logits))
    direct = np.log(np.where(x == 1, probability, 1 - probability)).sum(axis=(1, 2))
    np.testing.assert_allclose(value(losses.bernoulli_log_density(x, logits)), direct, rtol=1e-5)
    flipped = value(losses.bernoulli_log_density(1 - x, -logits))
    np.testing.assert_allclose(flipped, direct, rtol=1e-5)


def test_bernoulli_log_density_stays_exact_at_large_logits():
    pixels = np.array([[1.0, 0.0]])
    assert value(losses.bernoulli_log_density(pixels, np.array([[1000.0, -1000.0]]))) == 0
    assert value(losses.bernoulli_log_density(pixels, np.array([[-1000.0, 1000.0]]))) == -2000


def test_gaussian_draws_have_their_mean_and_variance_and_carry_gradients():
    import tensorflow as tf

    mean, log_var = tf.constant([[2.0, -1.0]]), tf.constant([[0.0, -2.0]])
    noise = normal(11, 40_000, 2).astype("float32")
    with tf.GradientTape() as tape:
        tape.watch([mean, log_var])
        draws = losses.gaussian_draw(mean, log_var, noise)
        total = tf.reduce_mean(draws[:, 1])
    np.testing.assert_allclose(draws.numpy().mean(axis=0), [2, -1], atol=0.02)
    np.testing.assert_allclose(draws.numpy().std(axis=0), [1, math.exp(-1)], rtol=0.02)
    by_mean, by_log_var = tape.gradient(total, [mean, log_var])
    np.testing.assert_allclose(by_mean, [[0, 1]], atol=1e-3)
    half = np.mean(noise[:, 1], dtype="float64") * math.exp(-1) / 2
    np.testing.assert_allclose(by_log_var, [[0, half]], atol=1e-4)
