"""Mixtures of Gaussians in the plane, for counting modes.

Protocol: Lin, Khetan, Fanti and Oh, "PacGAN: The power of two samples in generative adversarial
networks", arXiv:1712.04086, section 4.1.
"""

import numpy as np

from zoo.datasets.base import Dataset

TRAIN_SAMPLES = 100_000
TEST_SAMPLES = 10_000
_SEED = 1712_04086


def _grid() -> np.ndarray:
    axis = np.arange(-4, 5, 2)
    return np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(25, 2)


def _ring() -> np.ndarray:
    angle = 2 * np.pi * np.arange(8) / 8
    return np.stack([np.cos(angle), np.sin(angle)], axis=-1)


# name: (float32 centres of shape (modes, 2), standard deviation of each coordinate)
MIXTURES: dict[str, tuple[np.ndarray, float]] = {
    "grid25": (_grid().astype(np.float32), 0.05),
    "ring8": (_ring().astype(np.float32), 0.01),
}


def sample(name: str, image_size: int | None = None) -> Dataset:
    """Draws a mixture with a fixed seed: every call gives the same points.

    Args:
      name: a key of `MIXTURES`.
      image_size: must be None.

    Returns:
      float32 points (100000, 2) for training and (10000, 2) for testing, of uniformly drawn modes;
      labels are the modes, classes their centres.

    Raises:
      ValueError: image_size is given.
    """
    if image_size is not None:
        raise ValueError(f"image_size must be None for {name}, a set of points; got {image_size}")
    centres, std = MIXTURES[name]
    rng = np.random.default_rng([_SEED, len(centres)])
    parts = []
    for count in (TRAIN_SAMPLES, TEST_SAMPLES):
        labels = rng.integers(len(centres), size=count)
        noise = rng.standard_normal((count, 2))
        parts.append(((centres[labels] + std * noise).astype(np.float32), labels))
    (train, train_labels), (test, test_labels) = parts
    return Dataset(
        name=name,
        train=train,
        test=test,
        train_labels=train_labels.astype(np.int64),
        test_labels=test_labels.astype(np.int64),
        classes=tuple(f"({x:.3g}, {y:.3g})" for x, y in centres.tolist()),
        source=f"{len(centres)} Gaussians of standard deviation {std}, drawn with a fixed seed "
        "(protocol: Lin et al., PacGAN, arXiv:1712.04086).",
    )
