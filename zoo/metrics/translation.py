"""Quality of a translation between two sets of images, compared with no translation.

A small cycle error is no evidence: translators may exchange images, or leave them as they are, and
still return them. So every cycle error stands beside the error to the true translation, if pairs
are known, and that beside the identity map.
"""

import dataclasses
from collections.abc import Callable
from collections.abc import Iterator

import numpy as np

from zoo.datasets.maps import undone
from zoo.datasets.pixels import scale
from zoo.datasets.pixels import unscale
from zoo.metrics import classifier
from zoo.metrics.arrays import in_batches
from zoo.metrics.arrays import representative
from zoo.metrics.arrays import subset
from zoo.metrics.arrays import to_numpy
from zoo.metrics.probes import fitted
from zoo.metrics.reconstruction import matched_and_mismatched

# Training images of each domain from which the domains are told apart.
_KNOWN = 2000

# Test examples of each domain that are translated there and back, and samples of classes.
MOST = 2000

KEYS = tuple(
    f"{name}_{way}{suffix}"
    for way in ("ab", "ba")
    for name, suffixes in {
        "translation": ("", "_mismatched", "_ratio", "_identity"),
        "cycle": ("", "_mismatched", "_ratio"),
        "domain": ("", "_real"),
        "class_kept": ("", "_untouched", "_real"),
        "class_reached": ("", "_untouched", "_real"),
    }.items()
    for suffix in suffixes
) + ("class_asked", "class_asked_real", "class_translated")


def compared(way: str, x, made, back, truth=None, rng_seed: int = 0) -> dict[str, float]:
    """Compares translations with the truth, and the translations back with the originals.

    Args:
      way: "ab" or "ba", part of every key.
      x: (n, ...) examples of the first domain, images in [-1, 1] or points; n >= 2.
      made: (n, ...) their translations.
      back: (n, ...) these, translated back.
      truth: (n, ...) the true translations, or None if they are not known.
      rng_seed: picks which other example each is compared with.

    Returns:
      cycle_WAY, cycle_WAY_mismatched, cycle_WAY_ratio: as `zoo.metrics.cycles`, of x and `back`.
      translation_WAY, ..._mismatched, ..._ratio: the same of `truth` and `made`.
      translation_WAY_identity: the ratio of the identity map, of `truth` and x, whose mismatched
        error is its own: if the two ratios are close, their order need not be that of the errors.

    Raises:
      ValueError: the shapes differ or there are fewer than two examples.
    """
    figures = matched_and_mismatched(f"cycle_{way}", x, back, rng_seed)
    if truth is not None:
        figures |= matched_and_mismatched(f"translation_{way}", truth, made, rng_seed)
        same = matched_and_mismatched("same", truth, x, rng_seed)
        figures[f"translation_{way}_identity"] = same["same_ratio"]
    return figures


@dataclasses.dataclass(frozen=True)
class Translated:
    """Examples of one domain and what a game makes of them.

    Attributes:
        source, target: names of the two sets.
        images: (n, ...) examples of `source`, in [-1, 1].
        made: (n, ...) their translations.
        back: (n, ...) these, translated back.
        truth: (n, ...) the true translations, or None if they are not known.
    """

    source: str
    target: str
    images: np.ndarray
    made: np.ndarray
    back: np.ndarray
    truth: np.ndarray | None


def both_ways(game, data, rows: Callable) -> Iterator[Translated]:
    """Translations of A to B, and then of B to A.

    Args:
        game: has `translate`, from examples and the number of a domain.
        data: a `zoo.datasets.Dataset` with the second domain in it.
        rows: from a set to the indices of the test examples to translate.
    """
    for here, (source, target) in enumerate(((data, data.other), (data.other, data))):
        chosen = rows(source)
        x = scale(source.test[chosen])
        made = in_batches(lambda batch, to=1 - here: game.translate(batch, to), x)
        back = in_batches(lambda batch, to=here: game.translate(batch, to), made)
        truth = scale(target.test[chosen]) if data.truth_known else None
        yield Translated(source.name, target.name, x, made, back, truth)


