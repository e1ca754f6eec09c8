"""Tiny games of every method, for the contract tests."""

import itertools

import keras
import numpy as np
import pytest
from written import CLASSES
from written import WRITTEN

import zoo

SHAPES = {
    "dcgan": (8, 8, 1),
    "dcgan_joint": (16, 16, 1),
    "dcgan_map": (16, 16, 1),
    "residual": (28, 28, 1),
    "mlp": (8, 8, 1),
    "mixture": (2,),
    "tanh": (8, 8, 1),
}
NETWORKS = ("dcgan", "mlp", "mixture")
# Only `zoo.networks.CONVOLUTIONAL` have the discriminator of BigBiGAN.
OWN_NETWORKS = {"bigbigan": ("dcgan", "dcgan_joint", "dcgan_map", "residual")}

# Methods whose step takes long to trace, and those of which only one set of networks is not long.
TRANSLATORS = ("cyclegan", "unit")
TRACED_LONG = ("acgan", *TRANSLATORS, "wgan")
MOSTLY_LONG = (*TRACED_LONG, "bigbigan", "naive_encoder")
# Methods that are not long on points: the networks of the others are dense as "mlp" has them.
ON_POINTS = ("bigan", "vae")


def kind(method, network):
    """By default every method on one set of networks and one method on every set."""
    known = network == "mixture" and method not in ON_POINTS
    if known or network != "dcgan" and method in MOSTLY_LONG:
        return pytest.param(method, network, marks=pytest.mark.long)
    if method != "bigan" and (network != "dcgan" or method in TRACED_LONG):
        return pytest.param(method, network, marks=pytest.mark.slow)
    return method, network


KINDS = [
    kind(method, network)
    for method in zoo.METHODS
    for network in OWN_NETWORKS.get(method, NETWORKS)
] + [
    pytest.param(method, network, marks=pytest.mark.slow)
    for method, network in (
        ("vae", "tanh"),
        ("bigan", "dcgan_joint"),
        ("bigan", "dcgan_map"),
        ("bigan", "residual"),
    )
]


ALL_KINDS = KINDS + [(method, "mlp") for method in WRITTEN]
# For tests that trace a graph, which takes longer than the steps.
TRACED_KINDS = KINDS + [pytest.param(method, "mlp", marks=pytest.mark.slow) for method in WRITTEN]


def method_of(name):
    """The class of a method of the package, or of one that a user wrote."""
    return WRITTEN[name] if name in WRITTEN else zoo.method(name)


# What a method needs to be able to play on a set of networks. At unit variance the tests' learning
# rate is one at which it converges, so that rounding errors do not grow.
ARGUMENTS = {("vae", "mixture"): {"likelihood": "gaussian", "variance": 1.0}} | {
    ("acgan", network): {"classes": 3} for network in SHAPES
}


def make(
    method,
    network="dcgan",
    rate=0.05,
    optimizer=keras.optimizers.SGD,
    jit=False,
    eager=False,
    l2=0.0,
    **arguments,
):
    """A compiled game.

    Args:
        rate: learning rate of every player, or player → rate (0 otherwise).
        eager: step without tracing a graph, which takes longer than the few steps of a test. On
            JAX, whose operations are each compiled by themselves, it would be the other way round.
    """
    game_class = method_of(method)
    arguments = ARGUMENTS.get((method, network), {}) | arguments
    game = game_class(SHAPES[network], latent_dim=3, network=network, width=4, **arguments)
    rates = rate if isinstance(rate, dict) else dict.fromkeys(game.players, rate)
    optimizers = {p: optimizer(rates.get(p, 0.0)) for p in game.players}
    eager = eager and keras.backend.backend() == "tensorflow"
    game.compile(optimizers, l2=l2, jit_compile=jit, run_eagerly=eager)
    return game


