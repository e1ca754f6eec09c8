"""Small handwritten digits of scikit-learn, enlarged to the size of MNIST's: a domain beside it."""

import numpy as np

from zoo.datasets.base import Dataset
from zoo.datasets.pixels import square_all

NAME = "digits"
TRAIN = 1297
# Of MNIST's images: digits fill 20 × 20 pixels, with 4 around them.
_SIDE, _BORDER = 20, 4


def read(image_size: int | None = None) -> Dataset:
    """Reads the 1,797 digits of `sklearn.datasets.load_digits`, which comes with scikit-learn.

    Images of 8 × 8 pixels are enlarged to 20 × 20 and get a border of 4, so that they are as large
    as the digits of MNIST. The last 500 are for testing.

    Args:
      image_size: side to resize to, or None for 28 × 28.
    """
    from sklearn.datasets import load_digits

    found = load_digits()
    small = np.rint(found.images * (255 / 16)).astype(np.uint8)[..., None]
    border = (_BORDER, _BORDER)
    images = np.pad(square_all(small, _SIDE), ((0, 0), border, border, (0, 0)))
    images, labels = square_all(images, image_size), found.target.astype(np.int64)
    return Dataset(
        name=NAME,
        train=images[:TRAIN],
        test=images[TRAIN:],
        train_labels=labels[:TRAIN],
        test_labels=labels[TRAIN:],
        classes=tuple(map(str, found.target_names)),
        source="Test set of Optical Recognition of Handwritten Digits, UCI (E. Alpaydin, C. "
        "Kaynak, 1998), as scikit-learn has it, enlarged from 8 × 8 pixels.",
    )
