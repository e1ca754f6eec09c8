"""Speed of `encode`, `decode` and the rest on a trained game: compiled against eager.

    taskset -c 1 python benchmarks/encode.py [--examples 10000]

Both take turns, in batches of 500 as in evaluation; ratios are of processor seconds, the least and
the greatest of the rounds, because other work on a machine adds to wall time.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import time

import keras
import numpy as np
from absl import app
from absl import flags

import zoo
from zoo.metrics import in_batches

EXAMPLES = flags.DEFINE_integer("examples", 10_000, "Examples in a round.")
ROUNDS = flags.DEFINE_integer("rounds", 5, "Rounds of each.")
PRESET = "bigan_fashion_mnist"


def seconds(function, inputs):
    began = time.process_time()
    in_batches(function, inputs)
    return time.process_time() - began


def main(argv):
    game, n = zoo.load(PRESET), EXAMPLES.value
    z = keras.ops.convert_to_numpy(game.prior_codes(n, seed=0))
    x = in_batches(game.decode, z)
    uses = {"encode": x, "decode": z, "reconstruct": x, "features": x}
    print(f"{keras.backend.backend()}, {PRESET}, {n:,} examples in batches of 500")
    print(f"{'':12}{'compiled':>10}{'eager':>8}  examples/s of processor time{'ratio':>14}")
    for name, inputs in uses.items():
        taken = {True: [], False: []}
        for _ in range(ROUNDS.value + 1):
            for eager, found in taken.items():
                game.run_eagerly = eager
                found.append(seconds(getattr(game, name), inputs))
        eager, compiled = (np.array(taken[kind][1:]) for kind in (True, False))
        ratios = eager / compiled
        rates = f"{n / compiled.min():10,.0f}{n / eager.min():8,.0f}"
        print(f"{name:12}{rates}{ratios.min():36.2f} to {ratios.max():.2f}")


if __name__ == "__main__":
    app.run(main)
