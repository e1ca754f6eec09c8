"""The figures of an audit: every diagnostic of `zoo.metrics` that applies to a model."""

import sys

import numpy as np

from zoo import datasets
from zoo import metrics
from zoo.audit import picture
from zoo.metrics import judges
from zoo.metrics.arrays import representative
from zoo.metrics.reconstruction import derangement
from zoo.models import Subject
from zoo.models.data import check_tests

CAPACITIES = (30, 100, 300)
MOST = 10_000  # examples of either split
KERNEL = 2000  # codes, and as many draws, that MMD² is measured on


def audit(model, data, seed: int = 0, samples: int = 10_000, progress=None) -> dict:
    """Audits a model against a data set.

    Args:
        model: a `zoo.models.Model`; see `zoo.models.of_game` and `zoo.models.load`.
        data: a `zoo.datasets.Dataset` of the model's shape; its test examples are examples that the
            model must not have seen.
        seed: seed of every draw and choice.
        samples: draws from the prior, and as many samples.
        progress: called with the name of each part before it is measured; None prints it.

    Returns:
        key → float, `birthday` → its sentence, `space` → identity of the classifier, `closest` →
        indices of the closest pairs of samples, `class_kept_of_each` → a share by class, and
        `class_kept_collapsed` → names of classes. Parts that do not apply are left out: codes
        without an encoder, classes without labels, images for points.

    Raises:
        ValueError: the shapes differ or there are fewer than 100 test examples.
    """
    return audit_and_show(model, data, seed, samples, progress=progress)[0]


def audit_and_show(model, data, seed: int, samples: int, examples=MOST, progress=None) -> tuple:
    """(the value of `audit`, the arrays that `zoo.audit.picture.draw` shows)."""
    say = progress or (lambda part: print(f"  {part} …", file=sys.stderr, flush=True))
    say("codes and samples")
    subject = gather(model, data, seed, samples, examples)
    figures = {"n_test": float(len(subject.x["test"])), "n_samples": float(samples)}
    for part, measure in PARTS.items():
        say(part)
        figures |= measure(subject, data)
    return figures, picture.shown(subject, figures)


def gather(model, data, seed: int, samples: int, examples: int = MOST) -> Subject:
    """Everything that has to be computed with the model, once. Raises ValueError as `audit`."""
    check_tests(data)
    rows = {
        split: np.sort(np.random.default_rng(seed).permutation(len(images))[:examples])
        for split, images in (("train", data.train), ("test", data.test))
    }
    return Subject(model, data, rows, seed, samples, 3 * MOST)


def discriminators(subject, data) -> dict:
    """Whether fresh discriminators of few parameters tell (x, E(x)) from (G(z), z)."""
    if not subject.codes:
        return {}
    rng = np.random.default_rng(subject.seed)
    half = len(subject.z) // 2
    pairs = {
        split: {
            True: (subject.x[split], subject.codes[split]),
            False: (subject.samples[part], subject.z[part]),
        }
        for split, part in (("train", slice(0, half)), ("test", slice(half, None)))
    }
    fitting = judges.resampled(pairs["train"], rng)
    fresh = [judges.Readout(p, fitting, subject.seed) for p in CAPACITIES]
    judges.fit(fresh, fitting, min(len(subject.x["train"]), half))
    figures, n = {}, min(len(subject.x["test"]), half)
    for judge in fresh:
        found = judges.verdict(judge.logits, judges.once(pairs["test"], rng), n)
        figures |= {
            f"judge_{judge.parameters}_{key}": found[key]
            for key in ("accuracy", "accuracy_se", "objective")
        }
    return figures


def cycles(subject, data) -> dict:
    """How far encoder and generator invert each other, on images, codes and samples."""
    if not subject.codes:
        return {}
    model, seed = subject.model, subject.seed
    back = metrics.in_batches(model.encode, subject.samples)
    returned = metrics.in_batches(model.decode, subject.codes["test"])
    again = metrics.in_batches(model.decode, back)
    seen = model.counted(subject.x["test"]), model.counted(returned)
    same = model.counted(subject.samples), model.counted(again)
    return {
        **metrics.cycles(*seen, seed),
        **_kept(subject, returned),
        **_same_class(subject, seen[0]),
        "x_cycle_ratio_se": _ratio_error(*seen, seed),
        **metrics.z_cycle(subject.z, back, seed),
        **_recovered(subject.z, back),
        "z_cycle_largest": float(np.abs(back - subject.z).max()),
        "sample_cycle_ratio": metrics.cycles(*same, seed)["x_cycle_ratio"],
        "sample_cycle_largest": float(np.abs(again - subject.samples).max()),
    }


def _kept(subject, returned):
    """Whether reconstructions have the class of their images, by the classifier of the data."""
    if subject.space is None:
        return {}
    answers = (subject.space.probabilities(x) for x in (subject.x["test"], returned))
    found = metrics.class_kept(*answers, subject.labels["test"])
    names = [subject.space.classes[i] for i in found["class_kept_collapsed"]]
    return found | {"class_kept_collapsed": names}


