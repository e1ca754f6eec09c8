"""Do the codes of real examples follow the prior? Moments and the kernel two-sample statistic."""

import numpy as np

from zoo.metrics.arrays import same_width

_BLOCK = 512


def code_statistics(codes: np.ndarray, prior: np.ndarray) -> dict[str, float]:
    """Moments of the codes next to the same moments of draws from the prior.

    Args:
      codes: (n, latent_dim) codes of real examples.
      prior: (m, latent_dim) draws from the prior; m = n makes the last figure comparable.

    Returns:
      code_mean, code_std: mean and standard deviation over all coordinates of all codes.
      code_largest_mean: the largest |mean over examples| of any single coordinate; 0 in the
        limit for codes that follow a centred prior.
      prior_mean, prior_std, prior_largest_mean: the same figures of the prior draws.

    Raises:
      ValueError: an array is not two-dimensional or empty, or the code sizes differ.
    """
    codes, prior = same_width("code_statistics", codes, prior, least=1, finite=False)
    figures = {}
    for name, values in (("code", codes), ("prior", prior)):
        figures[f"{name}_mean"] = float(values.mean())
        figures[f"{name}_std"] = float(values.std())
        figures[f"{name}_largest_mean"] = float(np.abs(values.mean(axis=0)).max())
    return figures


def mmd(
    codes: np.ndarray,
    prior: np.ndarray,
    other_prior: np.ndarray,
    repeats: int = 200,
    rng_seed: int = 0,
) -> dict[str, float]:
    """Squared maximum mean discrepancy between the codes and the prior, with its null.

    The unbiased estimate of Gretton, Borgwardt, Rasch, Schölkopf, Smola, "A Kernel Two-Sample
    Test", JMLR 13, 2012, lemma 6, with the kernel exp(-||a - b||^2 / (2 s^2)). The bandwidth s
    is the median distance between draws from the prior alone, so that the figures of two models
    with one prior can be compared (not possible with a bandwidth that depends on the codes).

    Args:
      codes: (n, latent_dim) codes of real examples; n >= 2.
      prior: (m, latent_dim) draws from the prior; m >= 2.
      other_prior: (n, latent_dim) further draws, independent of `prior`: the codes of an ideal
        encoder, from which the null is computed.
      repeats: number of null values; each splits the pooled prior draws again, at random.
      rng_seed: seeds those splits.

    Returns:
      mmd: MMD^2 between codes and prior, no unit; 0 on average if the distributions agree, so it
        can be slightly negative; lower is better.
      mmd_null_mean, mmd_null_95: mean and 95 % quantile of MMD^2 between two sets of prior
        draws of the same sizes; an `mmd` below the quantile is no evidence of a difference.

    Raises:
      ValueError: the shapes do not fit, there are fewer than two draws or 100 repeats, or the
        prior draws are all equal.
    """
    codes, prior, other_prior = same_width("mmd", codes, prior, other_prior, finite=False)
    if other_prior.shape != codes.shape:
        raise ValueError(f"other_prior must have shape {codes.shape}, got {other_prior.shape}")
    if repeats < 100:
        raise ValueError(f"repeats must be at least 100 for a 95 % quantile, got {repeats}")
    width = median_distance(prior)
    null = _null_values(other_prior, prior, width, repeats, rng_seed)
    return {
        "mmd": mmd_squared(codes, prior, width),
        "mmd_null_mean": float(null.mean()),
        "mmd_null_95": float(np.quantile(null, 0.95)),
    }


def mmd_squared(a: np.ndarray, b: np.ndarray, bandwidth: float) -> float:
    """The unbiased MMD^2 of `a` (n, d) and `b` (m, d) under one Gaussian kernel.

    Raises:
      ValueError: the shapes do not fit, a sample has fewer than two rows, or the bandwidth is
        not positive.
    """
    a, b = same_width("mmd_squared", a, b, finite=False)
    if not bandwidth > 0:
        raise ValueError(f"bandwidth must be positive, got {bandwidth}")
    n, m = len(a), len(b)
    # The diagonal of a kernel matrix is 1 everywhere; leaving it out removes the bias.
    within_a = (_kernel_sum(a, a, bandwidth) - n) / (n * (n - 1))
    within_b = (_kernel_sum(b, b, bandwidth) - m) / (m * (m - 1))
    return within_a + within_b - 2 * _kernel_sum(a, b, bandwidth) / (n * m)


def median_distance(points: np.ndarray) -> float:
    """Median Euclidean distance over the pairs of the first 1,000 rows of (n, d) points.

    Raises:
      ValueError: there are fewer than two rows or the median is 0.
    """
    (points,) = same_width("median_distance", points, finite=False)
    points = points[:1000]
    squared = _squared_distances(points, points)[np.triu_indices(len(points), k=1)]
    median = float(np.median(np.sqrt(squared)))
    if median == 0:
        raise ValueError("median_distance needs points that differ, got mostly equal rows")
    return median


def _null_values(
    first: np.ndarray, second: np.ndarray, bandwidth: float, repeats: int, rng_seed: int
) -> np.ndarray:
    pooled = np.concatenate([first, second])
    n, m = len(first), len(second)
    # float32 halves the one large array; entries are at most 1 and the differences of means
    # that are formed from it need about 1e-7, far below the spread of the null.
    kernel = np.empty((n + m, n + m), dtype=np.float32)
    for start in range(0, n + m, _BLOCK):
        rows = pooled[start : start + _BLOCK]
        kernel[start : start + _BLOCK] = _kernel(rows, pooled, bandwidth)
    np.fill_diagonal(kernel, 0)
    rng = np.random.default_rng(rng_seed)
    chosen = np.zeros((n + m, repeats), dtype=np.float32)
    for column in range(repeats):
        chosen[rng.permutation(n + m)[:n], column] = 1
    to_chosen = (kernel @ chosen).astype(np.float64)
    row_sums = kernel.sum(axis=1, dtype=np.float64)
    within_a = np.sum(chosen * to_chosen, axis=0)
    between = np.sum((1 - chosen) * to_chosen, axis=0)
    within_b = row_sums.sum() - within_a - 2 * between
    return within_a / (n * (n - 1)) + within_b / (m * (m - 1)) - 2 * between / (n * m)


def _kernel_sum(a: np.ndarray, b: np.ndarray, bandwidth: float) -> float:
    blocks = range(0, len(a), _BLOCK)
    return float(sum(_kernel(a[i : i + _BLOCK], b, bandwidth).sum() for i in blocks))


def _kernel(a: np.ndarray, b: np.ndarray, bandwidth: float) -> np.ndarray:
    return np.exp(_squared_distances(a, b) / (-2 * bandwidth**2))


def _squared_distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    # In float64: expanding the square cancels, and float32 would lose the small distances.
    squares = np.sum(a * a, axis=1)[:, None] + np.sum(b * b, axis=1)[None, :]
    return np.maximum(squares - 2 * (a @ b.T), 0)
