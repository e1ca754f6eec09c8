"""What the arrays that are compared must have in common."""

import numpy as np


def same_width(
    name: str, *arrays: np.ndarray, least: int = 2, finite: bool = True
) -> list[np.ndarray]:
    """Arrays of rows of one width, as float64.

    Args:
      name: of the function that asks, for the message.
      arrays: (n, d), (m, d), ... of codes or features.
      least: rows of each.
      finite: refuse NaN and infinity; otherwise they pass, into figures that are not finite.

    Raises:
      ValueError: the arrays are not of this kind.
    """
    arrays = [np.asarray(array, np.float64) for array in arrays]
    for array in arrays:
        if array.ndim != 2 or array.shape[1] != arrays[0].shape[-1] or len(array) < least:
            shapes = ", ".join(str(array.shape) for array in arrays)
            raise ValueError(
                f"{name} needs arrays (n, d), (m, d), … of one d, n, m >= {least}; got {shapes}"
            )
        if finite and not np.isfinite(array).all():
            raise ValueError(f"{name} needs finite numbers, got NaN or infinity")
    return arrays
