"""Training speed of the dcgan BiGAN at 28 × 28, batch 128, on this machine.

    python benchmarks/step.py [--seconds 15] [--batch_size 128]

All variants take turns in short rounds, so that a noisy machine is noisy for all of them. Shared
machines lose whole cores for seconds at a time; the best round is what the code can do, the median
what it did, and ratios are of the best. Compared are the usual Keras loop (one tape and one
forward pass per player), our step (one forward pass shared by both), and what XLA, several steps
per call and bfloat16 bring. The last column is the share of this machine's float32 matmul rate:
the arithmetic of our step (see `benchmarks/arithmetic.py`) over what a 1024 × 1024 matmul reaches
in the best of its rounds.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import statistics
import time

import arithmetic
import keras
import tensorflow as tf
from absl import app
from absl import flags

import zoo
from zoo import datasets

SECONDS = flags.DEFINE_float("seconds", 15, "Seconds of measuring for each variant.")
BATCH = flags.DEFINE_integer("batch_size", 128, "Images per step.")
STEPS = 10


class TwoTapes(keras.Model):
    """The usual loop: each player has a tape and a forward pass of its own."""

    def __init__(self, game):
        super().__init__()
        self.game = game
        self.by_player = {player: adam() for player in game.players}
        self.trackers = {player: keras.metrics.Mean(name=player) for player in game.players}
        self.built = True

    def train_step(self, x):
        for player, optimizer in self.by_player.items():
            variables = self.game.variables_of(player)
            with tf.GradientTape() as tape:
                z = keras.random.normal((tf.shape(x)[0], self.game.latent_dim))
                loss = self.game((x, z), training=True)[player]
            optimizer.apply(tape.gradient(loss, variables), variables)
            self.trackers[player].update_state(loss)
        return {name: tracker.result() for name, tracker in self.trackers.items()}


def adam():
    return keras.optimizers.Adam(2e-4, beta_1=0.5)


def two_tapes():
    model = TwoTapes(zoo.BiGAN((28, 28, 1)))
    model.compile(optimizer=adam(), jit_compile=False)
    return model


def shared(policy="float32", **options):
    keras.mixed_precision.set_global_policy(policy)
    game = zoo.BiGAN((28, 28, 1))
    keras.mixed_precision.set_global_policy("float32")
    game.compile({player: adam() for player in game.players}, **options)
    return game


VARIANTS = {
    "two tapes (usual Keras loop)": two_tapes,
    "shared forward pass": lambda: shared(jit_compile=False),
    "  + 10 steps per call": lambda: shared(jit_compile=False, steps_per_execution=STEPS),
    "  + bfloat16": lambda: shared("mixed_bfloat16", jit_compile=False),
    "  + XLA": lambda: shared(jit_compile=True),
    "  + XLA, 10 steps per call": lambda: shared(jit_compile=True, steps_per_execution=STEPS),
    "  + XLA, bfloat16": lambda: shared("mixed_bfloat16", jit_compile=True),
}


def images_per_second(model, stream, seconds):
    began, done = time.perf_counter(), 0
    while time.perf_counter() - began < seconds:
        model.fit(stream, steps_per_epoch=STEPS, verbose=0, shuffle=False)
        done += STEPS * BATCH.value
    return done / (time.perf_counter() - began)


def main(argv):
    data = datasets.load("fashion_mnist_10k")
    stream = datasets.batches(data.train, BATCH.value, seed=0)
    models = {name: build() for name, build in VARIANTS.items()}
    for name, model in models.items():
        print(f"compiling: {name.strip()}", flush=True)
        model.fit(stream, steps_per_epoch=2 * STEPS, verbose=0, shuffle=False)
    rounds = 15
    rates = {name: [] for name in models}
    matmul = []
    for turn in range(rounds):
        print(f"round {turn + 1} of {rounds}", flush=True)
        matmul.append(arithmetic.matmul_rate(SECONDS.value / rounds / 2))
        for name, model in models.items():
            rates[name].append(images_per_second(model, stream, SECONDS.value / rounds))
    game = shared(jit_compile=False)
    needed = arithmetic.of_step(game, (BATCH.value, *game.image_shape)) / BATCH.value
    peak = max(matmul)
    base = max(rates["two tapes (usual Keras loop)"])
    print(f"\nmatmul {peak / 1e9:.0f} GFLOP/s; {needed / 1e6:.1f} MFLOP per image")
    print(f"{'':32}{'best':>8}{'median':>8}  images/s{'ratio':>8}{'of matmul':>11}")
    for name, found in rates.items():
        best, median = max(found), statistics.median(found)
        shares = f"{best / base:8.2f}{best * needed / peak:11.2f}"
        print(f"{name:32}{best:8.0f}{median:8.0f}          {shares}")


if __name__ == "__main__":
    app.run(main)
