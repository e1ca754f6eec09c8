"""What the discriminators of a trained game say of one example: how real it is, how unusual.

Functions of a game, for every method that has the networks they need; what a method does not have
is left out of the answer. All in inference mode.
"""

import keras
from keras import ops

# By name of the score: which network gives it.
_JUDGES = {"score_xz": "discriminator", "score_x": "discriminator", "score_z": "code_discriminator"}


def judges(game) -> dict:
    """Score → attribute name of the network of `game` that gives it; empty without an adversary.

    score_xz: a discriminator of pairs, on (x, E(x)); score_x: one of examples, on x; score_z: one
    of codes, on E(x).
    """
    found = {score: name for score, name in _JUDGES.items() if hasattr(game, name)}
    found.pop("score_x" if _is_joint(game) else "score_xz", None)
    return found


def discriminate(game, x) -> dict:
    """What each discriminator of `game` makes of the examples x (n, ...).

    Returns:
        score → logits (n,) in nats, the log odds that the discriminator takes the example for what
        the game calls real; see `judges` for the names.

    Raises:
        ValueError: the method has no discriminator.
    """
    found = judges(game)
    if not found:
        raise ValueError(f"{type(game).__name__} has no discriminator")
    x = ops.convert_to_tensor(x)
    inputs = {"score_x": lambda: x}
    inputs["score_xz"] = lambda: [x, game.encode(x)]
    inputs["score_z"] = lambda: game.encode(x)
    return {score: _logit(getattr(game, name), inputs[score]()) for score, name in found.items()}


def anomaly(game, x, feature_weight: float = 0.1) -> dict:
    """How badly `game` explains each of the examples x (n, ...); higher is more unusual.

    A(x) = (1 − w) |x − G(E(x))|₁ + w |f(x, E(x)) − f(G(E(x)), E(x))|₁, with sums over coordinates,
    f the last hidden layer of the discriminator and w = `feature_weight`: the score of Zenati
    et al. 2018 (arXiv:1802.06222) for BiGAN, which is that of Schlegl et al. 2017
    (arXiv:1703.05921) with an encoder in place of a search for the code. A discriminator of
    examples alone gives f(x). Methods without either (VAE, AAE) have the first term alone, with
    weight 1. The scale depends on image size and on the discriminator: set a threshold on
    examples known to be usual, for one model at a time.

    Returns:
        anomaly_score, reconstruction_error (the first norm) and, where there is a discriminator of
        examples or pairs, feature_error (the second), each (n,).

    Raises:
        ValueError: the method has no encoder.
    """
    x = ops.convert_to_tensor(x)
    code = game.encode(x)
    copy = game.decode(code)
    error = _distance(x, copy)
    if not hasattr(game, "discriminator"):
        return {"anomaly_score": error, "reconstruction_error": error}
    hidden = _last_hidden(game.discriminator)
    joint = _is_joint(game)
    features = [
        hidden([y, code] if joint else y, training=False) for y in (x, ops.cast(copy, x.dtype))
    ]
    feature_error = _distance(*features)
    return {
        "anomaly_score": (1 - feature_weight) * error + feature_weight * feature_error,
        "reconstruction_error": error,
        "feature_error": feature_error,
    }


def _is_joint(game):
    return len(getattr(getattr(game, "discriminator", None), "inputs", ())) == 2


def _logit(judge, inputs):
    logit = judge(inputs, training=False)
    logit = logit[0] if isinstance(logit, (list, tuple)) else logit
    return ops.reshape(ops.cast(logit, "float32"), (-1,))


def _last_hidden(judge):
    """The network up to what its last layer, the logit, is computed from."""
    return keras.Model(judge.input, judge.layers[-1].input)


def _distance(a, b):
    """L1 distance of each pair. (n, ...), (n, ...) → (n,)."""
    difference = ops.abs(ops.cast(a, "float32") - ops.cast(b, "float32"))
    return ops.sum(ops.reshape(difference, (ops.shape(difference)[0], -1)), axis=1)
