"""Distances between two sets of examples in a feature space, each next to real against real."""

import numpy as np

from zoo.metrics.arrays import same_width
from zoo.metrics.coverage import class_coverage
from zoo.metrics.manifolds import precision_recall

_BLOCK = 1024


def compare_sets(
    classifier, real: np.ndarray, generated: np.ndarray, other_real: np.ndarray
) -> dict:
    """Every figure that compares two sets of images in the space of a classifier.

    Args:
      classifier: a `zoo.metrics.classifier.Classifier`, or an object with its `identity`,
        `features` and `probabilities`.
      real: (n, h, w, c) real images in [-1, 1] that the generator was not trained on.
      generated: (m, h, w, c) samples.
      other_real: (m, h, w, c) further real images, instead of an ideal generator's samples.

    Returns:
      space: the classifier's identity; figures of different spaces cannot be compared.
      frechet, kernel, precision, recall, density, coverage, classes, class_counts, ...: see
        `frechet_distance`, `kernel_distance`, `precision_recall` and `class_coverage`.
      ..._real: the same figure of `other_real` in place of `generated`, the baseline.

    Raises:
      ValueError: `other_real` has another shape than `generated`, or see these functions.
    """
    if np.shape(other_real) != np.shape(generated):
        raise ValueError(
            f"other_real must have shape {np.shape(generated)}, got {np.shape(other_real)}"
        )
    figures = {"space": classifier.identity}
    features = classifier.features(real)
    for images, suffix in ((generated, ""), (other_real, "_real")):
        others = classifier.features(images)
        found = {
            "frechet": frechet_distance(features, others),
            "kernel": kernel_distance(features, others),
            **precision_recall(features, others),
            **class_coverage(classifier.probabilities(images)),
        }
        figures |= {f"{key}{suffix}": value for key, value in found.items()}
    return figures


def frechet_distance(a: np.ndarray, b: np.ndarray) -> float:
    """Squared 2-Wasserstein distance between Gaussians with the moments of two sets.

    |m_a - m_b|^2 + tr(C_a + C_b - 2 (C_a C_b)^(1/2)) (Dowson, Landau, J. Multivariate Anal. 12,
    1982); on features of images it is the "FID" of Heusel, Ramsauer, Unterthiner, Nessler,
    Hochreiter, 2017, arXiv:1706.08500. The trace of the root is the sum of the singular values
    of C_a^(1/2) C_b^(1/2), so no root of a non-symmetric matrix is taken.

    It is biased upwards by an amount that depends on the sizes: compare equal sizes only, and
    next to real against real of these sizes.

    Args:
      a: (n, d) features, n >= 2.
      b: (m, d) features, m >= 2.

    Returns:
      The distance, 0 or more, in squared units of the features; lower is better.

    Raises:
      ValueError: the shapes do not fit or a value is not finite.
    """
    a, b = same_width("frechet_distance", a, b)
    difference = a.mean(axis=0) - b.mean(axis=0)
    first, second = (np.atleast_2d(np.cov(x, rowvar=False)) for x in (a, b))
    overlap = np.linalg.svd(_root(first) @ _root(second), compute_uv=False).sum()
    spread = np.trace(first) + np.trace(second) - 2 * overlap
    return float(max(0.0, difference @ difference + spread))


def kernel_distance(a: np.ndarray, b: np.ndarray) -> float:
    """Unbiased squared MMD with the kernel (x y / d + 1)^3.

    Binkowski, Sutherland, Arbel, Gretton, "Demystifying MMD GANs", 2018, arXiv:1801.01401, who
    call it KID; here it is computed once from all examples, not averaged over subsets.

    Args:
      a: (n, d) features, n >= 2.
      b: (m, d) features, m >= 2.

    Returns:
      0 on average if the distributions agree, so it can be slightly negative; lower is better.

    Raises:
      ValueError: the shapes do not fit or a value is not finite.
    """
    a, b = same_width("kernel_distance", a, b)
    n, m = len(a), len(b)
    within_a = (_kernel_sum(a, a) - _self_kernels(a)) / (n * (n - 1))
    within_b = (_kernel_sum(b, b) - _self_kernels(b)) / (m * (m - 1))
    return float(within_a + within_b - 2 * _kernel_sum(a, b) / (n * m))


def _kernel_sum(a, b):
    parts = (a[start : start + _BLOCK] @ b.T for start in range(0, len(a), _BLOCK))
    return sum(((part / a.shape[1] + 1) ** 3).sum() for part in parts)


def _self_kernels(a):
    return ((np.einsum("ij,ij->i", a, a) / a.shape[1] + 1) ** 3).sum()


def _root(covariance):
    values, vectors = np.linalg.eigh(covariance)
    return vectors * np.sqrt(np.maximum(values, 0)) @ vectors.T
