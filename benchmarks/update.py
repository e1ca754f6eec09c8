"""Processor time of Adam and of the average of weights in one step of the default BiGAN.

    taskset -c 1 python benchmarks/update.py [--rounds 8] [--calls 10]

Gradients are constant, so nothing else of a step is measured. All variants take turns; printed are
processor milliseconds a step, median and least of the rounds, and processor seconds of the first
call, which traces and compiles.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import statistics
import time

import keras
import tensorflow as tf
from absl import app
from absl import flags

import zoo
from zoo.training import averages
from zoo.training.optimizers import Adam

ROUNDS = flags.DEFINE_integer("rounds", 8, "Rounds, in turns.")
CALLS = flags.DEFINE_integer("calls", 10, "Steps of a round.")


def update(game, gradients, kind, averaged=True, xla=False):
    """A function that moves the weights of `game` once."""
    game.compile({player: kind(2e-4, beta_1=0.5) for player in game.players}, l2=2.5e-5)
    optimizer = game.optimizer

    @tf.function(jit_compile=xla, autograph=False)
    def move():
        for player in game.players:
            optimizer.step(player, gradients[player], game.variables_of(player))
        optimizer.iterations.assign_add(1)
        if averaged:
            averages.update(game)

    return move


def seconds(function, calls=1):
    began = time.process_time()
    for _ in range(calls):
        function()
    return time.process_time() - began


def main(argv):
    game = zoo.BiGAN((28, 28, 1), network="dcgan_joint", width=16, latent_dim=10, ema=0.999)
    gradients = {
        player: [tf.random.normal(v.shape) for v in game.variables_of(player)]
        for player in game.players
    }
    keras_adam = keras.optimizers.Adam
    moves = {
        "Adam of Keras, no average": update(game, gradients, keras_adam, averaged=False),
        "Adam of zoo, no average": update(game, gradients, Adam, averaged=False),
        "Adam of Keras": update(game, gradients, keras_adam),
        "Adam of zoo": update(game, gradients, Adam),
        "Adam of Keras, XLA": update(game, gradients, keras_adam, xla=True),
    }
    first = {name: seconds(move) for name, move in moves.items()}
    found = {name: [] for name in moves}
    for _ in range(ROUNDS.value):
        for name, move in moves.items():
            found[name].append(1000 * seconds(move, CALLS.value) / CALLS.value)
    print(f"{'':28}{'median ms':>10}{'least':>8}{'first call, s':>15}")
    for name, spent in found.items():
        least = f"{min(spent):8.2f}{first[name]:15.1f}"
        print(f"{name:28}{statistics.median(spent):10.2f}{least}")


if __name__ == "__main__":
    app.run(main)
