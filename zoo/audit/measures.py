"""The figures of an audit: every diagnostic of `zoo.metrics` that applies to a model."""

import sys

import numpy as np

from zoo import datasets
from zoo import metrics
from zoo.audit.evidence import MOST
from zoo.audit.evidence import gather
from zoo.audit.evidence import shown
from zoo.metrics import birthday
from zoo.metrics import distances
from zoo.metrics import information
from zoo.metrics import judges
from zoo.metrics import laws
from zoo.metrics import probes
from zoo.metrics import sensitivity
from zoo.metrics.coverage import class_coverage
from zoo.metrics.reconstruction import derangement

CAPACITIES = (30, 100, 300)
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


def audit_and_show(
    model, data, seed: int, samples: int, examples: int = MOST, progress=None
) -> tuple[dict, dict]:
    """(the value of `audit`, the arrays that `zoo.audit.picture.draw` shows)."""
    say = progress or (lambda part: print(f"  {part} …", file=sys.stderr, flush=True))
    say("codes and samples")
    evidence = gather(model, data, seed, samples, examples)
    figures = {"n_test": float(len(evidence.x["test"])), "n_samples": float(samples)}
    for part, measure in PARTS.items():
        say(part)
        figures |= measure(evidence, data)
    return figures, shown(evidence, figures)


def discriminators(evidence, data) -> dict:
    """Whether fresh discriminators of few parameters tell (x, E(x)) from (G(z), z)."""
    if not evidence.codes:
        return {}
    rng = np.random.default_rng(evidence.seed)
    half = len(evidence.z) // 2
    fakes = {"train": slice(0, half), "test": slice(half, None)}

    def drawing(split):
        def draw(real, n):
            pool = (evidence.x[split], evidence.codes[split])
            if not real:
                pool = (evidence.samples[fakes[split]], evidence.z[fakes[split]])
            rows = rng.integers(len(pool[0]), size=n)
            return tuple(part[rows] for part in pool)

        return draw

    fresh = [judges.Readout(p, drawing("train"), evidence.seed) for p in CAPACITIES]
    judges.fit(fresh, drawing("train"), min(len(evidence.x["train"]), half))
    held_out = min(len(evidence.x["test"]), half)
    figures = {}
    for judge in fresh:
        found = judges.verdict(judge.logits, drawing("test"), held_out)
        figures |= {
            f"judge_{judge.parameters}_{key}": found[key]
            for key in ("accuracy", "accuracy_se", "objective")
        }
    return figures


def cycles(evidence, data) -> dict:
    """How far encoder and generator invert each other, on images, codes and samples."""
    if not evidence.codes:
        return {}
    model, seed = evidence.model, evidence.seed
    back = metrics.in_batches(model.encode, evidence.samples)
    returned = metrics.in_batches(model.decode, evidence.codes["test"])
    again = metrics.in_batches(model.decode, back)
    seen = model.counted(evidence.x["test"]), model.counted(returned)
    same = model.counted(evidence.samples), model.counted(again)
    return {
        **metrics.cycles(*seen, seed),
        **_kept(evidence, returned),
        **_same_class(evidence, seen[0]),
        "x_cycle_ratio_se": _ratio_error(*seen, seed),
        **metrics.z_cycle(evidence.z, back, seed),
        **_recovered(evidence.z, back),
        "z_cycle_largest": float(np.abs(back - evidence.z).max()),
        "sample_cycle_ratio": metrics.cycles(*same, seed)["x_cycle_ratio"],
        "sample_cycle_largest": float(np.abs(again - evidence.samples).max()),
    }


def _kept(evidence, returned):
    """Whether reconstructions have the class of their images, by the classifier of the data."""
    if evidence.space is None:
        return {}
    answers = (evidence.space.probabilities(x) for x in (evidence.x["test"], returned))
    found = metrics.class_kept(*answers, evidence.labels["test"])
    names = [evidence.space.classes[i] for i in found["class_kept_collapsed"]]
    return found | {"class_kept_collapsed": names}


def _same_class(evidence, x):
    """How far the images are from others of their class, on the pixels that count."""
    if evidence.classes < 2 or len(evidence.model.shape) != 3:
        return {}
    return metrics.class_distances(x, evidence.labels["test"], evidence.seed)


def _recovered(z, back):
    if len(z) < 4 * (z[0].size + 1) or not np.isfinite(back).all():
        return {}
    return {"z_cycle_r2": metrics.linear_r2(z, back)}


