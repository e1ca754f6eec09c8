"""The set shipped with the package: 10,000 Fashion-MNIST images, balanced over the classes."""

import hashlib
import io
import pathlib

import numpy as np

from zoo.datasets.base import Dataset
from zoo.datasets.pixels import square_all

NAME = "fashion_mnist_10k"
PATH = pathlib.Path(__file__).with_name(f"{NAME}.npz")
SHA256 = "bfac33bc4d806aa2d01f27f7e48e02407e1ec046adef3ed77f541c6f6f50ef6f"
CLASSES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)


def read(image_size: int | None = None, path: pathlib.Path = PATH) -> Dataset:
    """Reads the shipped set: 8,000 training and 2,000 test images of 28x28x1.

    They are the first 800 and 200 of each class of the official training and test splits, in the
    official order.

    Args:
      image_size: side to resize to, or None.
      path: the file; another one must have the same contents.

    Raises:
      ValueError: the file is missing or its SHA-256 is not the registered one.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ValueError(f"{path}: cannot read the shipped data set ({error})") from error
    if hashlib.sha256(data).hexdigest() != SHA256:
        raise ValueError(
            f"{path} is damaged: its SHA-256 is not {SHA256[:16]}...; reinstall the package"
        )
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        return Dataset(
            name=NAME,
            train=square_all(arrays["x_train"][..., None], image_size),
            test=square_all(arrays["x_test"][..., None], image_size),
            train_labels=arrays["y_train"].astype(np.int64),
            test_labels=arrays["y_test"].astype(np.int64),
            classes=CLASSES,
            source="First 800 training and 200 test images of each class of Fashion-MNIST "
            "(Xiao, Rasul and Vollgraf, arXiv:1708.07747; MIT licence, (c) 2017 Zalando SE).",
        )