def two_domains(game, data, seed: int, limit: int, thorough: bool = True) -> dict[str, float]:
    """Measures both ways of a game that translates between two sets of images.

    WAY is ab and ba. Higher (+) or lower (-) is better:

    | key                      | unit    |   | meaning (n_test: images of the smaller domain)   |
    | ------------------------ | ------- | - | ------------------------------------------------ |
    | translation_WAY, ...     | L2 norm | - | if pairs are known, see `compared`               |
    | cycle_WAY, ...           | L2 norm | - | translations back, see `compared`                |
    | domain_WAY               | share   | + | translations that look like the target domain    |
    | domain_WAY_real          | share   |   | the same of real images of the target            |
    | class_kept_WAY           | share   | + | translations that have the class of their source |
    | class_kept_WAY_untouched | share   |   | the same of the sources themselves               |
    | class_kept_WAY_real      | share   |   | the same of real images of the target            |
    | class_reached_WAY, ...   | share   | + | if no class is in both domains, in place of      |
    |                          |         |   | class_kept: of a class of the target             |

    How images look is judged by a logistic regression on the pixels of 2,000 training images of
    each domain, which class they have by the classifier that ships for the data set, if there is
    one, after the maps that made the target are undone. An outline cannot be undone.

    Args:
      game: has `translate`, from images and the number of a domain, 0 for A and 1 for B.
      data: a `zoo.datasets.Dataset` with the second domain in it.
      seed: picks subsets and partners, and seeds the regression.
      limit: at most so many test examples of each domain, and at most 2,000.
      thorough: whether to measure domain_WAY and class_kept_WAY or class_reached_WAY, which takes
        most of the time.
    """

    def rows(domain):
        return subset(len(domain.test), min(limit, MOST), seed)

    figures = {}
    ways = ("ab", data, data.other), ("ba", data.other, data)
    for (way, source, target), found in zip(ways, both_ways(game, data, rows), strict=True):
        x, made = found.images, found.made
        figures["n_test"] = min(figures.get("n_test", np.inf), float(len(x)))
        figures |= compared(way, x, made, found.back, found.truth, seed)
        if thorough and not np.isfinite(made).all():
            figures[f"domain_{way}"] = np.nan
        elif thorough:
            figures |= _domain(way, source, target, made, seed)
            figures |= _classes(way, _labels(source, rows(source), target), x, made, target, seed)
    return figures


def class_asked(game, data, seed: int) -> dict[str, float]:
    """Whether samples have the class that they were asked for, as the shipped classifier sees it.

    Args:
      game: has `decode` and `translate`, each to labels (n,).
      data: a `zoo.datasets.Dataset` with classes; {} if no classifier ships for it.
      seed: seed of 2,000 codes, whose classes take turns, and of the classes that images are
        translated to.

    Returns:
      class_asked: share of samples of their class; class_asked_real: of real test images.
      class_translated: share of test images that have the class that they are translated to, which
        is never their own.
    """
    judge = _judge(data)
    if judge is None:
        return {}
    count, n = len(data.classes), min(MOST, len(data.test))
    asked = np.arange(MOST) % count
    codes = to_numpy(game.prior_codes(MOST, seed))
    samples = _in_pairs(game.decode, codes, asked)
    rows = subset(len(data.test), n, seed)
    x, own = scale(data.test[rows]), data.test_labels[rows]
    to = (own + np.random.default_rng(seed).integers(1, count, n)) % count
    found = {"class_asked": (samples, asked), "class_asked_real": (x, own)}
    found["class_translated"] = _in_pairs(game.translate, x, to), to
    return {
        name: float(np.mean(_seen(judge, data, images) == labels))
        for name, (images, labels) in found.items()
    }


def _in_pairs(function, arrays, labels):
    return in_batches(lambda rows: function(arrays[rows], labels[rows]), np.arange(len(labels)))


def _judge(data):
    """The shipped classifier for the images from which `data` was made.

    None if there is none, or if the maps that made `data` cannot be undone.
    """
    if undone(data.test[:1], data.maps) is None:
        return None
    return classifier.of(data.name.partition("[")[0], data.shape)


def _seen(judge, data, images):
    """Classes of images in [-1, 1] before the maps that made `data`."""
    if data.maps:
        images = scale(undone(unscale(images), data.maps))
    return judge.probabilities(images).argmax(axis=1)


def _domain(way, source, target, made, seed):
    known = [
        domain.train[representative(domain.train_labels, _KNOWN, seed)]
        for domain in (source, target)
    ]
    real = target.test[representative(target.test_labels, len(made), seed)]
    labels = np.repeat([0, 1], [len(part) for part in known])
    probe = fitted("linear", scale(np.concatenate(known)), labels, seed)
    shares = [
        float(np.mean(probe.predict(part.reshape(len(part), -1)) == 1))
        for part in (made, scale(real))
    ]
    return dict(zip((f"domain_{way}", f"domain_{way}_real"), shares, strict=True))


def _labels(source, rows, target):
    """Labels of the source as those of the target, by the names of classes; -1 for others."""
    numbers = {name: number for number, name in enumerate(target.classes)}
    known = np.array([numbers.get(name, -1) for name in source.classes])
    return known[source.test_labels[rows]]


def _classes(way, labels, x, made, target, seed):
    """Nothing if there is no classifier, or the maps that made the target cannot be undone."""
    judge, rows = _judge(target), representative(target.test_labels, len(made), seed)
    if judge is None:
        return {}
    found = [_seen(judge, target, part) for part in (made, x, scale(target.test[rows]))]
    own = target.test_labels
    if np.isin(labels, own).any():
        name = "class_kept"
        right = [classes == of for classes, of in zip(found, (labels, labels, own[rows]))]
    else:
        name, right = "class_reached", [np.isin(classes, own) for classes in found]
    suffixes = ("", "_untouched", "_real")
    return {f"{name}_{way}{end}": float(part.mean()) for end, part in zip(suffixes, right)}
