"""Accuracy of k nearest neighbours under two distances of normalised features."""

import numpy as np

KS = (1, 5, 25, 50)

# Name → (order of the norm, scikit-learn's metric).
DISTANCES = {"D1": (1, "manhattan"), "D2": (2, "euclidean")}


def knn_accuracies(
    train: np.ndarray,
    train_labels: np.ndarray,
    test: np.ndarray,
    test_labels: np.ndarray,
    distance: str = "D1",
    ks: tuple = KS,
) -> dict[int, tuple[float, float]]:
    """Top-1 and top-5 accuracy of k nearest neighbours, as in Table 6 of BigBiGAN.

    D1(a, b) = ‖a / ‖a‖₁ − b / ‖b‖₁‖₁ and D2(a, b) = ‖a / ‖a‖₂ − b / ‖b‖₂‖₂, in whose order cosine
    similarity falls (Donahue and Simonyan 2019, arXiv:1907.02544). The classes are ranked by their
    number of neighbours; of those with as many, the one with the nearer neighbour is first, which
    is our choice.

    Args:
      train: (n, ...) representations; all but the first axis are flattened.
      train_labels: (n,) integers from 0.
      test: (m, ...) representations of the same size.
      test_labels: (m,) integers from 0.
      distance: "D1" or "D2".
      ks: numbers of neighbours.

    Returns:
      k → (top-1, top-5), shares in [0, 1]. Top-5: the class is among the first five, all of which
      have neighbours.

    Raises:
      ValueError: the distance is unknown, labels do not fit, or a k is not between 1 and n.
    """
    from sklearn.neighbors import NearestNeighbors

    if distance not in DISTANCES:
        raise ValueError(f"distance must be one of {', '.join(DISTANCES)}; got {distance!r}")
    for name, rows, labels in (("train", train, train_labels), ("test", test, test_labels)):
        if np.shape(labels) != (len(rows),) or np.min(labels, initial=0) < 0:
            raise ValueError(f"{name}_labels must be {len(rows)} whole numbers from 0")
    if not all(1 <= k <= len(train) for k in ks):
        raise ValueError(f"ks must be 1 to {len(train)}, the number of neighbours; got {ks}")
    order, metric = DISTANCES[distance]
    search = NearestNeighbors(n_neighbors=max(ks), metric=metric, algorithm="brute")
    search.fit(_normalised(train, order))
    nearest = search.kneighbors(_normalised(test, order), return_distance=False)
    classes = np.asarray(train_labels)[nearest]
    return {k: _accuracies(classes[:, :k], np.asarray(test_labels)) for k in ks}


def _normalised(features, order):
    flat = np.asarray(features, np.float32).reshape(len(features), -1)
    norm = np.linalg.norm(flat, order, axis=1, keepdims=True)
    return flat / np.where(norm > 0, norm, 1)  # a vector of zeros stays one


def _accuracies(classes, labels):
    """(top-1, top-5). classes (m, k): those of the neighbours, the nearest first; labels (m,)."""
    is_class = classes[:, :, None] == np.arange(max(classes.max(), labels.max()) + 1)
    votes, first = is_class.sum(axis=1), is_class.argmax(axis=1)
    ranked = np.argsort(first - votes * classes.shape[1], axis=1, kind="stable")[:, :5]
    hit = (ranked == labels[:, None]) & (np.take_along_axis(votes, ranked, axis=1) > 0)
    return float(hit[:, 0].mean()), float(hit.any(axis=1).mean())
