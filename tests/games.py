"""Tiny games of every method, for the contract tests."""

import keras
import numpy as np

import zoo

SHAPES = {"dcgan": (8, 8, 1), "mlp": (8, 8, 1), "mixture": (2,)}
KINDS = [(method, network) for method in zoo.METHODS for network in SHAPES]


def make(
    method, network="dcgan", rate=0.05, optimizer=keras.optimizers.SGD, jit=False, **arguments
):
    """A compiled game. `rate`: learning rate of every player, or player → rate (0 otherwise)."""
    game_class = zoo.method(method)
    game = game_class(SHAPES[network], latent_dim=3, network=network, width=4, **arguments)
    rates = rate if isinstance(rate, dict) else dict.fromkeys(game.players, rate)
    game.compile({p: optimizer(rates.get(p, 0.0)) for p in game.players}, jit_compile=jit)
    return game


def examples(network="dcgan", n=16, seed=0):
    """n examples in [-1, 1]."""
    shape = (n, *SHAPES[network])
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype("float32")


def step(game, x, steps=1):
    """`steps` training steps on the batch x; the logs of the last."""
    import tensorflow as tf

    dataset = tf.data.Dataset.from_tensors(x).repeat(steps)
    return {k: v[-1] for k, v in game.fit(dataset, verbose=0, shuffle=False).history.items()}


def weights(game):
    """network → its trainable weights, flattened into one vector."""
    return {
        name: np.concatenate([np.ravel(v.numpy()) for v in net.trainable_variables])
        for name, net in game.named_networks().items()
        if net.trainable_variables
    }


def state(game):
    """Every number that a checkpoint must hold."""
    kept = game.variables + game.optimizer.variables + [game.seed_generator.state]
    return [v.numpy() for v in kept]
