"""Errors of an autoencoder on a circle, for which a lower bound is a theorem.

Borsuk and Ulam (K. Borsuk, "Drei Sätze über die n-dimensionale euklidische Sphäre", Fundamenta
Mathematicae 20, 1933): a continuous map of the n-sphere into R^n gives two opposite points the same
value. So let E be continuous, from a circle of radius R to codes of one coordinate, and G any
function of codes at all, continuous or not. At the pair with E(x) = E(-x) both points return as the
same G(E(x)); they are 2R apart, so one of them misses by R or more: max |x - G(E(x))| >= R.

It is the largest error that is bounded, not the mean one. A good E cuts the circle open, runs along
it and returns through a short arc; errors are large there, and the shorter the arc the steeper
E. With codes of two coordinates an error of 0 is possible.
"""

from collections.abc import Callable

import numpy as np

from zoo.datasets import circle
from zoo.metrics.arrays import in_batches


def around(encode: Callable, decode: Callable, radius: float = 1.0, n: int = 10_000) -> dict:
    """Codes, reconstructions and errors at n evenly spaced angles of the circle.

    Args:
      encode: points (b, 2) to codes (b, d).
      decode: codes (b, d) to points (b, 2).
      radius: of the circle around 0, above 0.
      n: number of angles; even, so that every point has its opposite, and 4 or more.

    Returns:
      angles (n,) in radians, from 0; x (n, 2); codes (n, d); returned (n, 2); errors (n,), the
      distances |x - G(E(x))|; slopes (n,), the speed |dE| / |dx| of the code along the circle,
      from differences between the neighbours of each point.

    Raises:
      ValueError: radius or n is out of range.
    """
    if not radius > 0 or n < 4 or n % 2:
        raise ValueError(
            f"a circle needs a positive radius and an even number of angles, 4 or more; "
            f"got {radius} and {n}"
        )
    angles = 2 * np.pi * np.arange(n) / n
    x = circle.at(angles, radius)
    codes = in_batches(encode, x)
    returned = in_batches(decode, codes)
    steps = [np.roll(values, -1, axis=0) - np.roll(values, 1, axis=0) for values in (codes, x)]
    run, along = (np.linalg.norm(step.astype(np.float64), axis=1) for step in steps)
    return {
        "angles": angles,
        "x": x,
        "codes": codes,
        "returned": returned,
        "errors": np.linalg.norm(x.astype(np.float64) - returned, axis=1),
        "slopes": run / along,
    }


def opposite_pair(encode: Callable, decode: Callable, radius: float = 1.0) -> dict[str, float]:
    """The pair of opposite points that share a code of one coordinate, by halving the angle.

    h(t) = E(x(t)) - E(x(t + π)) has opposite signs at t = 0 and t = π, and E is continuous, so h is
    zero in between: this is the proof for the circle. In float32 the codes agree up to rounding
    times the slope of E, and the difference that remains is measured: for any two opposite points,
    errors are at least R - |G(E(x)) - G(E(-x))| / 2 at one of them, by the triangle inequality
    alone.

    Args:
      encode: points (b, 2) to codes (b, 1), continuous.
      decode: codes (b, 1) to points (b, 2), any function.
      radius: of the circle, above 0.

    Returns:
      pair_angle in [0, π], radians; pair_code_gap, |E(x) - E(-x)|; pair_error, the larger error of
      the two; pair_bound, R - |G(E(x)) - G(E(-x))| / 2, which is R if the codes are equal.

    Raises:
      ValueError: codes have more than one coordinate, or are not finite.
    """

    def codes_at(angle):
        x = circle.at(np.array([angle, angle + np.pi]), radius)
        # Exactly opposite, which sine and cosine of the two angles are only up to rounding.
        x[1] = -x[0]
        return x, in_batches(encode, x).astype(np.float64)

    def difference(angle):
        _, codes = codes_at(angle)
        if codes.shape != (2, 1) or not np.isfinite(codes).all():
            raise ValueError(
                f"opposite_pair needs finite codes of one coordinate, got shape {codes.shape}"
            )
        return codes[0, 0] - codes[1, 0]

    low, high, sign = 0.0, np.pi, np.sign(difference(0.0))
    for _ in range(40):  # halvings: far below the rounding of float32
        middle = (low + high) / 2
        low, high = (middle, high) if np.sign(difference(middle)) == sign else (low, middle)
    x, codes = codes_at(low if sign == 0 else (low + high) / 2)
    returned = in_batches(decode, codes.astype(np.float32)).astype(np.float64)
    return {
        "pair_angle": float(low if sign == 0 else (low + high) / 2),
        "pair_code_gap": float(abs(codes[0, 0] - codes[1, 0])),
        "pair_error": float(np.linalg.norm(x - returned, axis=1).max()),
        "pair_bound": float(radius - np.linalg.norm(returned[0] - returned[1]) / 2),
    }
