"""The birthday-paradox test, for the number of different examples that a generator makes.

Among s draws from N equally likely things, two are the same with probability about
1 - exp(-s (s - 1) / (2 N)): one half for N = 0.72 s^2. Arora, Zhang, "Do GANs actually learn the
distribution? An empirical study", 2017, arXiv:1706.08224, looked for near-duplicates in batches
of generated images. Here a threshold replaces the person who judges duplicates, and
two controls, with known answers, stand next to every result; `closest` is for inspection.
"""

import dataclasses
import math
from collections.abc import Callable

import numpy as np

from zoo.metrics import controls
from zoo.metrics import neighbours
from zoo.metrics.controls import Control
from zoo.metrics.neighbours import Points
from zoo.metrics.support import Calibration
from zoo.metrics.support import Interval
from zoo.metrics.support import from_batches
from zoo.metrics.support import pairs_of

_MIN_BATCHES = 20
_MOST_REAL = 5000
_MOST_PAIRED = 4000
_INFORMATIVE = 0.2
# In smaller batches a pair of merely similar images counts as duplicates: in batches of 2,
# a pair as close as 1 in 20 pairs of different real examples.
_SMALLEST_BATCH = 5


@dataclasses.dataclass(frozen=True, eq=False)
class Birthday:
    """The result of the test. Intervals are 95 %; infinity: no more collisions than real data have.

    Attributes:
      samples: number of samples given.
      batch_size: s, of each of `batches` disjoint batches.
      collisions: batches with a pair closer than `threshold`.
      threshold: a Euclidean distance, in units of the pixels or features.
      rate: collisions / batches.
      real_rate: the same of real examples at this threshold, about 0.05, from the calibration.
      support, support_interval: N, from the rate in excess of `real_rate`.
      negative_control: held-out real examples that took no part in the calibration; `expected` is
        `real_rate`, `found` their rate.
      positive_control: draws from `expected` stored real examples; `found` is the support.
      closest, closest_distances: (k, 2) indices into the samples, closest first, and (k,).
    """

    samples: int
    batch_size: int
    batches: int
    collisions: int
    threshold: float
    rate: float
    real_rate: float
    support: float
    support_interval: Interval
    negative_control: Control
    positive_control: Control
    closest: np.ndarray
    closest_distances: np.ndarray

    @property
    def usable(self) -> bool:
        """Whether `support` may be called a bound: batches of 5 or more, or exact duplicates."""
        return self.batch_size >= _SMALLEST_BATCH or bool((self.closest_distances == 0).all())

    @property
    def sentence(self) -> str:
        """The result in words, with the limits of such a test."""
        low, high = (_rounded(limit) for limit in self.support_interval)
        seen = (
            f"{self.collisions} of {self.batches} batches of {self.batch_size} samples hold a pair "
            f"closer than {self.threshold:.3g} ({self.real_rate:.1%} expected of real examples)"
        )
        if math.isinf(self.support_interval[0]):
            text = f"{seen}: fewer than real examples do, so that this test bounds nothing"
        elif not self.usable:
            text = (
                f"{seen}. No usable bound: in batches so small, pairs count as duplicates that are "
                "merely alike, as blurred or odd samples are; look at the closest pairs"
            )
        elif math.isinf(self.support_interval[1]):
            text = (
                f"{seen}: not clearly more than of real examples. Effective support above about "
                f"{low}, by this test with {self.samples:,} samples; this is no proof of diversity"
            )
        else:
            text = (
                f"{seen}. Upper bound on the effective support: about {_rounded(self.support)} "
                f"(95 % interval {low} to {high}); duplicates that the distance misses lower it"
            )
        failed = [
            name for name in ("negative", "positive") if not getattr(self, f"{name}_control").passed
        ]
        return text + (f". Do not trust it: {' and '.join(failed)} control failed" * bool(failed))


