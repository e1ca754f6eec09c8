"""Methods of `keras.Model` as a game has them: compile, evaluate, predict, export, and saving.

Each adds to Keras' own: an optimizer for every player, checks of the pixels,
noise that evaluation does not use up and that a checkpoint continues.
"""

import contextlib

import keras
from keras import ops

import zoo
from zoo import networks
from zoo import saving
from zoo.training import optimizers
from zoo.training import ranges
from zoo.training.declarations import arguments_of
from zoo.training.declarations import check_reconstructs


def compile(game, optimizer=None, l2: float = 0.0, **kwargs) -> None:
    """Give every player its optimizer.

    Args:
        optimizer: of every player: a name such as "adam" or a Keras optimizer, of which each
            gets one of its own; or player → one of these (or a `PlayerOptimizers`). None
            for `default_optimizer`, the recipe's.
        l2: see `zoo.training.optimizers.PlayerOptimizers`.
        **kwargs: of `keras.Model.compile`, such as `jit_compile` (which JAX always does) and
            `steps_per_execution`.

    Raises:
        ValueError: a player has no optimizer, or an optimizer no player; losses or metrics of Keras
            are given; or a network computes in float16.
    """
    for name in ("loss", "loss_weights", "metrics", "weighted_metrics"):
        if kwargs.get(name) is not None:
            raise ValueError(f"{name} must be left out: the losses of a game are those of its play")
    layers = game._flatten_layers(include_self=False)
    if any(layer.compute_dtype == "float16" for layer in layers):
        raise ValueError(
            f"networks of {type(game).__name__} must not compute in float16, in which small "
            "gradients are 0: take the policy mixed_bfloat16"
        )
    networks.freeze(game)  # game.trainable = True has set the flags of all networks
    optimizer = optimizers.of_players(game, optimizer, l2)
    # A loss scaler would hide the players; bfloat16, unlike float16, needs none.
    keras.Model.compile(game, optimizer=optimizer, **{**kwargs, "auto_scale_loss": False})
    choose_compiler(game)
    optimizer.build({player: game.variables_of(player) for player in game.players})


def compile_from_config(game, config):
    config = {key: value for key, value in config.items() if value is not None}
    game.compile(**keras.saving.deserialize_keras_object(config))


def make_train_function(game, force: bool = False) -> None:
    """Keras' own; if XLA compiles a game of one phase, a call's steps are one program."""
    before = game.train_function
    keras.Model.make_train_function(game, force)
    if game.train_function is not before and _has_one_program(game):
        from zoo.training.compiled import train_function

        game.train_function = train_function(game, of_keras=game.train_function)


def _has_one_program(game):
    """Whether the steps of a call of `fit` may be one program, see `zoo.training.compiled`."""
    return (
        keras.backend.backend() == "tensorflow"
        and game.jit_compile
        and not game.run_eagerly
        and game.steps_per_execution > 1
        # With more phases a loop is rounded otherwise than one step (seen with WGAN), and a run
        # that was stopped between two calls would not continue bit for bit.
        and len(game.schedule) == 1
        # A step or metrics of a subclass may return other logs.
        and type(game).train_step is zoo.Game.train_step
        and type(game).metrics is zoo.Game.metrics
    )


def evaluate(game, x=None, y=None, *arguments, **named):
    """The losses of `play` on x, in inference mode: only their means are updated.

    The noise is that of a new game of this seed: the same weights give the same losses, and
    the noise of training continues as if nothing had been evaluated.

    Returns:
        The losses in the order of `metrics_names`, or by name if `return_dict=True`.

    Raises:
        ValueError: as `Game.fit` does.
    """
    ranges.check_first(game, x, y, **named)
    with noise_of_a_new_game(game):
        return keras.Model.evaluate(game, x, y, *arguments, **named)


def predict(game, x, *arguments, **named):
    """`reconstruct` of images, in batches, as a NumPy array.

    Raises:
        ValueError: as `Game.fit` does; or the method has no encoder.
    """
    check_reconstructs(game, "predict")
    ranges.check_first(game, x)
    return keras.Model.predict(game, x, *arguments, **named)


def export(game, filepath, *arguments, **named):
    """`keras.Model.export` of `reconstruct`, for any number of float32 images.

    `python -m export` writes a SavedModel with encode, decode and the rest.

    Raises:
        ValueError: the method has no encoder.
    """
    check_reconstructs(game, "export")
    named.setdefault("input_signature", [keras.InputSpec("float32", (None, *game.image_shape))])
    return keras.Model.export(game, filepath, *arguments, **named)


def get_config(game):
    found = {name: _frozen(getattr(game, name)) for name in networks.own.played(game)}
    frozen = {name: layers for name, layers in found.items() if layers}
    config = arguments_of(game) | networks.own.serialized(game)
    return config | ({"frozen": frozen} if frozen else {})


def from_config(method, config, custom_objects=None):
    config = dict(config)
    frozen = config.pop("frozen", {})
    with networks.seeded(config.get("seed", 0)):
        arguments = networks.own.deserialized(method, config)
    game = method(**arguments)
    for name, places in frozen.items():
        for place in places:
            getattr(game, name).layers[place].trainable = False
    return game


def _frozen(network):
    """Places of the layers with weights that do not learn."""
    layers = enumerate(network.layers)
    return [place for place, layer in layers if layer.weights and not layer.trainable]


def save_own_variables(game, store):
    keras.Model.save_own_variables(game, store)
    # Not among the weights; without them a resumed run draws other noise.
    for name, state in noise_states(game).items():
        store[name] = ops.convert_to_numpy(state)


def load_own_variables(game, store):
    states = noise_states(game)
    # Files of older versions lack the states of dropout.
    for name in {"noise"} | set(states) & set(store.keys()):
        states[name].assign(store[name])
    rest = {key: store[key] for key in store.keys() if key not in states}
    keras.Model.load_own_variables(game, rest)


def noise_states(game) -> dict:
    """Name → state of every generator of random numbers: the game's, and those of dropout."""
    found = {"noise": game.seed_generator.state}
    for name, network in game.named_networks().items():
        weights = {id(v) for v in network.weights}
        drawn = [v for v in network.variables if id(v) not in weights]
        found |= {f"noise_{name}_{number}": state for number, state in enumerate(drawn)}
    return found


def from_preset(method, source: str, sha256: str = ""):
    """`zoo.load`, for a game of this class. Raises ValueError if it is one of another."""
    return saving.load_of_class(method, source, sha256)


def save_to_preset(game, directory: str, precision: str = "float16", **options):
    """`zoo.save_preset` of this game."""
    return zoo.save_preset(game, directory, precision, **options)


@contextlib.contextmanager
def noise_of_a_new_game(game):
    """Draw the noise of a new game of this seed, then continue as if nothing had been drawn."""
    state = game.seed_generator.state
    before = ops.convert_to_numpy(state)
    state.assign(ops.cast(keras.random.SeedGenerator(game.seed).state, state.dtype))
    try:
        yield
    finally:
        state.assign(before)


def choose_compiler(game) -> None:
    """Have JAX compile the step of `game`, for any `jit_compile`, unless it runs eagerly.

    jit_compile=False means a graph without XLA, and JAX has nothing between XLA and one operation
    after another. The value given to `compile` is kept in checkpoints, for TensorFlow.
    """
    if keras.backend.backend() == "jax":
        game.jit_compile = not game.run_eagerly
