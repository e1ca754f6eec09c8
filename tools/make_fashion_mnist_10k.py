"""Writes fashion_mnist_10k.npz, the data set shipped with the package, and prints its SHA-256.

Run as `python -m tools.make_fashion_mnist_10k`. It reads the four original files, from the
Debian package dataset-fashion-mnist or from another folder (--source); TFDS's prepared set
cannot be used, because TFDS shuffles it. The same input gives the same bytes.
"""

import argparse
import gzip
import hashlib
import pathlib
import struct
import sys

import numpy as np

from zoo.datasets import debian
from zoo.datasets import embedded
from zoo.datasets.npy import packed

PER_CLASS = {"train": 800, "test": 200}


def first_of_each_class(labels: np.ndarray, count: int) -> np.ndarray:
    """Indices of the first `count` examples of each class, ascending."""
    chosen = [np.flatnonzero(labels == label)[:count] for label in np.unique(labels)]
    return np.sort(np.concatenate(chosen))


def read_idx(path: pathlib.Path) -> np.ndarray:
    """Reads a gzipped IDX file of uint8: images (n, h, w) or labels (n,)."""
    data = gzip.decompress(path.read_bytes())
    zeros, kind, axes = struct.unpack(">HBB", data[:4])
    if (zeros, kind) != (0, 8):
        raise ValueError(f"{path} is not an IDX file of uint8")
    shape = struct.unpack(f">{axes}I", data[4 : 4 + 4 * axes])
    return np.frombuffer(data, np.uint8, offset=4 + 4 * axes).reshape(shape)


def select(folder: pathlib.Path) -> dict[str, np.ndarray]:
    """The arrays of the set, by name, from a folder with the four original files."""
    arrays = {}
    for split, prefix in (("train", "train"), ("test", "t10k")):
        x = read_idx(folder / f"{prefix}-images-idx3-ubyte.gz")
        y = read_idx(folder / f"{prefix}-labels-idx1-ubyte.gz")
        chosen = first_of_each_class(y, PER_CLASS[split])
        arrays[f"x_{split}"], arrays[f"y_{split}"] = x[chosen], y[chosen]
    return arrays


def main(path: pathlib.Path, folder: pathlib.Path) -> str:
    """Writes the file and returns its SHA-256."""
    contents = packed(select(folder))
    path.write_bytes(contents)
    return hashlib.sha256(contents).hexdigest()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--source", type=pathlib.Path, default=debian.FOLDER)
    parser.add_argument("--output", type=pathlib.Path, default=embedded.PATH)
    options = parser.parse_args()
    sys.stdout.write(f"{main(options.output, options.source)}  {options.output}\n")
