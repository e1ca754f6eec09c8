"""Cycle errors: how far an encoder and a generator are from inverting each other.

A distance means little without the distance between unrelated examples, so every
cycle error comes with its mismatched baseline and their ratio, as in Donahue, Krähenbühl,
Darrell, "Adversarial Feature Learning", 2017, arXiv:1605.09782 (the authors' EGr and EGr_b).
"""

import numpy as np


def cycles(x: np.ndarray, reconstructions: np.ndarray, rng_seed: int = 0) -> dict[str, float]:
    """Compares examples with their reconstructions G(E(x)).

    Args:
      x: (n, ...) real examples, images in [-1, 1] or points; n >= 2.
      reconstructions: (n, ...) the decoded codes of the same examples, in the same order.
      rng_seed: picks which other example each reconstruction is compared with.

    Returns:
      x_cycle: mean over examples of ||x - G(E(x))||, the L2 norm over all pixels in [-1, 1]
        units; lower is better.
      x_cycle_mismatched: mean of ||x' - G(E(x))|| with x' another example; the baseline.
      x_cycle_ratio: the first divided by the second: 0 for perfect reconstructions, 1 for
        reconstructions that carry nothing about x; NaN if all examples are equal and the
        baseline is 0.

    Raises:
      ValueError: the shapes differ or there are fewer than two examples.
    """
    return matched_and_mismatched("x_cycle", x, reconstructions, rng_seed)


def z_cycle(z: np.ndarray, recovered: np.ndarray, rng_seed: int = 0) -> dict[str, float]:
    """Compares prior draws with the codes recovered from their images, E(G(z)).

    Args:
      z: (n, latent_dim) draws from the prior; n >= 2.
      recovered: (n, latent_dim) E(G(z)), in the same order.
      rng_seed: picks which other draw each recovered code is compared with.

    Returns:
      z_cycle: mean of ||z - E(G(z))||, an L2 norm in units of the code; lower is better.
      z_cycle_mismatched: mean of ||z' - E(G(z))|| with z' another draw; the baseline.
      z_cycle_ratio: the first divided by the second; 0 is perfect, 1 is no information.

    Raises:
      ValueError: the shapes differ or there are fewer than two draws.
    """
    return matched_and_mismatched("z_cycle", z, recovered, rng_seed)


def class_distances(x: np.ndarray, labels: np.ndarray, rng_seed: int = 0) -> dict[str, float]:
    """Distance of examples from others of their class, which a reconstruction must be below.

    A reconstruction that depends on the class alone can be an image of it, or the mean of its
    images, which is the closest of all guesses in L2.

    Args:
      x: (n, ...) real examples, images in [-1, 1] or points.
      labels: (n,) integers; examples whose class occurs once are left out.
      rng_seed: picks the other example.

    Returns:
      x_cycle_same_class: mean of ||x - x'|| with x' another example of the class, the L2 norm in
        the units of `cycles`.
      x_cycle_class_mean: mean of ||x - m|| with m the mean of the other examples of the class.
      Both are left out if no class occurs twice.

    Raises:
      ValueError: there is not one label for each example.
    """
    x, labels = np.asarray(x, np.float32).reshape(len(x), -1), np.asarray(labels)
    if labels.shape != (len(x),):
        raise ValueError(f"labels must be of shape ({len(x)},); got {labels.shape}")
    to_another, to_mean = [], []
    for label in np.unique(labels):
        same = x[labels == label]
        if len(same) > 1:
            others = same[derangement(len(same), rng_seed)]
            means = (same.sum(0, dtype=np.float64) - same) / (len(same) - 1)
            to_another.append(np.linalg.norm(same - others, axis=1))
            to_mean.append(np.linalg.norm(same - means, axis=1))
    if not to_another:
        return {}
    return {
        "x_cycle_same_class": float(np.concatenate(to_another).mean(dtype=np.float64)),
        "x_cycle_class_mean": float(np.concatenate(to_mean).mean(dtype=np.float64)),
    }


def linear_r2(z: np.ndarray, recovered: np.ndarray) -> float:
    """Share of the variance of z that a linear map of recovered codes predicts on held-out draws.

    The map is fitted by least squares on the first half and judged on the second.

    Args:
      z: (n, ...) draws from the prior; n of at least 4 numbers for each number of a code.
      recovered: (n, ...) E(G(z)), in the same order.

    Returns:
      R² in (-inf, 1], over all coordinates together: 0 or less means no linear relation.

    Raises:
      ValueError: the lengths differ or there are too few draws.
    """
    z, known = (np.asarray(a, np.float64).reshape(len(a), -1) for a in (z, recovered))
    least = 4 * (known.shape[1] + 1)
    if len(z) != len(known) or len(z) < least:
        raise ValueError(
            f"linear_r2 needs {least} draws and as many codes; got {len(z)}, {len(known)}"
        )
    known = np.concatenate([known, np.ones((len(known), 1))], axis=1)
    half = len(z) // 2
    weights = np.linalg.lstsq(known[:half], z[:half], rcond=None)[0]
    missed = z[half:] - known[half:] @ weights
    return float(1 - (missed**2).sum() / ((z[half:] - z[:half].mean(0)) ** 2).sum())


def derangement(n: int, rng_seed: int = 0) -> np.ndarray:
    """A random permutation of range(n) that leaves no index in place.

    It is one cycle through all indices in a random order, so every index is used exactly once.

    Raises:
      ValueError: n is less than 2.
    """
    if n < 2:
        raise ValueError(f"a mismatched baseline needs at least 2 examples, got {n}")
    order = np.random.default_rng(rng_seed).permutation(n)
    partner = np.empty(n, dtype=np.int64)
    partner[order] = np.roll(order, 1)
    return partner


def matched_and_mismatched(
    name: str, originals: np.ndarray, returned: np.ndarray, rng_seed: int
) -> dict[str, float]:
    """NAME, NAME_mismatched and NAME_ratio of `originals` (n, ...) and the `returned` examples."""
    originals, returned = np.asarray(originals), np.asarray(returned)
    if originals.shape != returned.shape:
        raise ValueError(
            f"{name} compares arrays of one shape, got {originals.shape} and {returned.shape}"
        )
    others = originals[derangement(len(originals), rng_seed)]
    matched = _mean_distance(originals, returned)
    mismatched = _mean_distance(others, returned)
    return {
        name: matched,
        f"{name}_mismatched": mismatched,
        f"{name}_ratio": matched / mismatched if mismatched > 0 else float("nan"),
    }


def _mean_distance(a: np.ndarray, b: np.ndarray) -> float:
    difference = a.astype(np.float32) - b.astype(np.float32)
    return float(np.linalg.norm(difference.reshape(len(a), -1), axis=1).mean(dtype=np.float64))
