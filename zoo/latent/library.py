"""Nearest examples of a library, by the distance of codes."""

import numpy as np

from zoo import models
from zoo.latent.arrays import checked_labels
from zoo.latent.arrays import encoded


def nearest(queries: np.ndarray, library: np.ndarray, k: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """The k nearest of `library` to each of `queries`, by Euclidean distance.

    Args:
        queries: (n, ...) arrays of any kind: codes, or pixels; all but the first axis flattened.
        library: (m, ...) of the same kind.
        k: 1 to m.

    Returns:
        indices (n, k) into the library, nearest first, and distances (n, k).

    Raises:
        ValueError: the shapes do not fit, or k is out of range.
    """
    from sklearn.neighbors import NearestNeighbors

    queries, library = np.asarray(queries), np.asarray(library)
    if queries.ndim < 2 or queries.shape[1:] != library.shape[1:] or not len(queries):
        raise ValueError(
            f"nearest needs (n, ...) and (m, ...) of one kind, got {queries.shape} "
            f"and {library.shape}"
        )
    if not 1 <= k <= len(library):
        raise ValueError(f"k must be 1 to {len(library)}, the size of the library; got {k}")
    finder = NearestNeighbors(n_neighbors=k, algorithm="brute")
    finder.fit(library.reshape(len(library), -1))
    distances, indices = finder.kneighbors(queries.reshape(len(queries), -1))
    return indices, distances


def neighbours(
    model, queries: np.ndarray, library: np.ndarray, k: int = 5
) -> tuple[np.ndarray, np.ndarray]:
    """The k examples of `library` whose codes are nearest to those of each of `queries`.

    Compare with `nearest(queries, library, k)`, the neighbours by pixels, which need no model.

    Args:
        model: a game, a `zoo.models.Model`, or a path to one.
        queries: (n, *shape) examples, images in [-1, 1].
        library: (m, *shape).
        k: 1 to m.

    Returns:
        indices (n, k) into the library, nearest first, and distances (n, k) of the codes.

    Raises:
        ValueError: the model has no encoder or takes other examples, or k is out of range.
    """
    model = models.of(model)
    queries = encoded(model, queries)
    return nearest(queries, encoded(model, library), k)


def label_agreement(indices: np.ndarray, labels: np.ndarray, library_labels: np.ndarray) -> float:
    """Share of neighbours, `indices` (n, k), that have the label of their query: 0 to 1.

    Args:
        indices: as from `nearest`.
        labels: (n,), of the queries.
        library_labels: (m,).

    Raises:
        ValueError: labels have another shape.
    """
    labels = checked_labels("labels", labels, len(indices))
    library_labels = checked_labels("library_labels", library_labels, len(library_labels))
    return float(np.mean(library_labels[np.asarray(indices)] == labels[:, None]))
