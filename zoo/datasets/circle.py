"""Points on a circle: the smallest data set that no code of one coordinate can hold.

By the theorem of Borsuk and Ulam every continuous map of the circle into the line gives some pair
of opposite points the same code; see `zoo.metrics.antipodes`.
"""

import numpy as np

from zoo.datasets.base import Dataset

NAME = "circle"
RADIUS = 1.0
TRAIN_SAMPLES = 100_000
TEST_SAMPLES = 10_000
_SEED = 1933


def at(angles: np.ndarray, radius: float = RADIUS) -> np.ndarray:
    """Points of the circle at `angles` in radians. (n,) → float32 (n, 2)."""
    return (radius * np.stack([np.cos(angles), np.sin(angles)], axis=-1)).astype(np.float32)


def sample(image_size: int | None = None) -> Dataset:
    """Draws points uniformly from the circle of radius 1, with a fixed seed and without noise.

    Args:
      image_size: must be None.

    Returns:
      float32 points (100000, 2) for training and (10000, 2) for testing, without labels.

    Raises:
      ValueError: image_size is given.
    """
    if image_size is not None:
        raise ValueError(f"image_size must be None for {NAME}, a set of points; got {image_size}")
    rng = np.random.default_rng(_SEED)
    train, test = (at(rng.uniform(0, 2 * np.pi, n)) for n in (TRAIN_SAMPLES, TEST_SAMPLES))
    return Dataset(
        name=NAME,
        train=train,
        test=test,
        train_labels=np.zeros(len(train), np.int64),
        test_labels=np.zeros(len(test), np.int64),
        classes=("all",),
        source=f"Uniform on the circle of radius {RADIUS:g}, drawn with a fixed seed.",
    )
