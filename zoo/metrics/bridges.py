"""Samples that lie between the parts of the data: a continuous generator cannot avoid them.

See Tanielian, Issenhuth, Dohmatob, Mary, "Learning disconnected manifolds: a no GAN's land", ICML
2020, arXiv:2006.04596, for a related bound on precision.
"""

import math

import numpy as np

from zoo.metrics.modes import count_modes


def bridge(
    samples: np.ndarray,
    real: np.ndarray,
    held_out: np.ndarray | None = None,
    quantile: float = 0.99,
) -> dict[str, float]:
    """The share of samples farther from all real examples than real examples are from each other.

    The threshold is a quantile of the L2 distances of the real examples to their nearest neighbours
    among the others; it shrinks as examples are added, so compare models at one set of them.

    In pixels this is a weak judge: a blurred image is nearer to its neighbours than a sharp one of
    the same thing, and a good sample of a rare kind is far from all. The baseline of held-out
    examples shows the size of the second effect.

    Args:
      samples: (m, ...) generated examples, m >= 1.
      real: (n, ...) real examples, n >= 2.
      held_out: (k, ...) other real examples, or None.
      quantile: of the real-to-real distances, in [0, 1].

    Returns:
      bridge: the share, in [0, 1].
      bridge_threshold: the distance above which a sample counts.
      bridge_real: with `held_out`, the share of those that count: 1 - quantile, nearly, if they
        come from the distribution of the real examples.

    Raises:
      ValueError: the shapes do not fit or the quantile is outside [0, 1].
    """
    from sklearn.neighbors import NearestNeighbors

    samples, real = np.asarray(samples), np.asarray(real)
    sets = [samples] if held_out is None else [samples, np.asarray(held_out)]
    if len(real) < 2 or any(len(x) == 0 or x.shape[1:] != real.shape[1:] for x in sets):
        raise ValueError(
            f"bridge needs at least 2 real examples, got {real.shape}, and others of their shape, "
            f"got {', '.join(str(x.shape) for x in sets)}"
        )
    if not 0 <= quantile <= 1:
        raise ValueError(f"quantile must be in [0, 1], got {quantile}")
    search = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(_flat(real))
    # Without a query: of each example among the others.
    threshold = float(np.quantile(search.kneighbors()[0], quantile))
    shares = [float(np.mean(search.kneighbors(_flat(x))[0] > threshold)) for x in sets]
    return {
        "bridge": shares[0],
        "bridge_threshold": threshold,
        **({} if held_out is None else {"bridge_real": shares[1]}),
    }


def mixture_bridge(samples: np.ndarray, centres: np.ndarray, std: float) -> dict[str, float]:
    """The share of samples that are 3 standard deviations or more from every centre.

    Args:
      samples: (n, d) generated points.
      centres: (k, d).
      std: of every component and coordinate.

    Returns:
      bridge: the share, in [0, 1].
      bridge_real: that of exact draws in the plane, exp(-9/2); left out in other dimensions.

    Raises:
      ValueError: as `count_modes`.
    """
    figures = {"bridge": 1 - count_modes(samples, centres, std)["high_quality"]}
    return figures | ({"bridge_real": math.exp(-4.5)} if np.shape(centres)[1] == 2 else {})


def least_bridge(gap: float, slope: float) -> float:
    """The least share of samples between two parts of the data that are generated equally often.

    For codes from N(0, I), a generator of Lipschitz constant L and two sets at distance g: the
    codes of one set and those of the other are at least g/L apart. By the Gaussian isoperimetric
    inequality sets of equal mass a that far apart have 2 Φ⁻¹(1 - a) >= g/L, so the mass between is
    1 - 2a >= 2 Φ(g / 2L) - 1, which is 0.40 g/L for small g/L. Derived here; Feng et al. 2021 state
    their theorem in another form.

    It needs a bound on the slope everywhere. The slopes of `lipschitz` are found at some points,
    and the formula with one of them in place of L is a value to compare with, not a bound.

    Args:
      gap: g, in the norm of x, 0 or more.
      slope: L, in units of x per unit of code, above 0.
    """
    if gap < 0 or not slope > 0:
        raise ValueError(
            f"least_bridge needs a gap of 0 or more and a slope above 0, got {gap} and {slope}"
        )
    return math.erf(gap / (2 * slope) / math.sqrt(2))


def _flat(x):
    return x.reshape(len(x), -1).astype(np.float64)
