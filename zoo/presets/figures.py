"""The figures of a preset: metrics, data sets and tolerances."""

import dataclasses
import math
import re
from itertools import repeat

# Of the embedded set; of other sets as many examples are used, the first ones.
TRAIN, TEST = 8000, 2000
SAMPLES = 5000
SEED = 0

# key (a regular expression) → relative and absolute tolerance, the larger of which counts; the
# first match counts. Every draw is seeded: on one machine the same weights give the same figures to
# the last bit. Another machine rounds differently, and answers near a decision boundary may change,
# which the tolerances allow. Everything that a card prints is compared.
TOLERANCES = (
    # Near ties, which no card prints.
    (r"closest|ks_coordinate|seconds|lipschitz_._converged", None, None),
    # Of the logarithm.
    (r"ks_p", 0.02, 0.02),
    # A sentence: of each number in it.
    (r"birthday", 0.1, 0.0),
    (r"support_(batches|batch_size|collisions)", 0.1, 1.0),
    (r"support_.*", 0.1, 0.02),
    (r"class_counts.*", 0.0, 10.0),
    (r"ks_rejected|active_units", 0.0, 1.0),
    # Of a translation by a classifier trained during the measurement.
    (r"domain_.*", 0.0, 0.01),
    (r"classes|.*_total|n_.*|components|dimension|parameters|bytes", 0.0, 0.0),
    (r"mmd.*", 0.01, 2e-6),
    (r".*information.*", 0.02, 0.005),
    (r".*_se", 0.05, 1e-4),
    # Trained during the measurement, which amplifies rounding errors.
    (r"(mlp|judge)_.*", 0.0, 0.01),
    (r"class_kept_of_each", 0.0, 0.01),
    (
        r"(knn|probe|class_(kept|reached|asked|translated)).*|precision.*|recall.*|.*density.*",
        0.0,
        0.005,
    ),
    (r"unsure.*|less_clear", 0.1, 0.001),
    (r"lipschitz_.*", 0.02, 0.0),
    (r"frechet.*|kernel.*", 0.01, 0.03),
    (r"(x_|z_|sample_)?cycle.*|translation.*", 0.005, 0.0),
    (r".*", 0.01, 1e-3),
)
_NUMBER = r"\d[\d,]*(?:\.\d+)?"


@dataclasses.dataclass(frozen=True)
class Difference:
    """A figure that differs from the card: its place, key, values and tolerance."""

    where: str
    key: str
    expected: object
    found: object
    allowed: object


def sources(
    dataset: str, train_split: str, test_split: str, image_size: int, dataset_b: str = ""
) -> dict:
    """The data on which a preset trained on `dataset` is measured, as arguments of `datasets.load`.

    Args:
        dataset_b: the second set, if it was trained on two: then there is no "all", because
            translations are measured on `TEST` examples of each at most.

    Returns:
        "small" → the part that every figure is measured on; "all" → the whole test set, or absent
        if that is the same. The embedded images stand in for Fashion-MNIST: their test images
        are test images of the whole set, and are available without it.
    """
    chosen = {
        "name": dataset,
        "train_split": train_split,
        "test_split": test_split,
        "image_size": image_size or None,
    }
    if dataset_b:
        return {"small": chosen | {"other": dataset_b}}
    found = {"small": chosen, "all": chosen}
    if dataset == "fashion_mnist":
        whole = {"train_split": "train", "test_split": "test"}
        found["small"] = chosen | {"name": "fashion_mnist_10k"} | whole
    if dataset == "fashion_mnist_10k":
        del found["all"]
    return found


