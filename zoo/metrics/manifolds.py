"""Precision and recall of a generator: the quality and the coverage of its samples."""

import numpy as np

from zoo.metrics.neighbours import Points

_BLOCK = 1024


def precision_recall(
    real: np.ndarray, generated: np.ndarray, neighbours: int = 3
) -> dict[str, float]:
    """Shares of one set that lie in the region of the other.

    Kynkäänniemi, Karras, Laine, Lehtinen, Aila, "Improved Precision and Recall Metric for
    Assessing Generative Models", 2019, arXiv:1904.06991: the region of a set is the union of balls
    around its points, each reaching to the point's k-th nearest other one. Density and coverage
    are those of Naeem, Oh, Uh, Choi, Yoo, "Reliable Fidelity and Diversity Metrics for Generative
    Models", 2020, arXiv:2002.09797, which outliers change less.

    All depend on the sizes of the sets and on the space: compare with as many fresh real examples
    in place of the generated ones (which have a precision and recall below 1), in one space.

    Args:
      real: (n, ...) features or pixels of real examples; n > k.
      generated: (m, ...) the same of generated ones; m > k; m = n is customary.
      neighbours: k.

    Returns:
      precision: share of generated examples in the region of the real ones; higher is better.
      recall: share of real examples in the region of the generated ones; higher is better.
      density: mean over generated examples of the number of real balls they lie in, over k; 1 is
        expected if the distributions agree, and it can exceed 1.
      coverage: share of real balls that hold a generated example; higher is better.

    Raises:
      ValueError: the shapes do not fit, there are too few examples, or a value is not finite.
    """
    real, generated = np.asarray(real), np.asarray(generated)
    if real.shape[1:] != generated.shape[1:]:
        raise ValueError(f"sets differ in shape: {real.shape[1:]} and {generated.shape[1:]}")
    if neighbours < 1 or min(len(real), len(generated)) <= neighbours:
        raise ValueError(
            f"precision_recall with {neighbours} neighbours needs 1 neighbour and more examples "
            f"than neighbours, got {len(real)} and {len(generated)} examples"
        )
    points = Points(np.concatenate([real, generated]))
    first, second = np.split(np.arange(len(points)), [len(real)])
    real_reach = _reaches(points, first, neighbours)
    generated_reach = _reaches(points, second, neighbours)
    balls = np.zeros(len(second), np.int64)
    covered, recalled = np.zeros(len(first), bool), np.zeros(len(first), bool)
    for start in range(0, len(first), _BLOCK):
        part = slice(start, start + _BLOCK)
        squared = points.squared(first[part], second)
        inside = squared <= real_reach[part, None]
        balls += inside.sum(axis=0)
        covered[part] = inside.any(axis=1)
        recalled[part] = np.any(squared <= generated_reach, axis=1)
    return {
        "precision": float(np.mean(balls > 0)),
        "recall": float(recalled.mean()),
        "density": float(balls.mean() / neighbours),
        "coverage": float(covered.mean()),
    }


def _reaches(points, members, neighbours):
    """Squared distance of each member to its k-th nearest other member: (members,)."""
    reaches = np.empty(len(members), np.float32)
    for start in range(0, len(members), _BLOCK):
        squared = points.squared(members[start : start + _BLOCK], members)
        squared[np.arange(len(squared)), start + np.arange(len(squared))] = np.inf
        squared.partition(neighbours - 1, axis=1)
        reaches[start : start + _BLOCK] = squared[:, neighbours - 1]
    return reaches
