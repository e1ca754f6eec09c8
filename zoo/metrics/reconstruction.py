"""Cycle errors: how far an encoder and a generator are from inverting each other.

A distance says little without the distance between things that do not belong together, so every
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
        reconstructions that carry nothing about x; NaN where all examples are equal and the
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
    """NAME, NAME_mismatched and NAME_ratio of `originals` (n, ...) and what came back of each."""
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
