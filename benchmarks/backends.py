"""A training step on TensorFlow, without and with XLA, and on JAX: two methods, 28 × 28, dcgan.

    python benchmarks/backends.py [--seconds 15] [--rounds 15] [--batch_size 128]

Each variant is a process of its own, for Keras has one backend in each, and they take turns in
short rounds while the others wait, so that a noisy machine is noisy for all. The best round is
what the code can do, the median what it did; ratios are of the best. The first call of `fit`,
which compiles, is timed by itself: seconds until the first ten steps are done.
"""

import os
import statistics
import subprocess
import sys
import time

from absl import app
from absl import flags

SECONDS = flags.DEFINE_float("seconds", 15, "Seconds of measuring for each variant.")
ROUNDS = flags.DEFINE_integer("rounds", 15, "Turns of each variant.")
BATCH = flags.DEFINE_integer("batch_size", 128, "Images per step.")
WORKER = flags.DEFINE_string("worker", "", "Internal: the method that this process trains.")
JIT = flags.DEFINE_bool("jit", False, "Internal: whether it compiles with XLA.")

STEPS = 10
METHODS = ("bigan", "vae")
VARIANTS = {
    "TensorFlow": ("tensorflow", "--nojit"),
    "TensorFlow, XLA": ("tensorflow", "--jit"),
    "JAX": ("jax", "--jit"),
}


def work():
    """Answer each line on standard input, a number of seconds, with images per second."""
    import keras

    import zoo
    from zoo import datasets

    game = zoo.method(WORKER.value)((28, 28, 1))
    optimizers = {player: keras.optimizers.Adam(2e-4, beta_1=0.5) for player in game.players}
    game.compile(optimizers, jit_compile=JIT.value)
    stream = datasets.batches(datasets.load("fashion_mnist_10k").train, BATCH.value, seed=0)
    for line in sys.stdin:
        began, done = time.perf_counter(), 0
        while not done or time.perf_counter() - began < float(line):
            game.fit(stream, steps_per_epoch=STEPS, verbose=0, shuffle=False)
            done += STEPS * BATCH.value
        print(done / (time.perf_counter() - began), flush=True)


def start(method, backend, jit):
    environment = os.environ | {"KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
    asked = [sys.executable, __file__, f"--worker={method}", jit, f"--batch_size={BATCH.value}"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    return subprocess.Popen(asked, env=environment, **pipes)


def ask(process, seconds):
    process.stdin.write(f"{seconds}\n")
    process.stdin.flush()
    answer = process.stdout.readline()
    if not answer:
        raise RuntimeError(f"a worker ended with code {process.wait()}: see its error above")
    return float(answer)


def main(argv):
    if WORKER.value:
        work()
        return
    kinds = [(method, name) for method in METHODS for name in VARIANTS]
    workers, first = {}, {}
    for method, name in kinds:
        print(f"compiling {method}: {name}", flush=True)
        workers[method, name] = start(method, *VARIANTS[name])
        first[method, name] = STEPS * BATCH.value / ask(workers[method, name], 0)
    rates = {kind: [] for kind in kinds}
    for turn in range(ROUNDS.value):
        print(f"round {turn + 1} of {ROUNDS.value}", flush=True)
        for kind in kinds:
            rates[kind].append(ask(workers[kind], SECONDS.value / ROUNDS.value))
    for process in workers.values():
        process.stdin.close()
        process.wait()
    print(f"\n{'images/s':24}{'best':>8}{'median':>8}{'ratio':>8}{'first 10 steps':>16}")
    for method, name in kinds:
        best, median = max(rates[method, name]), statistics.median(rates[method, name])
        ratio = best / max(rates[method, "TensorFlow"])
        seconds = f"{first[method, name]:.1f} s"
        print(f"{method + ', ' + name:24}{best:8.0f}{median:8.0f}{ratio:8.2f}{seconds:>16}")


if __name__ == "__main__":
    app.run(main)
