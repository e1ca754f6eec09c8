"""Losses: pure functions of tensors, on any Keras backend.

Each returns one float32 scalar and says how it reduced. Adversarial losses take logits, never
probabilities: -log D = softplus(-a) and -log(1 - D) = softplus(a) stay finite where D rounds to 0
or 1.
"""

from keras import ops


def accepted(logits):
    """Mean of -log D: what it costs that `logits` should be judged real. (n, 1) → scalar, nats."""
    return ops.mean(ops.softplus(-ops.cast(logits, "float32")))


def rejected(logits):
    """Mean of -log(1 - D): what it costs that `logits` should be judged fake. (n, 1) → nats."""
    return ops.mean(ops.softplus(ops.cast(logits, "float32")))
