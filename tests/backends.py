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
from games import examples
from games import make
from games import step

import zoo

# A rate at which rounding errors do not grow.
RATE = 0.002


class Noise:
    """Draws that are the same on every backend, in place of `keras.random`'s."""

    def __init__(self):
        self.restart()
        keras.random.normal = self.normal
        keras.random.uniform = self.uniform

    def restart(self):
        self.draws = 0

    def _generator(self):
        self.draws += 1
        return np.random.default_rng(self.draws)

    def normal(self, shape, seed):
        return keras.ops.convert_to_tensor(self._generator().standard_normal(shape), "float32")

    def uniform(self, shape, low, high, seed):
        return keras.ops.convert_to_tensor(self._generator().uniform(low, high, shape), "float32")


def begin(methods, directory):
    """Games of `methods` that have taken two steps: <method>.keras."""
    noise = Noise()
    for method in methods:
        game = make(method, rate=RATE, optimizer=momentum, eager=True, ema=0.9)
        noise.restart()
        step(game, examples(), steps=2)
        game.save(directory / f"{method}.keras")


def momentum(rate):
    return keras.optimizers.SGD(rate, momentum=0.9)


def play(methods, directory):
    """What this file does as a program."""
    noise, backend = Noise(), keras.backend.backend()
    for method in methods:
        game = zoo.load(directory / f"{method}.keras")
        noise.restart()
        first = step(game, examples(seed=1))
        kept = values(game)
        game.save(directory / f"{method}-{backend}.keras")
        noise.restart()
        second = step(game, examples(seed=2))
        np.savez(
            directory / f"{method}-{backend}.npz",
            **{f"first {name}": value for name, value in first.items()},
            **{f"second {name}": value for name, value in second.items()},
            **kept,
        )


def values(game):
    """Path → number, of all that a checkpoint holds but the random state."""
    variables = {v.path: v for v in game.variables if "seed_generator" not in v.path}
    found = {f"weight {path}": v for path, v in variables.items()}
    for player, optimizer in game.optimizer.by_player.items():
        found |= {f"optimizer {player} {i}": v for i, v in enumerate(optimizer.variables)}
    return {name: keras.ops.convert_to_numpy(v) for name, v in found.items()}


if __name__ == "__main__":
    play(sys.argv[2:], pathlib.Path(sys.argv[1]))