def birthday_test(
    samples: np.ndarray,
    real: np.ndarray,
    *,
    mask: np.ndarray | None = None,
    features: Callable[[np.ndarray], np.ndarray] | None = None,
    closest: int = 20,
    rng_seed: int = 0,
) -> Birthday:
    """Estimates an upper bound on the effective support of a generator from its samples.

    A fifth of the samples, then set aside, finds the batch size s at which about half of the
    batches collide. The others are cut into disjoint batches, so that batches are independent and
    none was looked at before; more samples make more batches, and allow larger ones. Half of the
    real examples set the threshold, such that `FALSE_RATE` of real batches of s collide; the
    expected collisions of that kind are subtracted, and the interval of N (Clopper-Pearson on
    the rate) is widened by the uncertainty of that number. The other half are the controls.
    N solves the birthday equation exactly, -ln(1 - rate) = -sum_{i<s} ln(1 - i/N); the usual
    s (s - 1) / (-2 ln(1 - rate)) is 5 % off if s is 10. Of 180 generators that draw from 64, 256
    or 1,024 images of Fashion-MNIST, 8,000 samples each, the interval held the number for 171.

    Few real examples allow small batches only: 10,000 (more are not used) allow s = 500, which
    needs 12,500 samples for its 20 batches and sees supports up to about 400,000.

    Args:
      samples: (n, ...) generated examples, independent draws; n >= 100.
      real: (m, ...) real examples that the generator was not trained on, m >= 100, without
        repetitions; their number, not only their law, limits the test.
      mask: boolean, of the shape of one example, True for a coordinate that counts. Coordinates
        that carry noise must not count: noise hides duplicates.
      features: maps examples (b, ...) to the features (b, ...) that are compared, such as
        `Classifier.features`; coordinates that do not count are set to 0 first. None: pixels.
      closest: number of closest pairs of all samples to return.
      rng_seed: seeds the division into parts and batches, and the positive control.

    Raises:
      ValueError: the shapes differ, there are too few examples, or a value is not finite.
    """
    # Comes with scikit-learn.
    from threadpoolctl import threadpool_limits

    samples, real = np.asarray(samples), np.asarray(real)
    if samples.shape[1:] != real.shape[1:] or min(len(samples), len(real)) < 100:
        raise ValueError(
            f"birthday_test needs 100 samples and 100 real examples or more, of one shape; "
            f"got {samples.shape} and {real.shape}"
        )
    # Many of the products are too small to share: on a busy machine threads wait for threads.
    with threadpool_limits(1, "blas"):
        return _test(samples, real, mask, features, closest, np.random.default_rng(rng_seed))


def _test(samples, real, mask, features, closest, rng):
    order, real_order = rng.permutation(len(samples)), rng.permutation(len(real))
    half = min(len(real) // 2, _MOST_REAL)
    # Real examples come once only, so a batch of indices is a batch of different examples.
    calibration = Calibration(_points(real[real_order[:half]], mask, features))
    control = _points(real[real_order[half : 2 * half]], mask, features)
    points = _points(samples, mask, features)
    pilot, main = np.split(order, [len(order) // 5])
    size = _batch_size(points.subset(pilot[:_MOST_PAIRED]), calibration, len(main))
    null = calibration.null(size)
    collisions, batches = controls.collisions(points, main, size, null.limit)
    support, interval = from_batches(size, batches, collisions, null)
    pairs, distances = neighbours.closest_pairs(points, closest)
    return Birthday(
        samples=len(samples),
        batch_size=size,
        batches=batches,
        collisions=collisions,
        threshold=math.sqrt(null.limit),
        rate=collisions / batches,
        real_rate=null.rate(size),
        support=support,
        support_interval=interval,
        negative_control=controls.negative(control, size, null, rng),
        positive_control=controls.positive(control, size, calibration, len(main), rng),
        closest=pairs,
        closest_distances=distances,
    )


def _points(examples, mask, features):
    if features is None:
        return Points(examples, mask)
    if mask is not None:
        Points(examples[:1], mask)
        examples = np.where(mask, examples, np.zeros((), examples.dtype))
    from zoo.metrics.arrays import in_batches

    return Points(in_batches(features, examples))


def _batch_size(pilot, calibration, samples):
    """The size at which the pilot expects the rate closest to 1/2, among those allowed.

    If no size is expected to reach `_INFORMATIVE`, the largest: its threshold is the strictest,
    while at small sizes samples that are merely similar, as blurred ones are, count as the same.
    """
    squared = neighbours.all_pairs(pilot)
    largest = max(2, min(samples // _MIN_BATCHES, calibration.largest()))
    sizes = sorted({min(largest, round(2 * 1.1**step)) for step in range(100)})
    limits = np.array([calibration.limit(size) for size in sizes], np.float32)
    share = np.searchsorted(squared, limits, side="right") / len(squared)
    expected = 1 - np.exp(-share * pairs_of(np.array(sizes)))
    if expected.max() < _INFORMATIVE:
        return largest
    return sizes[int(np.argmin(np.abs(expected - 0.5)))]


def _rounded(support):
    """Two significant digits; more would suggest a false precision."""
    if math.isinf(support):
        return "infinity"
    return f"{round(support, 1 - math.floor(math.log10(support))):,.0f}"
