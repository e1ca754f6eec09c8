"""Directions with a meaning: attribute vectors from labels, and sums of codes."""

import numpy as np

from zoo import models
from zoo.latent.arrays import checked_codes
from zoo.latent.arrays import checked_labels
from zoo.latent.arrays import decoded
from zoo.latent.arrays import encoded


def attribute_vector(
    codes: np.ndarray, has: np.ndarray, within: np.ndarray | None = None
) -> np.ndarray:
    """The mean code of the examples that have an attribute, minus that of those without.

    An attribute that is common in some classes (bright things are mostly coats) brings their
    difference; `within` takes the difference inside each class and then the mean over the classes,
    so that differences between classes cancel.

    Args:
        codes: (n, d) or (n, h, w, c), as from `encode`.
        has: bool (n,).
        within: (n,) labels; classes in which all or none have the attribute are left out.

    Returns:
        (d,), or (h, w, c).

    Raises:
        ValueError: the shapes do not fit, or all examples (of every class) have the attribute, or
            none.
    """
    codes, has = np.asarray(codes, np.float64), np.asarray(has)
    within = np.zeros(len(codes), int) if within is None else np.asarray(within)
    if codes.ndim not in (2, 4) or has.shape != (len(codes),) or within.shape != (len(codes),):
        raise ValueError(
            f"an attribute needs codes (n, d) or (n, h, w, c) and as many marks and labels; "
            f"got {codes.shape}, {has.shape} and {within.shape}"
        )
    if has.dtype != bool:
        raise ValueError(f"an attribute is marked by booleans, got {has.dtype}")
    groups = [(has & (within == c), ~has & (within == c)) for c in np.unique(within)]
    found = [
        codes[some].mean(axis=0) - codes[rest].mean(axis=0)
        for some, rest in groups
        if some.any() and rest.any()
    ]
    if not found:
        raise ValueError("no class has examples with the attribute and examples without it")
    return np.mean(found, axis=0)


def class_vector(
    codes: np.ndarray, labels: np.ndarray, to: int, source: int | None = None
) -> np.ndarray:
    """The direction to a class: its mean code, minus that of the class `source`, or of all others.

    Args:
        codes: (n, d) or (n, h, w, c), as from `encode`.
        labels: (n,) integers.
        to: a label.
        source: another, or None.

    Returns:
        (d,), or (h, w, c).

    Raises:
        ValueError: there are no n labels, no example has one of them, or see `attribute_vector`.
    """
    labels = _known(codes, labels, to, *(() if source is None else (source,)))
    some = np.ones(len(labels), bool) if source is None else (labels == to) | (labels == source)
    return attribute_vector(np.asarray(codes)[some], labels[some] == to)


def mean_code(codes: np.ndarray, labels: np.ndarray, label: int) -> np.ndarray:
    """Mean of the codes (n, ...) of label `label`, (...).

    Raises:
        ValueError: there are no n labels, or no example has the label.
    """
    return np.asarray(codes)[_known(codes, labels, label) == label].mean(axis=0)


def edit(model, x: np.ndarray, vector: np.ndarray, strengths=(0.0, 0.5, 1.0)) -> np.ndarray:
    """Images whose codes are moved along `vector`: decode(encode(x) + strength · vector).

    Args:
        model: a game, a `zoo.models.Model`, or a path to one.
        x: (n, *shape), images in [-1, 1].
        vector: (d,) or (h, w, c), a difference of codes.
        strengths: (steps,); 0 gives the reconstructions.

    Returns:
        (n, steps, *shape).

    Raises:
        ValueError: the model has no encoder, or a shape is another.
    """
    model = models.of(model)
    (vector,) = checked_codes(model, np.asarray(vector)[None])
    moves = np.asarray(strengths, np.float32)[:, None] * vector
    return decoded(model, encoded(model, x)[:, None] + moves)


def arithmetic(model, a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    """The image of a − b + c, each of them the mean code of several images.

    Radford, Metz and Chintala 2016 (arXiv:1511.06434), who average the codes of three samples, as
    single ones were unstable. An encoder allows it with real images. The mean of many Gaussian
    codes lies nearer to the origin than any of them: its image is more typical than an example.

    Args:
        model: a game, a `zoo.models.Model`, or a path to one.
        a: (n, *shape), images in [-1, 1].
        b: (m, *shape).
        c: (k, *shape).

    Returns:
        (*shape).

    Raises:
        ValueError: the model has no encoder, or takes other examples.
    """
    model = models.of(model)
    a, b, c = (encoded(model, x).mean(axis=0) for x in (a, b, c))
    return decoded(model, (a - b + c)[None])[0]


def _known(codes, labels, *wanted):
    labels = checked_labels("labels", labels, len(codes))
    for label in wanted:
        if label not in labels:
            there = ", ".join(str(known) for known in np.unique(labels))
            raise ValueError(f"no example has the label {label}; labels are {there}")
    return labels