def small(data, tests: int = TEST):
    """The first `TRAIN` training and `tests` test examples of a `zoo.datasets.Dataset`.

    Of two sets, as many test examples of each; of a set that is sorted by class, drawn at random.
    """
    from zoo.metrics.arrays import representative

    if data.other is not None:
        tests = min(tests, len(data.test), len(data.other.test))
        alone = dataclasses.replace(data, other=None)
        parts = [small(one, tests) for one in (alone, data.other)]
        return dataclasses.replace(parts[0], other=parts[1])
    train = representative(data.train_labels, TRAIN)
    test = representative(data.test_labels, tests)
    return dataclasses.replace(
        data,
        train=data.train[train],
        train_labels=data.train_labels[train],
        test=data.test[test],
        test_labels=data.test_labels[test],
    )


def cycles_and_neighbours(game, data) -> dict:
    """Cycles, codes and 1-NN accuracies of a game; keys as from `zoo.metrics.evaluate`.

    Of a game of labels or two domains, also its classes, domains and translations.
    """
    import numpy as np

    from zoo import datasets
    from zoo import metrics
    from zoo.metrics import evaluation

    # Accuracies of games with an encoder are below, from all training examples of `data`.
    figures = metrics.evaluate(
        game, data, SEED, test_limit=len(data.test), probes=not game.has_encoder
    )
    if not game.has_encoder or len(np.unique(data.train_labels)) < 2 or len(data.shape) != 3:
        return figures
    known = game.observed(datasets.scale(data.train), SEED + 1)
    new = game.observed(datasets.scale(data.test), SEED)
    for name, function in evaluation.representations(game).items():
        pair = metrics.in_batches(function, known), metrics.in_batches(function, new)
        figures[f"knn_{name}"] = metrics.nearest_neighbour_accuracy(
            pair[0], data.train_labels, pair[1], data.test_labels
        )
    return figures | {"n_train": float(len(known))}


def joined(metrics: dict, audit: dict) -> dict:
    """Figures of the small part, by key.

    If both files have one, that of the audit, which the sentences under a card's table also have:
    it draws more codes (z-cycle), and other ones (MMD²).
    """
    return {**metrics, **audit}


def audited(game, data) -> dict:
    """The figures of `zoo.audit.audit` with the settings of the cards, and the classes' names."""
    from zoo import audit
    from zoo import models

    found = audit.audit(models.of_game(game), data, SEED, SAMPLES)
    return found | {"class_names": list(data.classes)}


def allowed(key: str, expected) -> float | None:
    """How far a figure may be from `expected`; None if it is not compared."""
    _, relative, absolute = next(row for row in TOLERANCES if re.fullmatch(row[0], key))
    if relative is None:
        return None
    size = max((abs(v) for v in _numbers(key, expected)), default=0.0)
    return max(relative * size, absolute)


def differences(where: str, expected: dict, found: dict) -> list[Difference]:
    """Figures that are missing, new, or farther from `expected` than `allowed`."""
    rows = []
    for key in {**expected, **found}:
        old, new = expected.get(key), found.get(key)
        margin = allowed(key, old)
        if margin is None or old == new:
            continue
        ours, theirs = list(_numbers(key, old)), list(_numbers(key, new))
        words = not ours or len(ours) != len(theirs) or _words(old) != _words(new)
        # Each number of a sentence is allowed its own share.
        margins = [allowed(key, v) for v in ours] if isinstance(old, str) else repeat(margin)
        if words or any(not _near(a, b, m) for a, b, m in zip(ours, theirs, margins)):
            rows.append(Difference(where, key, old, new, margin))
    return rows


def _near(a, b, margin):
    # Written so that NaN is near nothing but itself.
    return abs(a - b) <= margin or (math.isnan(a) and math.isnan(b))


def _numbers(key, value):
    if isinstance(value, (int, float)):
        # p-values differ by factors; 0 stands for values too small to be written.
        yield math.log(max(value, 1e-320)) if key == "ks_p" else float(value)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _numbers(key, inner)
    elif isinstance(value, str) and key == "birthday":
        yield from (float(number.replace(",", "")) for number in re.findall(_NUMBER, value))


def _words(value):
    return re.sub(_NUMBER, "#", value) if isinstance(value, str) else None
