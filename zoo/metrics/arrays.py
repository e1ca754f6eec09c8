"""Checks of arrays that are compared."""

from collections.abc import Callable

import numpy as np


def same_width(
    name: str, *arrays: np.ndarray, least: int = 2, finite: bool = True
) -> list[np.ndarray]:
    """Arrays of rows of one width, as float64; codes (n, h, w, c) become rows (n, h · w · c).

    Args:
      name: name of the calling function, for the message.
      arrays: (n, d), (m, d), ... of codes or features.
      least: minimum number of rows of each.
      finite: refuse NaN and infinity; otherwise they are accepted, and figures are not finite.

    Raises:
      ValueError: the arrays are not of this kind.
    """
    arrays = [rows(np.asarray(array, np.float64)) for array in arrays]
    for array in arrays:
        if array.ndim != 2 or array.shape[1] != arrays[0].shape[-1] or len(array) < least:
            shapes = ", ".join(str(array.shape) for array in arrays)
            raise ValueError(
                f"{name} needs arrays (n, d), (m, d), … of one d, n, m >= {least}; got {shapes}"
            )
        if finite and not np.isfinite(array).all():
            raise ValueError(f"{name} needs finite numbers, got NaN or infinity")
    return arrays


def rows(codes: np.ndarray) -> np.ndarray:
    """Codes as vectors: (n, h, w, c) → (n, h · w · c); anything else as it is."""
    return codes.reshape(len(codes), -1) if np.ndim(codes) == 4 else codes


def in_batches(function: Callable, array: np.ndarray, batch_size: int = 500) -> np.ndarray:
    """Applies a function of batches to a whole array.

    Args:
      function: maps a batch (b, ...) to a tensor or array (b, ...).
      array: (n, ...), n >= 1.
      batch_size: the largest b.

    Returns:
      (n, ...) a NumPy array.

    Raises:
      ValueError: the array is empty or the batch size below 1.
    """
    if len(array) == 0 or batch_size < 1:
        raise ValueError(f"in_batches got {len(array)} examples, batch size {batch_size}")
    starts = range(0, len(array), batch_size)
    return np.concatenate([to_numpy(function(array[i : i + batch_size])) for i in starts])


def subset(n: int, limit: int, seed: int) -> np.ndarray:
    """All indices below n, or `limit` of them in ascending order, drawn without replacement."""
    if n <= limit:
        return np.arange(n)
    return np.sort(np.random.default_rng(seed).choice(n, limit, replace=False))


def representative(labels: np.ndarray, limit: int, seed: int = 0) -> np.ndarray:
    """Indices of at most `limit` examples with these labels, in ascending order.

    They are the first ones; of a set that is sorted by class, such as a folder with a folder for
    each class, those of `subset`.
    """
    sorted_by_class = len(np.unique(labels)) > 1 and np.all(np.diff(labels) >= 0)
    n = len(labels)
    return subset(n, limit, seed) if sorted_by_class else np.arange(min(limit, n))


def to_numpy(tensor) -> np.ndarray:
    """A tensor of any backend as a NumPy array."""
    if isinstance(tensor, np.ndarray):
        return tensor
    import keras

    return keras.ops.convert_to_numpy(tensor)
