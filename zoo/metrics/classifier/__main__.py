"""Train the classifier in whose features `zoo.metrics.compare_sets` compares images.

usage: python -m zoo.metrics.classifier [flags]
"""

import hashlib
import json
import pathlib
import re
import sys
import time

import numpy as np

from zoo.cli import commands
from zoo.datasets.npy import packed
from zoo.metrics.classifier import LAYERS
from zoo.metrics.classifier import Classifier
from zoo.metrics.classifier import build

FLAGS = {
    "dataset": ("fashion_mnist", "A labelled set for zoo.datasets."),
    "output": ("", "File to write; by default classifier_<dataset>.npz, here."),
    "epochs": (8, "Passes over the training images."),
    "seed": commands.SEED,
    "download": (False, "Let TensorFlow Datasets download."),
}


def train(data, epochs: int, seed: int) -> bytes:
    """Trains a classifier on a data set with labels; sets Keras' global seed.

    Adam, learning rate 0.001 falling to 0 along a cosine, batches of 128, cross-entropy.

    Args:
      data: a `zoo.datasets.Dataset` of images.
      epochs: passes over the training images.
      seed: fixes initial weights, order and dropout (on one machine, up to rounding).

    Returns:
      The contents of the file that `load` reads.

    Raises:
      ValueError: the set has no labels, or its examples are no images.
    """
    import keras

    from zoo.datasets import scale

    if len(data.classes) < 2 or len(np.unique(data.train_labels)) < 2:
        raise ValueError(f"a classifier needs labels of 2 classes or more; {data.name} has none")
    if len(data.shape) != 3:
        raise ValueError(f"a classifier needs images; {data.name} has examples of {data.shape}")
    keras.utils.set_random_seed(seed)
    network = build(data.shape, len(data.classes))
    steps = epochs * -(-len(data.train) // 128)
    training = keras.Model(network.input, network.outputs[0])
    training.compile(
        keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(1e-3, steps)),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    training.fit(
        scale(data.train),
        data.train_labels,
        batch_size=128,
        epochs=epochs,
        verbose=1 if sys.stdout.isatty() else 2,
    )
    about = {
        "name": _short(data.name),
        "classes": data.classes,
        "image_shape": data.shape,
        "test_accuracy": None,
        "training": f"{len(data.train)} images, {epochs} epochs, seed {seed}",
    }
    # Test the stored weights: in float16 the network differs from the trained one.
    stored = Classifier(_contents(network, about))
    answers = stored.probabilities(scale(data.test)).argmax(axis=1)
    about["test_accuracy"] = float(np.mean(answers == data.test_labels))
    return _contents(network, about)


def _short(dataset):
    """A name for files and identities, without the folders of the machine."""
    kind, _, path = dataset.partition(":")
    name = pathlib.PurePath(path).stem if kind in ("folder", "npz") else dataset
    return re.sub(r"[^\w.-]+", "_", name)


def _contents(network, about):
    arrays = {"about": np.array(json.dumps(about))}
    for layer in LAYERS:
        kernel, bias = network.get_layer(layer).get_weights()
        arrays |= {f"{layer}_kernel": kernel.astype("f2"), f"{layer}_bias": bias.astype("f2")}
    return packed(arrays)


def main(argv: list[str]) -> None:
    """The command: trains on `--dataset` and writes `--output`; exits with a message on bad input.

    Raises:
      SystemExit: the flags or the data set are invalid (code 2), or `--help` was asked for (0).
    """
    with commands.exit_on_bad_input():
        args = commands.only_flags(__doc__, FLAGS, argv)
        commands.at_least(args, epochs=1, seed=0)
        path = pathlib.Path(args.output or f"classifier_{_short(args.dataset)}.npz")
        if not path.parent.is_dir() or path.suffix != ".npz":
            raise ValueError(f"--output={path} must end in .npz, in a folder that exists")
        from zoo import datasets

        data = datasets.load(args.dataset, download=args.download)
        began = time.monotonic()
        contents = train(data, args.epochs, args.seed)
        path.write_bytes(contents)
    made = Classifier(contents)
    print(
        f"{path}: {len(contents) / 1000:.0f} kB, identity {made.identity}, test accuracy "
        f"{made.test_accuracy:.2%}, {time.monotonic() - began:.0f} s\n"
        f"sha256 {hashlib.sha256(contents).hexdigest()}"
    )


if __name__ == "__main__":
    main(sys.argv)
