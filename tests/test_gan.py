"""GAN: what its paper claims, on numbers that can be checked by hand."""

import numpy as np
import pytest
import tensorflow as tf
from games import examples
from games import losses_of
from games import make
from games import silent

from zoo.losses import accepted
from zoo.losses import rejected


@pytest.mark.parametrize("network", ["dcgan", "mlp", "mixture"])
def test_a_discriminator_that_cannot_tell_costs_2_log_2_and_the_generator_log_2(network):
    game = silent(make("gan", network))
    found = losses_of(game, examples(network), game.noise(16))
    assert found["discriminator"] == pytest.approx(2 * np.log(2), rel=1e-6)
    assert found["generator"] == pytest.approx(np.log(2), rel=1e-6)


def test_losses_follow_the_value_function():
    game = make("gan", "mlp")
    x, z = examples(), game.noise(16)
    sigmoid = lambda a: 1 / (1 + np.exp(-a.numpy().astype("float64")))  # noqa: E731
    real = sigmoid(game.discriminator(x, training=True))
    fake = sigmoid(game.discriminator(game.generator(z, training=True), training=True))
    found = losses_of(game, x, z)
    value = np.mean(np.log(real)) + np.mean(np.log(1 - fake))
    assert found["discriminator"] == pytest.approx(-value, rel=1e-5)
    assert found["generator"] == pytest.approx(-np.mean(np.log(fake)), rel=1e-5)


def test_the_best_discriminator_of_two_laws_reaches_the_jensen_shannon_divergence():
    """-V(D*) = 2 log 2 − 2 JSD, on laws over three points."""
    p, q = np.array([0.5, 0.3, 0.2]), np.array([0.1, 0.3, 0.6])
    best = np.log(p / q)  # the logit of p / (p + q)
    counts_p, counts_q = (np.repeat(best, np.round(law * 10).astype(int)) for law in (p, q))
    m = (p + q) / 2
    divergence = (np.sum(p * np.log(p / m)) + np.sum(q * np.log(q / m))) / 2
    loss = float(accepted(counts_p)) + float(rejected(counts_q))
    assert loss == pytest.approx(2 * np.log(2) - 2 * divergence, rel=1e-6)


def test_the_generator_still_learns_where_the_discriminator_is_sure():
    """At logit −20 the non-saturating loss pulls with full force, the saturating with none."""
    logit = tf.constant(-20.0)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(logit)
        ours, saturating = accepted(logit), -rejected(logit)
    assert float(tape.gradient(ours, logit)) == pytest.approx(-1, rel=1e-6)
    assert abs(float(tape.gradient(saturating, logit))) < 1e-8
