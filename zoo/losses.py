"""Losses: pure functions of tensors, on any Keras backend.

Each docstring gives the reduction and the unit; all are computed and returned in float32. Losses
return one scalar, densities one number per example. Adversarial losses take logits, never
probabilities: -log D = softplus(-a) and -log(1 - D) = softplus(a) stay finite if D rounds to 0
or 1.
"""

import math

from keras import ops


def accepted(logits):
    """Mean of -log D: the loss of `logits` that should be judged real. (n, 1) → scalar, nats."""
    return ops.mean(ops.softplus(-ops.cast(logits, "float32")))


def rejected(logits):
    """Mean of -log(1 - D): the loss of `logits` that should be judged fake. (n, 1) → nats."""
    return ops.mean(ops.softplus(ops.cast(logits, "float32")))


def hinge_accepted(scores):
    """Mean of max(0, 1 - s): a discriminator's hinge loss on examples to score above 1.

    Lim and Ye 2017 (arXiv:1705.02894), Miyato et al. 2018 (arXiv:1802.05957). (n, 1) → scalar, in
    units of the score. Its opponent minimises the mean of -s (Miyato's generator).
    """
    return ops.mean(ops.relu(1 - ops.cast(scores, "float32")))


def hinge_rejected(scores):
    """Mean of max(0, 1 + s): the same on examples to score below -1. (n, 1) → scalar."""
    return ops.mean(ops.relu(1 + ops.cast(scores, "float32")))


def square_accepted(scores):
    """Mean of (1 - s)²: the least squares loss of examples to score 1.

    Mao et al. 2017 (arXiv:1611.04076). (n, ...) → scalar, in squared units of the score.
    """
    return ops.mean(ops.square(1 - ops.cast(scores, "float32")))


def square_rejected(scores):
    """Mean of s²: the same of examples to score 0. (n, ...) → scalar."""
    return ops.mean(ops.square(ops.cast(scores, "float32")))


def class_error(logits, labels):
    """Mean of -log softmax(logits)[label]. (n, classes) and whole numbers (n,) → scalar, nats."""
    chances = ops.log_softmax(ops.cast(logits, "float32"), axis=-1)
    named = ops.one_hot(ops.cast(labels, "int32"), chances.shape[-1], dtype="float32")
    return -ops.mean(ops.sum(named * chances, axis=-1))


def squared_error(x, y):
    """|x - y|², summed over all coordinates of an example, averaged over the batch.

    (n, ...) twice → scalar, in squared units of x.
    """
    return ops.mean(_summed(ops.square(_difference(x, y))))


def absolute_error(x, y):
    """|x - y|, averaged over coordinates and batch. (n, ...) twice → scalar, in units of x."""
    return ops.mean(ops.abs(_difference(x, y)))


def gaussian_draw(mean, log_var, noise):
    """A draw from N(mean, exp(log_var)) that is differentiable in both.

    z = mean + exp(log_var / 2) · noise, noise standard normal (Kingma and Welling 2014,
    arXiv:1312.6114). (n, d) three times → (n, d).
    """
    return mean + ops.exp(log_var / 2) * noise


def gaussian_kl(mean, log_var):
    """KL divergence of N(mean, exp(log_var)) from N(0, I): summed over the code, batch mean.

    ½ Σ (mean² + exp(log_var) - 1 - log_var). (n, d) twice → scalar, nats.
    """
    mean, log_var = ops.cast(mean, "float32"), ops.cast(log_var, "float32")
    return ops.mean(_summed(ops.square(mean) + ops.expm1(log_var) - log_var)) / 2


def gaussian_log_density(x, mean, log_var):
    """log N(x; mean, exp(log_var)), all constants kept, summed over coordinates. (n, ...) → (n,).

    Nats. `mean` and `log_var` have the shape of x or are numbers.
    """
    log_var = ops.cast(log_var, "float32")
    quadratic = ops.square(_difference(x, mean)) * ops.exp(-log_var)
    return -_summed(quadratic + log_var + math.log(2 * math.pi)) / 2


def bernoulli_log_density(x, logits):
    """log probability of binary pixels x in {0, 1}, summed over pixels. (n, ...) twice → (n,).

    Nats: Σ x·a - softplus(a). Grey levels between 0 and 1 give minus a cross-entropy, which is the
    mean over binary images with those pixel probabilities.
    """
    x, logits = ops.cast(x, "float32"), ops.cast(logits, "float32")
    return _summed(x * logits - ops.softplus(logits))


def _difference(x, y):
    return ops.cast(x, "float32") - ops.cast(y, "float32")


def _summed(x):
    return ops.sum(x, axis=tuple(range(1, len(x.shape))))
