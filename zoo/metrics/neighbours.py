"""Distances between many points, in blocks: fast in float32, and exact if rounding matters."""

import numpy as np

_BLOCK = 1024
# Relative to the largest squared norm: well above the rounding of a float32 product of matrices.
_ROUNDING = 2e-5


class Points:
    """Points with their squared distances, block by block.

    |a - b|^2 = |a|^2 + |b|^2 - 2ab turns distances into one product of matrices, but cancels
    if a and b are close, as duplicates are. So small and doubtful values
    are computed again from the difference a - b, in float64.

    Args:
      examples: (n, ...) floats; all but the first axis are flattened. n >= 1.
      mask: booleans of the shape of one example, True for a coordinate that counts; None: all do.

    Attributes:
      slack: bound of the rounding error of the fast squared distance.

    Raises:
      ValueError: there is no example, a value is not finite, or the mask does not fit or is empty.
    """

    def __init__(self, examples: np.ndarray, mask: np.ndarray | None = None):
        examples = np.asarray(examples)
        if examples.ndim < 2 or len(examples) == 0:
            raise ValueError(f"distances need (n, ...) examples, n >= 1, got {examples.shape}")
        flat = examples.reshape(len(examples), -1).astype(np.float32, copy=False)
        if mask is not None:
            mask = np.asarray(mask)
            if mask.shape != examples.shape[1:] or mask.dtype != bool or not mask.any():
                raise ValueError(
                    f"mask must be boolean, {examples.shape[1:]}, and True somewhere; "
                    f"got {mask.dtype} {mask.shape}"
                )
            flat = flat[:, mask.ravel()]
        if not np.isfinite(flat).all():
            raise ValueError("distances need finite examples, got NaN or infinity")
        self._flat = flat
        self._centred = flat - flat.mean(axis=0)
        self._norms = np.einsum("ij,ij->i", self._centred, self._centred)
        self.slack = _ROUNDING * float(self._norms.max())

    def __len__(self) -> int:
        return len(self._flat)

    def subset(self, indices: np.ndarray) -> "Points":
        """The points of these indices, in their order."""
        return Points(self._flat[indices])

    def squared(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Fast squared distances between two sets of indices: float32 (rows, columns)."""
        squared = self._centred[rows] @ self._centred[columns].T
        squared *= -2
        squared += self._norms[rows][:, None]
        squared += self._norms[columns]
        return np.maximum(squared, 0, out=squared)

    def exact(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """Squared distances of the pairs (first[i], second[i]): float64 (pairs,)."""
        squared = np.empty(len(first))
        for start in range(0, len(first), _BLOCK):
            part = slice(start, start + _BLOCK)
            difference = self._flat[first[part]].astype(np.float64) - self._flat[second[part]]
            squared[part] = np.einsum("ij,ij->i", difference, difference)
        return squared

    def near(self, rows: np.ndarray, columns: np.ndarray, limit: float) -> np.ndarray:
        """Whether squared distances are at most `limit`, despite rounding: bool matrix."""
        squared = self.squared(rows, columns)
        near = squared <= limit
        i, j = np.nonzero(np.abs(squared - limit) <= self.slack)
        near[i, j] = self.exact(rows[i], columns[j]) <= limit
        return near


def blocks(n: int):
    """Index blocks (rows, columns) that cover every pair i <= j below n once.

    A block with equal rows and columns also holds the pairs i >= j.
    """
    parts = [np.arange(start, min(start + _BLOCK, n)) for start in range(0, n, _BLOCK)]
    for i, rows in enumerate(parts):
        for columns in parts[i:]:
            yield rows, columns


def all_pairs(points: Points) -> np.ndarray:
    """Squared distances of all pairs i < j, ascending, up to `slack`: float32 (n (n - 1) / 2,)."""
    parts = []
    for rows, columns in blocks(len(points)):
        squared = points.squared(rows, columns)
        above = np.triu_indices(len(rows), 1) if rows[0] == columns[0] else (...,)
        parts.append(squared[above].ravel())
    squared = np.concatenate(parts)
    squared.sort()
    return squared


def near_counts(points: Points, limit: float) -> np.ndarray:
    """How many other points lie within the squared distance `limit` of each: int64 (n,)."""
    counts = np.zeros(len(points), np.int64)
    for rows, columns in blocks(len(points)):
        near = points.near(rows, columns, limit)
        if rows[0] == columns[0]:
            np.fill_diagonal(near, False)
        else:
            counts[columns] += near.sum(axis=0)
        counts[rows] += near.sum(axis=1)
    return counts


def closest_pairs(
    examples: np.ndarray, count: int = 20, mask: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """The closest pairs among examples, for inspection (see `zoo.plots.pictures.pairs`).

    10,000 examples of 784 numbers take seconds and some 100 MB: blocks of distances in float32
    nominate the candidates, whose distances are then computed directly in float64. Pairs can
    only be missed in favour of others whose distance is the same within float32 rounding.

    Args:
      examples: (n, ...) floats, n >= 2; or `Points`.
      count: number of pairs; fewer are returned if there are fewer.
      mask: see `Points`.

    Returns:
      indices: (count, 2) of examples i < j, closest pair first.
      distances: (count,) Euclidean, over the coordinates that count.

    Raises:
      ValueError: there are fewer than 2 examples, `count` is below 1, or see `Points`.
    """
    from zoo.datasets.progress import Progress

    points = examples if isinstance(examples, Points) else Points(examples, mask)
    n = len(points)
    if n < 2 or count < 1:
        raise ValueError(f"closest_pairs needs 2 examples and a count of 1, got {n} and {count}")
    keep = 4 * count + 64
    found, bound = np.empty((3, 0)), np.inf
    progress = Progress("comparing pairs", n * (n - 1) // 2)
    for rows, columns in blocks(n):
        squared = points.squared(rows, columns)
        same = rows[0] == columns[0]
        if same:
            squared[np.tril_indices(len(rows))] = np.inf
        i, j = np.nonzero(squared < bound)
        values = squared[i, j]
        if len(values) > keep:
            nearest = np.argpartition(values, keep)[:keep]
            i, j, values = i[nearest], j[nearest], values[nearest]
        found = np.concatenate([found, [rows[i], columns[j], values]], axis=1)
        if found.shape[1] > keep:
            found = found[:, np.argpartition(found[2], keep)[:keep]]
            bound = found[2].max()
        progress.add(len(rows) * (len(rows) - 1) // 2 if same else squared.size)
    finite = np.isfinite(found[2])
    first, second = found[:2, finite].astype(np.int64)
    exact = points.exact(first, second)
    order = np.lexsort([second, first, exact])[:count]
    return np.stack([first, second], axis=1)[order], np.sqrt(exact[order])
