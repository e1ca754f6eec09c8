"""Networks of the caller's own, in place of those that a method draws.

    zoo.BiGAN((28, 28, 1), latent_dim=50, encoder=my_encoder, generator=my_generator)

A network that is given must have the inputs and outputs of the one that the method draws. They are
compared after the method drew its networks and before anything is trained.
"""

import keras
from keras import layers

from zoo.priors import BOUNDED

# Ends of a network, by name of an activation, a layer or an operation of `keras.ops`.
_NEVER_NEGATIVE = (
    *("relu", "relu6", "sigmoid", "hard_sigmoid", "hardsigmoid", "softmax", "softplus"),
    *("exponential", "exp", "abs", "square"),
)
_UNBOUNDED = ("linear", "leaky_relu", "leakyrelu", "elu", "celu", "selu", "gelu", "silu")


def played(game) -> list[str]:
    """The networks of the players of `game` (or of its class)."""
    return list(dict.fromkeys(net for nets in game.players.values() for net in nets))


def names(game) -> list[str]:
    """The networks that a caller may give: those of `played`, and the `fixed` ones."""
    return [*played(game), *game.fixed]


def check_names(game, given: dict) -> None:
    """Raises TypeError, as Python does, if a keyword of the constructor is no network."""
    for name in given:
        if name not in names(game):
            raise TypeError(
                f"{type(game).__name__} has no argument {name!r}; networks that may be given are "
                f"{', '.join(names(game))}"
            )


def replace(game, given: dict) -> None:
    """Put the networks of `given`, by name, in place of those that `game` has drawn.

    Raises:
        ValueError: a network has other inputs or outputs than the drawn one, cannot return values
            of the required range, or could not be saved and loaded.
    """
    for name, network in given.items():
        drawn = getattr(game, name)
        network = _functional(network)
        _check(game, name, network, drawn)
        _put(game, name, network)


def with_ends(game) -> None:
    """Give players' networks that are built as `keras.Sequential` the ends of a `keras.Model`.

    Features are read at these.

    Raises:
        ValueError: the shapes of such a network are not known.
    """
    for name, network in game.named_networks().items():
        if isinstance(network, keras.Sequential) and name in names(game):
            _check_ends(f"{name} of {type(game).__name__}", network)
            _put(game, name, _functional(network))


def _functional(network):
    """A Sequential's layers with the attributes `input` and `output`, which it lacks."""
    if not isinstance(network, keras.Sequential) or not network.built:
        return network
    return keras.Model(network.inputs[0], network.outputs[0], name=network.name)


def _put(game, name, network):
    # Keras saves all attributes that were ever assigned.
    game._tracker.untrack(getattr(game, name))
    setattr(game, name, network)


def set_weights(model, weights: list) -> None:
    """`model.set_weights`, and `finalize`."""
    model.set_weights(weights)
    finalize(model)


def finalize(model) -> None:
    """Let the layers of `model`, whose weights were set, compute what they derive from them.

    Normalization does that only when it is loaded or adapted.
    """
    for layer in model._flatten_layers(include_self=False):
        state = {}
        layer.save_own_variables(state)
        layer.load_own_variables(state)


def serialized(game) -> dict:
    """name → configuration of the networks that were given to `game`, for its own."""
    return {name: keras.saving.serialize_keras_object(getattr(game, name)) for name in game.own}


def deserialized(game_class, config: dict) -> dict:
    """`config` with networks in place of their entries in `serialized`."""
    revive = keras.saving.deserialize_keras_object
    given = {name: revive(config[name]) for name in names(game_class) if name in config}
    return config | given


def _check_ends(what, network):
    known = isinstance(network, keras.Model) and getattr(network, "built", False)
    if not known or not all(getattr(network, end, None) for end in ("inputs", "outputs")):
        raise ValueError(
            f"{what} must be a keras.Model whose shapes are known, such as keras.Model(inputs, "
            f"outputs) or a keras.Sequential that begins with keras.Input; got {network!r}"
        )


