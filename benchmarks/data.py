"""A set that need not fit into memory, trained on from the cache on disk and from memory.

    python benchmarks/data.py [--images 300000] [--rounds 6] [--steps 20] [--grain]

Makes an .npy file of images of 64 × 64 × 3 in a directory below $TMPDIR, which it deletes at the
end. The disk must have room for the set twice: the file and the cache. One process trains a BiGAN
on the map of the cache, another on the same set in memory, in turns. Printed are: rates per second
of wall and of processor time, with the least and the greatest ratio of the rounds; the most memory
that the system could not drop (RssAnon of /proc/self/status), sampled ten times a second; whether
training that is killed and resumed ends with the weights of training that is not; and how long the
second start of a folder of JPEG files takes, without the import of TensorFlow. With --grain, Grain
reads the same images (pip install grain).
"""

import hashlib
import itertools
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from absl import app
from absl import flags

IMAGES = flags.DEFINE_integer("images", 300_000, "Images of 64 × 64 × 3 in the made set.")
ROUNDS = flags.DEFINE_integer("rounds", 6, "Rounds of training, in turns.")
STEPS = flags.DEFINE_integer("steps", 20, "Steps of a round, of 64 images.")
GRAIN = flags.DEFINE_boolean("grain", False, "Also measure Grain.")
BATCH = 64
FILES = 5_000  # of the made folder


def make(path, count):
    """Noise of low resolution, each image another one. Written block by block."""
    rng = np.random.default_rng(0)
    made = np.lib.format.open_memmap(path, "w+", np.uint8, (count, 64, 64, 3))
    for first in range(0, count, 10_000):
        some = min(10_000, count - first)
        coarse = rng.integers(0, 256, (some, 8, 8, 3), np.uint8)
        made[first : first + some] = coarse.repeat(8, axis=1).repeat(8, axis=2)
    made.flush()


def make_folder(folder, count):
    import PIL.Image

    rng = np.random.default_rng(0)
    folder.mkdir()
    for i in range(count):
        coarse = PIL.Image.fromarray(rng.integers(0, 256, (22, 18, 3), np.uint8))
        coarse.resize((178, 218)).save(folder / f"{i:06}.jpg")


def status():
    """Memory of this process in bytes: RssAnon, RssFile, VmHWM and others."""
    lines = pathlib.Path("/proc/self/status").read_text().splitlines()
    return {line.split(":")[0]: int(line.split()[1]) * 1024 for line in lines if "kB" in line}


class Sampler(threading.Thread):
    """The largest RssAnon so far."""

    def __init__(self):
        super().__init__(daemon=True)
        self.most = status()["RssAnon"]

    def run(self):
        while True:
            self.most = max(self.most, status()["RssAnon"])
            time.sleep(0.1)


def worker(name, folder, checkpoints):
    """Loads the set, then does what is written to its standard input, one line at a time."""
    import keras
    import tensorflow  # noqa: F401

    import zoo
    from trainers.runs import checkpoints as saved
    from zoo import datasets

    sampler = Sampler()
    sampler.start()
    began = time.perf_counter()
    data = datasets.load(name, cache=bool(folder), cache_dir=folder)
    print(json.dumps({"load": time.perf_counter() - began, "most": sampler.most}), flush=True)
    keras.utils.set_random_seed(0)
    game = zoo.BiGAN(data.shape, width=16)
    game.compile(jit_compile=False)
    begun = saved.restore(game, pathlib.Path(checkpoints))

    def train(steps):
        stream = datasets.batches(data.train, BATCH, 0, saved.step_of(game))
        game.fit(stream, steps_per_epoch=steps, verbose=0, shuffle=False)

    for line in sys.stdin:
        steps, save = json.loads(line)
        wall, processor = time.perf_counter(), time.process_time()
        if steps:
            train(steps)
        found = {"wall": steps * BATCH / (time.perf_counter() - wall)}
        found["processor"] = steps * BATCH / max(time.process_time() - processor, 1e-9)
        if save:
            saved.write(game, pathlib.Path(checkpoints))
        weights = hashlib.sha256(b"".join(w.numpy().tobytes() for w in game.weights)).hexdigest()
        found |= {"most": sampler.most, "begun": begun, "step": saved.step_of(game)}
        print(json.dumps(found | {"file": status()["RssFile"], "weights": weights}), flush=True)


