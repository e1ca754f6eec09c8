"""From collisions to the size of a support: the arithmetic of `zoo.metrics.birthday`."""

import dataclasses
import math

import numpy as np

from zoo.metrics import neighbours
from zoo.metrics.neighbours import Points

FALSE_RATE = 0.05
# The threshold is the distance of the k-th closest pair of real examples, k at least this.
_MIN_RANK = 5
_Z = 1.96

Interval = tuple[float, float]


@dataclasses.dataclass(frozen=True)
class Null:
    """How often real examples, which are all different, look like duplicates.

    Attributes:
      limit: squared distance within which a pair counts as one of duplicates.
      share: share of the pairs of real examples within it.
      relative_variance: of `share`, by the jackknife; real examples have dense regions, so its
        error is larger than that of as many independent pairs.
      examples: number of real examples from which it was computed.
    """

    limit: float
    share: float
    relative_variance: float
    examples: int

    def rate(self, size: int) -> float:
        """Expected rate of batches of `size` real examples with a pair within the limit."""
        return 1 - math.exp(-self.share * pairs_of(size))


class Calibration:
    """Distances of all pairs of real examples, and the thresholds that follow from them."""

    def __init__(self, points: Points):
        self._points = points
        self._squared = neighbours.all_pairs(points)

    def limit(self, size: int) -> float:
        """The squared distance within which FALSE_RATE of batches of `size` have a pair."""
        wanted = float(self._squared[int(self._pairs_wanted() / pairs_of(size)) - 1])
        # Distances of binary images, or of repeated ones, are equal: none may fall out by rounding.
        return wanted + self._points.slack

    def null(self, size: int) -> Null:
        """`limit`, with its uncertainty."""
        limit = self.limit(size)
        share, variance = pair_share(self._points, limit)
        return Null(limit, share, variance / share**2, len(self._points))

    def largest(self) -> int:
        """The largest batch for which the threshold can be determined."""
        return max(2, int((1 + math.sqrt(1 + 8 * self._pairs_wanted() / _MIN_RANK)) / 2))

    def _pairs_wanted(self):
        return -math.log(1 - FALSE_RATE) * len(self._squared)


def pairs_of(size):
    """Number of pairs among `size` elements, as a float."""
    return size * (size - 1) / 2


def pair_share(points: Points, limit: float) -> tuple[float, float]:
    """Share of pairs within a squared distance, and its variance by the jackknife.

    The jackknife leaves out one example at a time: pairs are not independent of each other.
    """
    n, counts = len(points), neighbours.near_counts(points, limit)
    without = (counts.sum() - 2 * counts) / ((n - 1) * (n - 2))
    variance = (n - 1) / n * np.sum((without - without.mean()) ** 2)
    return float(counts.sum() / (n * (n - 1))), float(variance)


def clopper_pearson(hits: float, trials: int) -> Interval:
    """The exact binomial 95 % interval of a rate (Clopper, Pearson, Biometrika 26, 1934)."""
    from scipy.special import betaincinv

    tail = 0.025
    low = betaincinv(hits, trials - hits + 1, tail) if hits > 0 else 0.0
    high = betaincinv(hits + 1, trials - hits, 1 - tail) if hits < trials else 1.0
    return float(low), float(high)


def support_of(intensity: float, size: int) -> float:
    """The N at which -ln P(no two of `size` uniform draws from N are the same) = `intensity`.

    Infinity for an intensity of 0 or less. For large N it is size (size - 1) / (2 intensity).
    """
    if intensity <= 0:
        return math.inf
    i = np.arange(1, size)
    # At N = size - 1 a collision is certain; the second bound exceeds N, as -ln(1 - x) <= x/(1-x).
    low, high = size - 1.0, size - 1 + pairs_of(size) / intensity
    while low < (middle := (low + high) / 2) < high:
        if -np.log1p(-i / middle).sum() > intensity:
            low = middle
        else:
            high = middle
    return high


def from_batches(size: int, batches: int, collisions: int, null: Null) -> tuple[float, Interval]:
    """N and its 95 % interval from colliding batches, minus the rate of real examples.

    The Clopper-Pearson interval of the rate, widened by the uncertainty of that rate.
    """
    expected = null.share * pairs_of(size)
    rates = clopper_pearson(collisions, batches)
    low, high = (-math.log1p(-rate) if rate < 1 else math.inf for rate in rates)

    def spread(intensity):
        # The share is known from some real examples only, and a support of N elements is itself a
        # sample, whose dense regions (first term) and chance pairs (second) every batch meets.
        support = pairs_of(size) / max(intensity, expected)
        known = expected**2 * null.relative_variance * (1 + null.examples / support)
        return _Z * math.sqrt(known + 2 * null.share * intensity**2)

    if collisions == batches:
        return size - 1.0, (1.0, support_of(low - expected - spread(low), size))
    found = -math.log1p(-collisions / batches)
    most = found - expected + math.hypot(high - found, spread(found))
    least = found - expected - math.hypot(found - low, spread(found))
    return support_of(found - expected, size), (support_of(most, size), support_of(least, size))