def export(game, directory):
    """A SavedModel with the exporter's `encode` and `decode`, and no file beside it."""
    from export import signatures
    from export import write

    offered = signatures.signatures(game)
    kept = {name: offered[name] for name in ("encode", "decode")}
    write.archive(kept).write_out(str(directory), verbose=False)


def examples(network="dcgan", n=16, seed=0):
    """n examples in [-1, 1]."""
    shape = (n, *SHAPES[network])
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype("float32")


def size(game):
    """Examples in a batch of `game`: 16, or 24 to be shared by six phases."""
    return 16 if game.batches_per_step == 1 else 24


def batch(game, n=None, seed=0):
    """n examples of every part of a batch of `game`, by default `size(game)`."""
    n = n or size(game)
    rng = np.random.default_rng(seed)
    parts = {
        "y": lambda: rng.integers(0, CLASSES, n).astype("int32"),
        "images": lambda: rng.uniform(-1, 1, (n, *game.image_shape)).astype("float32"),
    }
    return tuple(parts.get(name, parts["images"])() for name in game.inputs if name != "z")


def completed(game, x):
    """A batch of `game` whose images are x: x alone, or with what else the method takes."""
    further = {
        "y": lambda: np.arange(len(x), dtype="int32") % game.classes,
        "b": lambda: x[::-1] / 2,
    }
    return (x, *[further[name]() for name in game.inputs if name in further])


def step(game, x, steps=1):
    """`steps` training steps on the batch x, images or a tuple of parts; the logs of the last."""
    parts = x if isinstance(x, tuple) else completed(game, x)
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        stream, count = tf.data.Dataset.from_tensors(parts).repeat(steps), {}
    else:
        stream, count = (parts for _ in itertools.count()), {"steps_per_epoch": steps}
    history = game.fit(stream, verbose=0, shuffle=False, **count).history
    return {name: values[-1] for name, values in history.items()}


def weights(game):
    """network → its trainable weights, flattened into one vector."""
    return {
        name: np.concatenate([np.ravel(v.numpy()) for v in net.trainable_variables])
        for name, net in game.named_networks().items()
        if net.trainable_variables
    }


def silent(game):
    """Make every discriminator of `game` answer 0 to everything."""
    for name in ("discriminator", "code_discriminator"):
        for variable in getattr(getattr(game, name, None), "trainable_variables", ()):
            variable.assign(np.zeros(variable.shape))
    return game


def losses_of(game, x, z):
    """player → loss of one round, batch norm in training mode."""
    return {p: float(v) for p, v in game((x, z), training=True).items()}


def losses_when_judged(game, first, second):
    """`losses_of` black images if D answers `first` to its first batch and `second` to others.

    Also what D was given, in order.
    """
    seen, n = [], 4

    def judge(inputs, training=None):
        seen.append(inputs)
        return keras.ops.full((n, 1), first if len(seen) == 1 else second)

    game.discriminator = judge
    return losses_of(game, np.zeros((n, *game.image_shape), "float32"), game.noise(n)), seen


def gradient(game, player, x, z, of=None):
    """Gradient of a player's loss with respect to its networks, or those `of` another player."""
    import tensorflow as tf

    variables = game.variables_of(of or player)
    with tf.GradientTape() as tape:
        loss = game((x, z), training=True)[player]
    found = tape.gradient(loss, variables)
    return [np.zeros(v.shape) if g is None else g.numpy() for g, v in zip(found, variables)]


def state(game):
    """Every number that a checkpoint must hold."""
    kept = game.variables + game.optimizer.variables + [game.seed_generator.state]
    return [v.numpy() for v in kept]


def same(one, other):
    """Whether arrays, such as those of `state`, are equal bit by bit."""
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def same_state(one, other):
    """Whether two games have the same `state`."""
    return same(state(one), state(other))


def half(x):
    """A discriminator of 2 × 2 patches that cannot tell: D = ½ everywhere."""
    return keras.ops.full((x.shape[0], 2, 2, 1), 0.5)