class Process:
    """A worker."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen(
            [sys.executable, __file__, "worker", *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.loaded = self.answer()

    def answer(self):
        return json.loads(self.process.stdout.readline())

    def ask(self, steps, save=False):
        self.process.stdin.write(json.dumps([steps, save]) + "\n")
        self.process.stdin.flush()
        return self.answer()

    def end(self):
        self.process.kill()
        self.process.wait()


def compare(name, folder, place):
    """Rates of the map and of memory in turns, and the memory that they take."""
    for start in ("first", "second"):
        mapped = Process(name, folder, place / "none")
        print(
            f"{start} start: {mapped.loaded['load']:.1f} s to load, "
            f"at most {mapped.loaded['most'] / 1e9:.2f} GB meanwhile"
        )
        if start == "first":
            mapped.end()
    held = Process(name, "", place / "none")
    found = {"map": [], "memory": []}
    for number in range(ROUNDS.value + 1):
        both = [("map", mapped), ("memory", held)]
        for kind, process in both if number % 2 else both[::-1]:
            found[kind].append(process.ask(STEPS.value))
    print(f"\n{'':10}{'images/s':>10}{'per processor s':>17}{'RssAnon, most':>16}{'RssFile':>10}")
    for kind, rounds in found.items():
        wall, processor = (max(r[key] for r in rounds[1:]) for key in ("wall", "processor"))
        last = rounds[-1]
        sizes = f"{last['most'] / 1e9:13.2f} GB{last['file'] / 1e9:7.2f} GB"
        print(f"{kind:10}{wall:10.0f}{processor:17.0f}{sizes}")
    for key, told in (("wall", "images/s"), ("processor", "per processor s")):
        ratios = [a[key] / b[key] for a, b in zip(found["map"][1:], found["memory"][1:])]
        best = max(r[key] for r in found["map"][1:]) / max(r[key] for r in found["memory"][1:])
        print(
            f"map / memory, {told}: {best:.2f} of the best rounds, median {np.median(ratios):.2f} "
            f"({min(ratios):.2f} to {max(ratios):.2f})"
        )
    mapped.end()
    held.end()


def kill(name, folder, place):
    """40 steps at once, and 40 steps of which a process killed after 30 had saved 20."""
    whole = Process(name, folder, place / "whole")
    whole.ask(20)
    expected = whole.ask(20)
    whole.end()
    killed = Process(name, folder, place / "killed")
    killed.ask(20, save=True)
    killed.ask(10)
    killed.end()
    resumed = Process(name, folder, place / "killed")
    rest = resumed.ask(20)
    resumed.end()
    same = rest["weights"] == expected["weights"] and rest["step"] == expected["step"] == 40
    print(f"killed after 30 steps and resumed from {rest['begun']}: bit-equal {same}")


def folder_start(name, cache_dir):
    """What loading a folder of JPEG files takes, in a process of its own."""
    code = (
        "import sys, time, tensorflow\n"
        "from zoo import datasets\n"
        "wall, processor = time.perf_counter(), time.process_time()\n"
        "datasets.load(sys.argv[1], image_size=64, cache_dir=sys.argv[2])\n"
        "wall, processor = time.perf_counter() - wall, time.process_time() - processor\n"
        "print(f'{wall:.2f} s ({processor:.2f} of the processor)')"
    )
    command = [sys.executable, "-c", code, name, cache_dir]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def grain_batches(path):
    """Grain's shuffled batches of the file."""
    import grain

    images = np.load(path, mmap_mode="r")
    stream = grain.MapDataset.source(images).seed(0).shuffle().repeat().batch(BATCH)
    return ((stream[i].astype(np.float32) - 127.5) / 127.5 for i in itertools.count())


def our_batches(name, folder):
    """The same batches of this package, in NumPy."""
    from zoo import datasets
    from zoo.datasets.batches import arrays

    images = datasets.load(name, cache_dir=folder).train
    return (batch for (batch,) in arrays(images, BATCH, seed=0))


def rate(batches, seconds=5):
    """Images per second of endless batches, and the RssAnon that they add."""
    before, began, done = status()["RssAnon"], time.perf_counter(), 0
    while time.perf_counter() - began <= seconds:
        done += len(next(batches))
    per_second = done / (time.perf_counter() - began)
    return f"{per_second:,.0f} images/s, {(status()['RssAnon'] - before) / 1e6:.0f} MB"


def main(argv):
    if argv[1:2] == ["worker"]:
        return worker(*argv[2:])
    place = pathlib.Path(tempfile.mkdtemp())
    try:
        path, folder = place / "made.npy", str(place / "cache")
        size = IMAGES.value * 64 * 64 * 3
        if shutil.disk_usage(place).free < 2.2 * size:
            raise SystemExit(f"error: {place} has no {2.2 * size / 1e9:.0f} GB")
        make(path, IMAGES.value)
        print(f"{IMAGES.value:,} images of 64 × 64 × 3, {size / 1e9:.1f} GB", flush=True)
        compare(f"npz:{path}", folder, place)
        kill(f"npz:{path}", folder, place)
        print(f"batches alone, NumPy: {rate(our_batches(f'npz:{path}', folder))}")
        if GRAIN.value:
            print(f"batches alone, Grain: {rate(grain_batches(path))}")
        make_folder(place / "photos", FILES)
        starts = [folder_start(f"folder:{place / 'photos'}", folder) for _ in range(3)]
        print(
            f"loading {FILES:,} JPEG files of 178 × 218 as 64 × 64: {starts[0]}, then "
            f"{starts[1]} and {starts[2]}"
        )
    finally:
        shutil.rmtree(place)


if __name__ == "__main__":
    app.run(main)
