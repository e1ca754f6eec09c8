"""The cost of tf.distribute on one machine: `fit` of BiGAN without it, with it, and on two workers.

    python benchmarks/distribute.py [--rounds 10] [--steps 20] [--batch_size 128] [--network dcgan]

Every variant is a process, or two, that has compiled its step and waits. They take turns: one round
is `--steps` steps of the same global batch by each of them, while the others sleep, so that a noisy
machine is noisy for all. On one CPU two replicas share the cores that one would have, so what is
seen is overhead, not speed-up. The best round is what the code can do, the median what it did.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import json
import pathlib
import socket
import statistics
import subprocess
import sys
import time

from absl import app
from absl import flags

ROUNDS = flags.DEFINE_integer("rounds", 10, "Rounds of every variant.")
STEPS = flags.DEFINE_integer("steps", 20, "Training steps in a round.")
BATCH = flags.DEFINE_integer("batch_size", 128, "Images per step, over all replicas.")
NETWORK = flags.DEFINE_string("network", "dcgan", "Set of networks: dcgan or mlp.")
VARIANT = flags.DEFINE_string("variant", "", "Used by the processes themselves.")

# Name → processes.
VARIANTS = {
    "no strategy": 1,
    "mirrored, one device": 1,
    "mirrored, two devices": 1,
    "multi-worker, one worker": 1,
    "multi-worker, two workers": 2,
}


def strategy(variant):
    """The strategy of a variant; two logical CPUs are made for all of them alike."""
    import tensorflow as tf

    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    if variant.startswith("multi-worker"):
        return tf.distribute.MultiWorkerMirroredStrategy()
    if variant == "mirrored, one device":
        return tf.distribute.MirroredStrategy(["CPU:0"])
    if variant == "mirrored, two devices":
        return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    return tf.distribute.get_strategy()


def work(variant):
    """Answer every line read with the seconds that one round took."""
    placed = strategy(variant)

    import keras

    import zoo
    from zoo import datasets

    with placed.scope():
        game = zoo.BiGAN((28, 28, 1), network=NETWORK.value)
        adam = {player: keras.optimizers.Adam(2e-4, beta_1=0.5) for player in game.players}
        game.compile(adam, jit_compile=False)
    stream = datasets.batches(datasets.load("fashion_mnist_10k").train, BATCH.value, seed=0)
    for _ in sys.stdin:
        began = time.perf_counter()
        game.fit(stream, steps_per_epoch=STEPS.value, verbose=0, shuffle=False)
        print(f"took {time.perf_counter() - began}", flush=True)


def start(variant, count):
    """The processes of a variant."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    addresses = [f"127.0.0.1:{opened.getsockname()[1]}" for opened in sockets]
    for opened in sockets:
        opened.close()
    root = str(pathlib.Path(__file__).parent.parent)
    found = []
    for index in range(count):
        environment = os.environ | {"PYTHONPATH": root, "CUDA_VISIBLE_DEVICES": ""}
        if variant.startswith("multi-worker"):
            task = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}
            environment["TF_CONFIG"] = json.dumps(task)
        found.append(
            subprocess.Popen(
                [sys.executable, *sys.argv, f"--variant={variant}"],
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        )
    return found


def turn(processes):
    """Seconds of one round of a variant: of the slowest of its processes."""
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    return max(answer(process) for process in processes)


def answer(process):
    """What a process says that its round took."""
    for line in process.stdout:
        if line.startswith("took "):
            return float(line.split()[1])
    raise SystemExit(f"a process ended with code {process.wait()}; what it said is above")


def main(argv):
    if VARIANT.value:
        work(VARIANT.value)
        return
    team = {}
    try:
        for variant, count in VARIANTS.items():
            print(f"compiling: {variant}", flush=True)
            team[variant] = start(variant, count)
            turn(team[variant])
        rates = {variant: [] for variant in VARIANTS}
        for number in range(ROUNDS.value):
            print(f"round {number + 1} of {ROUNDS.value}", flush=True)
            for variant, processes in team.items():
                rates[variant].append(STEPS.value * BATCH.value / turn(processes))
    finally:
        for process in (p for processes in team.values() for p in processes):
            process.kill()
    base = max(rates["no strategy"])
    print(f"\nBiGAN {NETWORK.value}, global batch {BATCH.value}, {os.cpu_count()} cores")
    print(f"{'':28}{'best':>8}{'median':>8}  images/s{'ms a step':>11}{'ratio':>7}")
    for variant, found in rates.items():
        best, step = max(found), 1000 * BATCH.value / max(found)
        print(
            f"{variant:28}{best:8.0f}{statistics.median(found):8.0f}{step:21.1f}{best / base:7.2f}"
        )


if __name__ == "__main__":
    app.run(main)
