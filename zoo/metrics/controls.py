"""Controls of `zoo.metrics.birthday`: the same test on real examples, whose answer is known."""

import dataclasses
import math

import numpy as np

from zoo.metrics.support import Interval
from zoo.metrics.support import clopper_pearson
from zoo.metrics.support import from_batches
from zoo.metrics.support import pairs_of

_DIVISIONS = 10


@dataclasses.dataclass(frozen=True)
class Control:
    """A run of the test with a known answer; passed if `interval` holds the `expected` value."""

    expected: float
    found: float
    interval: Interval

    @property
    def passed(self) -> bool:
        """Whether the interval holds the expected value; a sound test fails 1 time in 20."""
        return self.interval[0] <= self.expected <= self.interval[1]


def collisions(points, order, size, limit):
    """(colliding batches, batches) of the disjoint batches of `size` in `order`."""
    batches = order[: len(order) // size * size].reshape(-1, size)
    hits = sum(bool(np.triu(points.near(batch, batch, limit), 1).any()) for batch in batches)
    return hits, len(batches)


def negative(control, size, null, rng):
    """Real examples against real examples, averaged over ways to divide them into batches.

    The interval is that of one way; the average is more precise, by an amount not known.
    """
    ways = [rng.permutation(len(control)) for _ in range(_DIVISIONS)]
    found = [collisions(control, way, size, null.limit) for way in ways]
    hits, batches = float(np.mean([hits for hits, _ in found])), found[0][1]
    return Control(null.rate(size), hits / batches, clopper_pearson(hits, batches))


def positive(control, size, calibration, samples, rng):
    """The test on draws from as many stored real examples as make half of the batches collide."""
    size = min(size, int((1 + math.sqrt(1 + 8 * math.log(2) * len(control))) / 2))
    stored = max(2, min(len(control), round(pairs_of(size) / math.log(2))))
    null = calibration.null(size)
    hits, batches = collisions(control, rng.integers(stored, size=samples), size, null.limit)
    return Control(float(stored), *from_batches(size, batches, hits, null))
