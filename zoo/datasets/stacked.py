"""Stacked MNIST: three digits of `mnist` as the channels of one image, 1,000 modes.

Protocol: Metz, Poole, Pfau, Sohl-Dickstein, "Unrolled generative adversarial networks",
arXiv:1611.02163, as used by Srivastava et al., "VEEGAN", arXiv:1705.07761, and by Lin, Khetan,
Fanti, Oh, "PacGAN", arXiv:1712.04086. `zoo.metrics.count_stacked_modes` counts the modes.
"""

import dataclasses

import numpy as np

from zoo.datasets.base import Dataset

NAME = "stacked_mnist"
DIGITS = "mnist"
TRAIN_IMAGES = 60_000
# As many as the protocol draws samples, for a row of real images beside them.
TEST_IMAGES = 26_000
_SEED = 1611_02163


def of_digits(digits: Dataset, train: int = TRAIN_IMAGES, test: int = TEST_IMAGES) -> Dataset:
    """Stacks triples of digits, drawn with a fixed seed: every call gives the same images.

    Args:
      digits: a set of grey images (n, h, w, 1) of ten classes, such as `mnist`.
      train: number of triples of its training images.
      test: number of triples of its test images.

    Returns:
      uint8 images (train, h, w, 3) and (test, h, w, 3). Of the digits r, g, b in the channels, the
      label is 100 r + 10 g + b, and the class its three figures.

    Raises:
      ValueError: the images are not grey, or of another number of classes than ten.
    """
    if len(digits.classes) != 10 or len(digits.shape) != 3 or digits.shape[-1] != 1:
        raise ValueError(
            f"digits to stack must be grey images of 10 classes; got {digits.shape} of "
            f"{len(digits.classes)} classes from {digits.name}"
        )
    rng = np.random.default_rng(_SEED)
    found = {}
    for part, count in (("train", train), ("test", test)):
        images, labels = getattr(digits, part), getattr(digits, f"{part}_labels")
        chosen = rng.integers(len(images), size=(count, 3))
        found[part] = np.concatenate([images[rows] for rows in chosen.T], axis=-1)
        found[f"{part}_labels"] = labels[chosen] @ np.array([100, 10, 1])
    return dataclasses.replace(
        digits,
        name=NAME,
        classes=tuple(f"{number:03}" for number in range(1000)),
        source=f"Triples of {digits.source.rstrip('.')}, stacked into the channels of one image "
        "with a fixed seed (protocol: Metz et al., arXiv:1611.02163).",
        **found,
    )
