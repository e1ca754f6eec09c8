"""Maps of images that make a second domain from a first, so that the true translation is known."""

import numpy as np


def invert(images: np.ndarray) -> np.ndarray:
    """Inverts brightness: 255 - x. uint8 (n, h, w, c) → the same."""
    return 255 - images


def rotate(images: np.ndarray) -> np.ndarray:
    """A quarter turn to the left. uint8 (n, h, h, c) → the same."""
    return np.ascontiguousarray(np.rot90(images, axes=(1, 2)))


def outline(images: np.ndarray) -> np.ndarray:
    """The largest minus the smallest value in the 3 × 3 pixels around each, as far as they exist.

    uint8 (n, h, w, c) → the same.
    """
    around = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="edge")
    height, width = images.shape[1:3]
    high, low = images.copy(), images.copy()
    for row in range(3):
        for column in range(3):
            shifted = around[:, row : row + height, column : column + width]
            np.maximum(high, shifted, out=high)
            np.minimum(low, shifted, out=low)
    return high - low


MAPS = {"invert": invert, "rotate": rotate, "outline": outline}

_INVERSE = {"invert": invert, "rotate": lambda images: rotate(rotate(rotate(images)))}


def undone(images: np.ndarray, names: tuple) -> np.ndarray | None:
    """The images before the maps `names`, applied in order; None if they cannot be recovered."""
    for name in reversed(names):
        if name not in _INVERSE:
            return None
        images = _INVERSE[name](images)
    return images