def _ratio_error(x, y, seed):
    """Standard error of the x-cycle ratio if it is about 1: of matched minus mismatched."""
    x, y = x.reshape(len(x), -1), y.reshape(len(y), -1)
    others = np.linalg.norm(x[derangement(len(x), seed)] - y, axis=1)
    difference = np.linalg.norm(x - y, axis=1) - others
    return float(difference.std(ddof=1) / np.sqrt(len(x)) / max(others.mean(), 1e-12))


def codes(evidence, data) -> dict:
    """Whether codes follow the prior."""
    if not evidence.codes:
        return {}
    found = evidence.codes["test"]
    ideal, many = evidence.spare[: len(found)], evidence.spare[MOST:]
    return {
        **metrics.code_statistics(found, ideal),
        **metrics.mmd(found[:KERNEL], many[:KERNEL], ideal[:KERNEL], rng_seed=evidence.seed),
        **laws.coordinate_tests(found, many),
        **laws.covariance_error(found, many, ideal),
        **laws.active_units(found),
    }


def meaning(evidence, data) -> dict:
    """Information about class and image in codes, next to raw pixels and chance."""
    if not evidence.codes:
        return {}
    known, new = evidence.codes["train"], evidence.codes["test"]
    figures = {}
    if len(data.shape) == 3:
        pair = known, evidence.clean["train"], new, evidence.clean["test"]
        figures |= information.image_information(*pair, rng_seed=evidence.seed)
    if evidence.classes < 2:
        return figures
    labels, new_labels = evidence.labels["train"], evidence.labels["test"]
    code = known, labels, new, new_labels
    pixels = evidence.clean["train"], labels, evidence.clean["test"], new_labels
    for name, inputs in (("code", code), ("pixels", pixels)):
        figures[f"knn_{name}"] = probes.nearest_neighbour_accuracy(*inputs)
        figures[f"probe_{name}"] = probes.logistic_accuracy(*inputs, rng_seed=evidence.seed)
    figures["mlp_code"] = probes.mlp_accuracy(*code, rng_seed=evidence.seed)
    figures["chance"] = probes.chance_accuracy(labels, new_labels)
    return figures | information.label_information(*code, rng_seed=evidence.seed)


def support(evidence, data) -> dict:
    """Bound on the number of different examples that the generator makes."""
    if len(data.shape) != 3:
        return {}  # points never repeat: for them modes are counted
    features = evidence.space.features if evidence.space and not evidence.model.noised else None
    found = birthday.birthday_test(
        evidence.samples,
        evidence.clean["test"],
        mask=evidence.model.clean,
        features=features,
        rng_seed=evidence.seed,
    )
    low, high = found.support_interval
    negative, positive = found.negative_control, found.positive_control
    bound = {"support_at_most": found.support, "support_low": low, "support_high": high}
    bound = bound if found.usable else {}
    return (bound if np.isfinite(high) else {"support_above": low}) | {
        "support_batch_size": float(found.batch_size),
        "support_batches": float(found.batches),
        "support_collisions": float(found.collisions),
        "support_real_control": negative.found,
        "support_real_expected": negative.expected,
        "support_known_control": positive.found,
        "support_known_expected": positive.expected,
        "support_controls_passed": float(negative.passed and positive.passed),
        "support_space": evidence.space.identity if features else "pixels",
        "birthday": found.sentence,
        "closest": found.closest.tolist(),
    }


def images(evidence, data) -> dict:
    """Whether samples look like the data, and cover them, in the space of a classifier."""
    if evidence.space is None:
        if data.name in datasets.MIXTURES:
            return metrics.count_modes(evidence.samples[:2500], *datasets.MIXTURES[data.name])
        return {}
    real = evidence.x["test"]
    half = min(compared(len(real)), len(evidence.samples))
    shown = evidence.samples[:half]
    found = distances.compare_sets(evidence.space, real[:half], shown, real[half : 2 * half])
    return found | class_coverage(evidence.space.probabilities(evidence.samples))


def compared(n_test: int) -> int:
    """How many samples stand against as many test images: as many more are the real baseline."""
    return int(n_test) // 2


def slopes(evidence, data, points: int = 128) -> dict:
    """How steep encoder and generator are."""
    x, z = evidence.x["test"][:points], evidence.z[:points]
    encode = None if evidence.model.searched else evidence.model.encode
    return sensitivity.slopes(encode, evidence.model.decode, x, z, evidence.seed)


PARTS = {
    "fresh discriminators": discriminators,
    "cycles": cycles,
    "codes": codes,
    "meaning of codes": meaning,
    "support of the generator": support,
    "samples": images,
    "slopes": slopes,
}
