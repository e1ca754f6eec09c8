"""Whether a generator makes different examples: cheap signs of a collapse."""

import numpy as np

from zoo.datasets.pixels import scale
from zoo.metrics import classifier
from zoo.metrics.arrays import in_batches
from zoo.metrics.arrays import subset
from zoo.metrics.arrays import to_numpy
from zoo.metrics.coverage import class_coverage
from zoo.metrics.reconstruction import derangement

SAMPLES = 2000


def sample_variety(game, data) -> dict[str, float]:
    """How different samples are from each other, compared with test examples.

    Args:
      game: has `prior_codes`, `decode` and `observed`; of one that takes labels, they take turns.
      data: a `zoo.datasets.Dataset` of the game's shape, of two or more test examples; if it has a
        second domain, samples are compared with test examples of both.

    Returns:
      sample_spread: mean L2 distance between two samples.
      sample_spread_real: the same of test examples.
      sample_spread_ratio: their ratio; about 1 if samples vary as the data do, 0 if all are equal.
        It is left out if all test examples are equal.
      classes, classes_total: as from `zoo.metrics.class_coverage`, if a classifier ships for the
        data set (`zoo.metrics.classifier`) and the samples are finite.
    """
    given = [to_numpy(game.prior_codes(SAMPLES, seed=0))]
    if "y" in game.inputs:
        given.append(np.arange(SAMPLES) % len(data.conditions))
    samples = in_batches(
        lambda rows: game.decode(*(part[rows] for part in given)), np.arange(SAMPLES)
    )
    spread = _spread(samples)
    sets = [data] if data.other is None else [data, data.other]
    tests = [one.test[subset(len(one.test), SAMPLES // len(sets), 0)] for one in sets]
    real = _spread(game.observed(scale(np.concatenate(tests)), 0))
    figures = {"sample_spread": spread, "sample_spread_real": real}
    if real > 0:
        figures["sample_spread_ratio"] = spread / real
    space = classifier.of(data.name, data.shape) if data.other is None else None
    if space is not None and np.isfinite(samples).all():
        found = class_coverage(space.probabilities(samples))
        figures |= {key: found[key] for key in ("classes", "classes_total")}
    return figures


def _spread(x):
    x = np.reshape(x, (len(x), -1))
    return float(np.linalg.norm(x - x[derangement(len(x), 0)], axis=1).mean())