def _check(game, name, network, drawn):
    what = f"{name} of {type(game).__name__}"
    _check_ends(what, network)
    if not _fits(network, drawn):
        raise ValueError(
            f"{what} must be a network {_words(drawn)} (latent_dim is {game.latent_dim}); got "
            f"{_words(network)}"
        )
    for output in range(len(drawn.outputs)):
        end = _end(network, output)
        if _is_free(drawn, output) or _end(drawn, output) == end:
            continue
        ranged = game.image_range is not None and len(game.image_shape) == 3
        image = tuple(drawn.outputs[output].shape[1:]) == game.image_shape
        if end in _NEVER_NEGATIVE and (ranged or not image):
            raise ValueError(
                f"{what} must be able to return negative numbers, for logits, codes and pixels in "
                f"[-1, 1] may be negative; got one that ends with {end}"
            )
        scored = name in {network for network, *_ in game.scores.values()} or (image and ranged)
        if end == "tanh" and scored and _end(drawn, output) == "linear":
            raise ValueError(
                f"{what} must be able to return numbers outside [-1, 1], for it gives logits or "
                "scores; got one that ends with tanh"
            )
        if name == "encoder" and output == 0 and game.prior in BOUNDED and end in _UNBOUNDED:
            raise ValueError(
                f"{what} must return codes in [-1, 1], for its prior is {game.prior!r}: end it "
                f"with tanh; got one that ends with {end}"
            )
    _check_saves(what, keras.saving.serialize_keras_object(network))


def _fits(network, drawn):
    """Whether both have the same number of inputs and outputs, of the same shapes and types."""
    pairs = [*zip(network.inputs, drawn.inputs), *zip(network.outputs, drawn.outputs)]
    free = [None] * len(drawn.inputs) + [_is_free(drawn, i) for i in range(len(drawn.outputs))]
    counts = [(len(n.inputs), len(n.outputs)) for n in (network, drawn)]
    return (
        counts[0] == counts[1]
        and isinstance(network.output, list) == isinstance(drawn.output, list)
        and all(loose or _alike(a, b) for (a, b), loose in zip(pairs, free, strict=True))
    )


def _alike(given, drawn):
    sides = list(zip(given.shape, drawn.shape))
    return (
        len(given.shape) == len(drawn.shape)
        and all(a is None or a == b for a, b in sides)
        and given.dtype == drawn.dtype
    )


def _is_free(drawn, output):
    """Whether the output may have any shape: features of a discriminator, not its answer."""
    return drawn.outputs[output]._keras_history.operation.name == "similarity"


def _words(network):
    """Inputs and outputs, such as "(28, 28, 1), (50,) → float32 (1,)"."""
    inputs = ", ".join(str(tuple(tensor.shape[1:])) for tensor in network.inputs)
    outputs = [f"{tensor.dtype} {tuple(tensor.shape[1:])}" for tensor in network.outputs]
    for output in range(len(outputs)):
        if _is_free(network, output):
            outputs[output] = "features of any shape"
    said = ", ".join(outputs)
    return f"{inputs} → {f'[{said}]' if isinstance(network.output, list) else said}"


def _end(network, output):
    """Name of the activation, layer or operation that an output comes from."""
    operation = network.outputs[output]._keras_history.operation
    while isinstance(operation, layers.Reshape | layers.Flatten):
        operation = operation.input._keras_history.operation
    activation = getattr(operation, "activation", None)
    return getattr(activation, "__name__", type(operation).__name__).lower()


def _check_saves(what, config):
    """Raises ValueError if a part of the configuration of a network could not be loaded again."""
    if isinstance(config, list | tuple):
        for part in config:
            _check_saves(what, part)
    if not isinstance(config, dict):
        return
    kind, registered = config.get("class_name"), config.get("registered_name")
    if kind == "__lambda__":
        raise ValueError(
            f"{what} has a Lambda layer, whose code Keras does not load again; write a "
            "keras.layers.Layer"
        )
    label = config["config"] if kind == "function" else registered
    of_keras = str(config.get("module")).startswith("keras.")
    if registered and not of_keras and ">" not in label:
        raise ValueError(
            f"{what} has {label if kind == 'function' else kind}, which Keras cannot load again; "
            "decorate it with @keras.saving.register_keras_serializable()"
        )
    for part in config.values():
        _check_saves(what, part)
