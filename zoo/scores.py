"""Scores of one example by the discriminators of a trained game, and anomaly scores.

A method declares its scores beside its players, as score → (network, its input[,
index of the output that is the logit]):

    scores = {"score_xz": ("discriminator", "xz")}                 # BiGAN: a discriminator of pairs
    scores = {"score_xz": ("discriminator", "xz", 0),              # three outputs of one network
              "score_x": ("discriminator", "xz", 1),
              "score_z": ("discriminator", "xz", 2)}

"x" stands for examples, "z" for codes, "xz" for pairs. All functions run in inference mode.
"""

import functools

import keras
from keras import ops

from zoo.training import ranges


def check(game) -> None:
    """Raises ValueError if `game` declares a score of a network or an output that it lacks."""
    for score, (name, given, *which) in game.scores.items():
        network = game.named_networks().get(name)
        if network is None:
            raise ValueError(f"{score} of {type(game).__name__} names no network: {name!r}")
        if len(network.inputs) != len(given) or _output(which) >= len(network.outputs):
            raise ValueError(
                f"{score} of {type(game).__name__} does not fit its {name}, which has "
                f"{len(network.inputs)} inputs and {len(network.outputs)} outputs"
            )


def discriminate(game, x) -> dict:
    """The scores that `game` declares, of the examples x (n, ...) and of their codes.

    Returns:
        score → logits (n,) in nats, the log odds that the discriminator takes the example for
        real, as the game defines it; of a discriminator with another objective, such as the hinge,
        its unbounded output; of one that judges patches, the mean over them.

    Raises:
        ValueError: the method declares no scores, or x has another shape or range.
    """
    if not game.scores:
        raise ValueError(f"{type(game).__name__} has no discriminator")
    x = ranges.examples(game, ops.convert_to_tensor(x))
    code = game.encode(x) if any("z" in given for _, given, *_ in game.scores.values()) else None
    return {score: _score(game, score, x, code) for score in game.scores}


def anomaly(game, x, feature_weight: float = 0.1, codes=None) -> dict:
    """How badly `game` explains each of the examples x (n, ...); higher is more unusual.

    A(x) = (1 − w) |x − G(E(x))|₁ + w |f(x, E(x)) − f(G(E(x)), E(x))|₁, with sums over coordinates,
    f the features from which the discriminator computes its logit and w = `feature_weight`: the
    score of Zenati et al. 2018 (arXiv:1802.06222) for BiGAN, which is that of Schlegl et al. 2017
    (arXiv:1703.05921) with an encoder instead of a search for the code. A discriminator of examples
    alone gives f(x). Methods without either (VAE, AAE) have the first term alone, with weight 1.
    The scale depends on image size and on the discriminator: set a threshold on examples known to
    be normal, for one model at a time.

    Args:
        codes: (n, *code_shape) in place of E(x), such as those of `zoo.inversion.search`; None
            for the codes of the encoder. AnoGAN searches the code that minimises the score itself,
            `zoo.inversion.search` that of the squared error.

    Returns:
        anomaly_score, reconstruction_error (the first norm) and, if there is a discriminator of
        examples or pairs, feature_error (the second), each (n,).

    Raises:
        ValueError: the method has no encoder, or x has another shape or range.
    """
    x = ranges.examples(game, ops.convert_to_tensor(x))
    code = game.encode(x) if codes is None else ops.convert_to_tensor(codes)
    copy = game.decode(code)
    error = _distance(x, copy)
    if "feature_error" not in anomaly_terms(game):
        return {"anomaly_score": error, "reconstruction_error": error}
    name, given, *which = game.scores[_of_examples(game)]
    hidden = _hidden(_output(which))
    features = [
        game.infer(name, _given(given, y, code), hidden) for y in (x, ops.cast(copy, x.dtype))
    ]
    feature_error = _distance(*features)
    return {
        "anomaly_score": (1 - feature_weight) * error + feature_weight * feature_error,
        "reconstruction_error": error,
        "feature_error": feature_error,
    }


def anomaly_terms(game) -> tuple:
    """The names that `anomaly` returns for `game`, in order."""
    terms = ("anomaly_score", "reconstruction_error", "feature_error")
    return terms if _of_examples(game) else terms[:2]


def _of_examples(game):
    """The score whose features compare an example with its reconstruction, or None."""
    return next((score for score in ("score_xz", "score_x") if score in game.scores), None)


def _output(which):
    return which[0] if which else 0


def _given(given, x, code):
    parts = [{"x": x, "z": code}[kind] for kind in given]
    return parts if len(parts) > 1 else parts[0]


def _score(game, score, x, code):
    name, given, *which = game.scores[score]
    made = game.infer(name, _given(given, x, code))
    logit = made[_output(which)] if isinstance(made, (list, tuple)) else made
    logit = ops.cast(logit, "float32")
    return ops.mean(ops.reshape(logit, (ops.shape(logit)[0], -1)), axis=1)


def before_output(network, output: int = 0):
    """The network up to the last hidden layer, from which the layer of that output is computed."""
    head = network.outputs[output]._keras_history.operation
    return keras.Model(network.input, head.input)


@functools.cache
def _hidden(output):
    """`before_output` of one output: one function each, for `zoo.inference` to tell apart."""
    return functools.partial(before_output, output=output)


def features(encoder):
    """The encoder up to the layer "features", which networks of the caller's own may lack."""
    named = [layer.output for layer in encoder.layers if layer.name == "features"]
    return keras.Model(encoder.input, named[0]) if named else before_output(encoder)


def _distance(a, b):
    """L1 distance of each pair. (n, ...), (n, ...) → (n,)."""
    difference = ops.abs(ops.cast(a, "float32") - ops.cast(b, "float32"))
    return ops.sum(ops.reshape(difference, (ops.shape(difference)[0], -1)), axis=1)