def _same_class(subject, x):
    """How far the images are from others of their class, on the pixels that count."""
    if not subject.labelled or len(subject.model.shape) != 3:
        return {}
    return metrics.class_distances(x, subject.labels["test"], subject.seed)


def _recovered(z, back):
    enough = len(z) >= 4 * (z[0].size + 1) and np.isfinite(back).all()
    return {"z_cycle_r2": metrics.linear_r2(z, back)} if enough else {}


def _ratio_error(x, y, seed):
    """Standard error of the x-cycle ratio if it is about 1: of matched minus mismatched."""
    x, y = x.reshape(len(x), -1), y.reshape(len(y), -1)
    others = np.linalg.norm(x[derangement(len(x), seed)] - y, axis=1)
    difference = np.linalg.norm(x - y, axis=1) - others
    return float(difference.std(ddof=1) / np.sqrt(len(x)) / max(others.mean(), 1e-12))


def codes(subject, data) -> dict:
    """Whether codes follow the prior."""
    if not subject.codes:
        return {}
    found = subject.codes["test"]
    few = found[representative(subject.labels["test"], KERNEL, subject.seed)]
    ideal, many = subject.spare[: len(found)], subject.spare[MOST:]
    return {
        **metrics.code_statistics(found, ideal),
        **metrics.mmd(few, many[:KERNEL], ideal[:KERNEL], rng_seed=subject.seed),
        **metrics.coordinate_tests(found, many),
        **metrics.covariance_error(found, many, ideal),
        **metrics.active_units(found),
    }


def meaning(subject, data) -> dict:
    """Information about class and image in codes, next to raw pixels and chance."""
    if not subject.codes:
        return {}
    known, new = subject.codes["train"], subject.codes["test"]
    figures = {}
    if len(data.shape) == 3:
        pair = known, subject.clean["train"], new, subject.clean["test"]
        figures |= metrics.image_information(*pair, rng_seed=subject.seed)
    if not subject.labelled:
        return figures
    labels, new_labels = subject.labels["train"], subject.labels["test"]
    code = known, labels, new, new_labels
    pixels = subject.clean["train"], labels, subject.clean["test"], new_labels
    for name, inputs in (("code", code), ("pixels", pixels)):
        figures[f"knn_{name}"] = metrics.nearest_neighbour_accuracy(*inputs)
        figures[f"probe_{name}"] = metrics.logistic_accuracy(*inputs, rng_seed=subject.seed)
    figures["mlp_code"] = metrics.mlp_accuracy(*code, rng_seed=subject.seed)
    figures["chance"] = metrics.chance_accuracy(labels, new_labels)
    return figures | metrics.label_information(*code, rng_seed=subject.seed)


def support(subject, data) -> dict:
    """Bound on the number of different examples that the generator makes."""
    if len(data.shape) != 3:
        return {}  # points never repeat: for them modes are counted
    features = subject.space.features if subject.space and not subject.model.noised else None
    found = metrics.birthday_test(
        subject.samples,
        subject.clean["test"],
        mask=subject.model.clean,
        features=features,
        rng_seed=subject.seed,
    )
    low, high = found.support_interval
    negative, positive = found.negative_control, found.positive_control
    bound = {"support_at_most": found.support, "support_low": low, "support_high": high}
    bound = bound if found.usable else {}
    above = {"support_above": low} if np.isfinite(low) else {}
    return (bound if np.isfinite(high) else above) | {
        "support_batch_size": float(found.batch_size),
        "support_batches": float(found.batches),
        "support_collisions": float(found.collisions),
        "support_real_control": negative.found,
        "support_real_expected": negative.expected,
        "support_known_control": positive.found,
        "support_known_expected": positive.expected,
        "support_controls_passed": float(negative.passed and positive.passed),
        "support_space": subject.space.identity if features else "pixels",
        "birthday": found.sentence,
        "closest": found.closest.tolist(),
    }


def images(subject, data) -> dict:
    """Whether samples look like the data, and cover them, in the space of a classifier."""
    if subject.space is None:
        if data.name in datasets.MIXTURES:
            return metrics.count_modes(subject.samples[:2500], *datasets.MIXTURES[data.name])
        return {}
    real = subject.x["test"]
    half = min(compared(len(real)), len(subject.samples))
    parts = real[:half], subject.samples[:half], real[half : 2 * half]
    # Distances are of `parts`, as are the classes of real examples; `unsure_real` is of all.
    answers = map(subject.space.probabilities, (subject.samples, real))
    return metrics.compare_sets(subject.space, *parts) | metrics.class_coverage(*answers)


def compared(n_test: int) -> int:
    """How many samples stand against as many test images: as many more are the real baseline."""
    return int(n_test) // 2


def slopes(subject, data, points: int = 128) -> dict:
    """How steep encoder and generator are."""
    rows = representative(subject.labels["test"], points, subject.seed)
    x, z = subject.x["test"][rows], subject.z[:points]
    encode = None if subject.model.searched else subject.model.encode
    return metrics.slopes(encode, subject.model.decode, x, z, subject.seed)


PARTS = {
    "fresh discriminators": discriminators,
    "cycles": cycles,
    "codes": codes,
    "meaning of codes": meaning,
    "support of the generator": support,
    "samples": images,
    "slopes": slopes,
}
