"""Whether coordinates of codes follow the prior, covary as it does, and are used.

Three questions that the MMD of `zoo.metrics.codes` answers together, answered one by one.
"""

import numpy as np

from zoo.metrics.arrays import same_width

LEVEL = 0.05
ACTIVE = 0.01


def coordinate_tests(codes: np.ndarray, prior: np.ndarray) -> dict[str, float]:
    """Kolmogorov-Smirnov tests of every coordinate of the codes against draws from the prior.

    The two-sample test serves every prior that can be sampled; take several times as many draws
    as codes, so that their own error does not matter. It looks at one coordinate at a time: codes
    that depend on each other in a way the prior does not can pass (see `covariance_error`, `mmd`).

    Args:
      codes: (n, latent_dim) codes of real examples, n >= 2.
      prior: (m, latent_dim) draws from the prior, m >= 2.

    Returns:
      ks_largest: the largest statistic, sup |F - G|, of any coordinate, in [0, 1].
      ks_coordinate: the coordinate that has it.
      ks_p: the smallest p-value times the number of coordinates, at most 1 (Bonferroni): the
        probability of so small a p-value anywhere, if all coordinates follow the prior.
      ks_rejected: coordinates that Holm's procedure rejects (Scand. J. Statist. 6, 1979): with
        probability 95 % none, if all follow the prior; lower is better.
      ks_total: number of coordinates.

    Raises:
      ValueError: the shapes do not fit or a value is not finite.
    """
    from scipy.stats import ks_2samp

    codes, prior = same_width("coordinate_tests", codes, prior)
    tests = [ks_2samp(c, p, method="asymp") for c, p in zip(codes.T, prior.T, strict=True)]
    statistics = np.array([test.statistic for test in tests])
    ascending = np.sort([test.pvalue for test in tests])
    passed = ascending > LEVEL / np.arange(len(tests), 0, -1)
    return {
        "ks_largest": float(statistics.max()),
        "ks_coordinate": float(statistics.argmax()),
        "ks_p": float(min(1.0, len(tests) * ascending[0])),
        "ks_rejected": float(passed.argmax() if passed.any() else len(tests)),
        "ks_total": float(len(tests)),
    }


def covariance_error(
    codes: np.ndarray, prior: np.ndarray, other_prior: np.ndarray
) -> dict[str, float]:
    """How far the covariance of the codes is from that of the prior.

    Args:
      codes: (n, latent_dim) codes of real examples, n >= 2.
      prior: (m, latent_dim) draws from the prior; many, they stand for the prior itself.
      other_prior: (n, latent_dim) further draws: the codes of an ideal encoder.

    Returns:
      covariance_error: |C_codes - C_prior| / |C_prior|, Frobenius norms; lower is better.
      covariance_error_prior: the same of `other_prior`, the baseline: not 0, since n is finite.

    Raises:
      ValueError: the shapes do not fit, a value is not finite, or all prior draws are equal.
    """
    codes, prior, other_prior = same_width("covariance_error", codes, prior, other_prior)
    if other_prior.shape != codes.shape:
        raise ValueError(f"other_prior must have shape {codes.shape}, got {other_prior.shape}")
    found, truth, ideal = (np.atleast_2d(np.cov(x.T)) for x in (codes, prior, other_prior))
    size = np.linalg.norm(truth)
    if size == 0:
        raise ValueError("covariance_error needs prior draws that differ, got equal ones")
    return {
        "covariance_error": float(np.linalg.norm(found - truth) / size),
        "covariance_error_prior": float(np.linalg.norm(ideal - truth) / size),
    }


def active_units(means: np.ndarray) -> dict[str, float]:
    """Coordinates whose posterior mean depends on the example.

    Burda, Grosse, Salakhutdinov, "Importance Weighted Autoencoders", 2016, arXiv:1509.00519,
    section 5.2: Var_x(E[z | x]) > 0.01, for a prior with unit variance.

    Args:
      means: (n, latent_dim) means of q(z | x), or codes of an encoder without noise; n >= 2.

    Returns:
      active_units: number of them; a coordinate left at the prior is not active. Higher is better.
      active_units_total: latent_dim.

    Raises:
      ValueError: the array is not of this kind or a value is not finite.
    """
    (means,) = same_width("active_units", means)
    active = np.count_nonzero(means.var(axis=0, ddof=1) > ACTIVE)
    return {"active_units": float(active), "active_units_total": float(means.shape[1])}
