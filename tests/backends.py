"""The same steps on the backend of this process, with noise that does not depend on it.

    python tests/backends.py DIRECTORY METHOD ...

reads DIRECTORY/<method>.keras, takes one step, writes what came of it to <method>-<backend>.keras,
takes another, and writes the losses of both and all weights after the first to
<method>-<backend>.npz.
"""

import pathlib
import sys

import keras
import numpy as np
from games import batch
from games import make
from games import step

import zoo

# A rate at which rounding errors do not grow.
RATE = 0.002


class Noise:
    """Draws that are the same on every backend, in place of `keras.random`'s: those of a step."""

    def __init__(self):
        self.draws = 0
        keras.random.normal = self.normal
        keras.random.uniform = self.uniform

    def of(self, game):
        """`game`, each of whose steps begins with the first draw; also when it is traced again."""
        step = game.train_step

        def train_step(*arguments):
            self.draws = 0
            return step(*arguments)

        game.train_step = train_step
        return game

    def _generator(self):
        self.draws += 1
        return np.random.default_rng(self.draws)

    def normal(self, shape, seed):
        return keras.ops.convert_to_tensor(self._generator().standard_normal(shape), "float32")

    def uniform(self, shape, low, high, seed):
        return keras.ops.convert_to_tensor(self._generator().uniform(low, high, shape), "float32")


def begin(methods, directory, noise):
    """Games of `methods` that have taken two steps: <method>.keras."""
    for method in methods:
        game = make(method, rate=RATE, optimizer=momentum, eager=True, ema=0.9)
        step(noise.of(game), batch(game), steps=2)
        game.save(directory / f"{method}.keras")


def momentum(rate):
    return keras.optimizers.SGD(rate, momentum=0.9)


def play(methods, directory, noise):
    """What this file does as a program."""
    backend = keras.backend.backend()
    for method in methods:
        game = noise.of(zoo.load(directory / f"{method}.keras"))
        first = step(game, batch(game, seed=1))
        kept = values(game)
        game.save(directory / f"{method}-{backend}.keras")
        second = step(game, batch(game, seed=2))
        np.savez(
            directory / f"{method}-{backend}.npz",
            **{f"first {name}": value for name, value in first.items()},
            **{f"second {name}": value for name, value in second.items()},
            **kept,
        )


def values(game):
    """Name → array, of all that a checkpoint holds but the random state."""
    variables = [v for v in game.variables if "seed_generator" not in v.path]
    # The same place is the same variable; its path counts the games of a process.
    found = {f"weight {i} {v.name}": v for i, v in enumerate(variables)}
    for player, optimizer in game.optimizer.by_player.items():
        found |= {f"optimizer {player} {i}": v for i, v in enumerate(optimizer.variables)}
    return {name: keras.ops.convert_to_numpy(v) for name, v in found.items()}


if __name__ == "__main__":
    play(sys.argv[2:], pathlib.Path(sys.argv[1]), Noise())
