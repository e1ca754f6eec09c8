"""Figures of the samples of a generator: modes, recall, coverage and the birthday test."""

import functools
import time

import numpy as np

from zoo import datasets
from zoo import gallery
from zoo import metrics
from zoo.datasets import stacked
from zoo.metrics import classifier
from zoo.metrics.neighbours import Points

# Stands for a method in a table.
REAL = "real images"

# Samples for the modes of stacked digits are as many as its test images, as in the papers.
SAMPLES = 10_000
_NEAREST = 5000
_PAIRS = 10


def check(args) -> None:
    """Raises ValueError if the data set is missing, or no classifier ships for it."""
    space_of(args.dataset)


class StackedDigits:
    """The space of a classifier of digits that reads the channels of an image one by one."""

    def __init__(self, digits):
        self.digits = digits
        self.identity = f"3 × {digits.identity}"

    def features(self, images):
        """(n, h, w, 3) → the features of the three channels, side by side."""
        return np.concatenate(
            [self.digits.features(images[..., channel, None]) for channel in range(3)], axis=1
        )


@functools.cache
def loaded(name: str):
    """The data set; read once for all cells."""
    return datasets.load(name)


@functools.cache
def space_of(name: str):
    """The classifier in whose features the images of a data set are compared."""
    digits, shape = stacked.NAME == name, loaded(name).shape
    found = classifier.of(stacked.DIGITS if digits else name, (*shape[:2], 1) if digits else shape)
    if found is None:
        raise ValueError(
            f"--dataset must have a shipped classifier; got {name}, with examples of {shape}"
        )
    return StackedDigits(found) if digits else found


@functools.cache
def _real(name):
    """Features of test images, at most `SAMPLES`."""
    data = loaded(name)
    return space_of(name).features(datasets.scale(data.test[:SAMPLES]))


def row(samples, data, path, about: dict, began: float, generated=True, most=SAMPLES, shown=0):
    """The row of a cell. A training that diverged has no figures.

    Args:
        samples, data, generated, most: as for `figures`.
        path: .npz file of uint8 images to write: the first `shown` "samples", and the closest
            "pairs", two images each.
        about: further values of the row.
        began: when the cell began, by `time.monotonic`.
    """
    if np.isfinite(samples).all():
        found, closest = figures(samples, data, generated, most)
        images = {"samples": samples[:shown], "pairs": samples[closest[:_PAIRS]]}
        np.savez_compressed(path, **{name: datasets.unscale(x) for name, x in images.items()})
    else:
        found = {"diverged": True}
    return about | found | {"seconds": round(time.monotonic() - began, 1)}


def pairs_of(path) -> tuple:
    """(images, rows of indices) of the "pairs" in a file of `row`, for `pictures.pair_sheets`."""
    pairs = datasets.scale(np.load(path)["pairs"])
    images = pairs.reshape(-1, *pairs.shape[2:])
    return images, np.arange(len(images)).reshape(-1, 2)


def figures(samples, data, generated: bool = True, most: int = SAMPLES) -> tuple:
    """(the figures of samples (n, h, w, c) in [-1, 1], the closest pairs of them (k, 2)).

    Not `generated`: samples are the test images, which are compared in halves and have no support.
    `most`: samples for the birthday test, at most.
    """
    space, real = space_of(data.name), _real(data.name)
    seen = space.features(samples[:most]) if generated else real
    half = min(_NEAREST, len(real) // 2)
    others = seen[:half] if generated else real[half : 2 * half]
    found = metrics.precision_recall(real[:half], others)
    found["frechet"] = metrics.frechet_distance(real[:half], others)
    if data.name == stacked.NAME:
        found |= metrics.count_stacked_modes(samples, space.digits)
    else:
        counted = metrics.class_coverage(space.probabilities(samples))
        found |= {"modes": counted["classes"], "modes_total": counted["classes_total"]}
        found["reverse_kl"] = counted["class_kl"]
    if not generated:
        return found, metrics.closest_pairs(Points(seen), _PAIRS)[0]
    tested, about = support(seen, real)
    return found | about, tested.closest


def support(features, real) -> tuple:
    """(the birthday test in the features of samples and of test images, its figures for a row)."""
    tested = metrics.birthday_test(features, real)
    low, high = tested.support_interval
    about = {
        "support": tested.support,
        "support_low": low,
        "support_high": high,
        "support_usable": tested.usable,
        "birthday": tested.sentence,
        "controls_passed": tested.negative_control.passed and tested.positive_control.passed,
    }
    # JSON has no infinity.
    return tested, {k: None if v == float("inf") else v for k, v in about.items()}


def bound(row: dict) -> str:
    """Support of one run, for a table."""
    if "birthday" not in row:
        return "–"
    low, high = row["support_low"], row["support_high"]
    if low is None:
        text = "none"
    elif not row["support_usable"]:
        text = "too alike"
    elif high is None:
        text = f"above {_short(low)}"
    else:
        text = f"{_short(row['support'])} ({_short(low)} to {_short(high)})"
    return text + ", a control failed" * (not row["controls_passed"])


def _short(value):
    """Two significant digits."""
    return f"{float(f'{value:.2g}'):,.0f}"


def title(method: str) -> str:
    """The name of a method as in its paper."""
    return method if method == REAL else gallery.title_of(method)
