"""Pictures of codes moved along vectors between classes: attributes and arithmetic."""

import pathlib

import numpy as np

from zoo.latent import directions
from zoo.latent import library
from zoo.latent.arrays import decoded
from zoo.models import Subject
from zoo.plots import sheets
from zoo.plots.sheets import Row

_STRENGTHS = (0.0, 0.5, 1.0, 1.5)
# Images of one class that an attribute vector is measured on, at most.
_MEASURED = 200


def attributes(subject: Subject, out: pathlib.Path, pairs: list) -> dict[str, float]:
    """From class to class along the difference of mean codes; and brighter, without it.

    Args:
        pairs: (source, to) labels.

    Returns:
        For each pair, prefixed "source:to": arrived_0, _0.5, _1 and _1.5, the share of moved test
        images whose nearest training image, by pixels, has the label `to`, and arrived_control,
        the same at 1 for a vector of equal length from shuffled labels. brighter and kept: change
        of the mean pixel, and share whose nearest training image keeps its class, along the
        brightness vector; brighter_within and kept_within: along that taken within classes. These
        four are left out if the class alone determines the brightness of an image.
    """
    model, codes, labels = subject.model, subject.codes["train"], subject.labels["train"]
    figures, rows = {}, []
    for source, to in pairs:
        vector = directions.class_vector(codes, labels, to, source)
        x = subject.x["test"][subject.labels["test"] == source][:_MEASURED]
        moved = directions.edit(model, x, vector, _STRENGTHS)
        control = directions.edit(model, x, _shuffled(subject, source, to, vector), [1.0])
        for place, strength in enumerate(_STRENGTHS):
            arrived = _nearest_labels(subject, moved[:, place]) == to
            figures[f"{source}:{to} arrived_{strength:g}"] = float(arrived.mean())
        arrived = _nearest_labels(subject, control[:, 0]) == to
        figures[f"{source}:{to} arrived_control"] = float(arrived.mean())
        rows.append(Row(f"from {subject.data.classes[source]} towards {subject.data.classes[to]}"))
        rows += _pairwise(x, moved, 3)
    more, below = _brighter(subject)
    figures |= more
    rows += below
    headings = [(0, "test"), (2, "+ 0"), (3, "+ ½"), (4, "+ 1"), (5, "+ 1½")]
    headings += [(column + 7, text) for column, text in headings]
    sheets.draw(
        out / "attributes.png",
        f"Attribute vectors: {model.name}",
        rows,
        headings,
        "A test image, its reconstruction (+ 0), and its code moved along the vector.",
    )
    return figures


def _brighter(subject):
    """Figures and rows of the vector from dark to bright images, as it is and within classes."""
    codes, labels = subject.codes["train"], subject.labels["train"]
    has = subject.x["train"].reshape(len(labels), -1).mean(axis=1)
    has = has > np.median(has)
    try:
        within = directions.attribute_vector(codes, has, labels)
    except ValueError:  # the class determines brightness
        return {}, []
    plain = directions.attribute_vector(codes, has)
    within *= np.linalg.norm(plain) / np.linalg.norm(within)
    x, figures, rows = subject.x["test"][subject.one_of_each(_MEASURED)], {}, []
    for name, vector, ending in (("", plain, ""), (" within each class", within, "_within")):
        moved = directions.edit(subject.model, x, vector, _STRENGTHS)
        kept = _nearest_labels(subject, moved[:, 2]) == _nearest_labels(subject, moved[:, 0])
        figures[f"brighter{ending}"] = float((moved[:, 2] - moved[:, 0]).mean())
        figures[f"kept{ending}"] = float(kept.mean())
        rows.append(Row(f"brighter: bright minus dark images{name}"))
        rows += _pairwise(x, moved, 3)
    return figures, rows


def arithmetic(subject: Subject, out: pathlib.Path, sums: list) -> dict[str, float]:
    """a − b + c on mean codes of classes, and a − b added to single images of c.

    Args:
        sums: (a, b, c) labels.

    Returns:
        For each sum, prefixed "a-b+c": as_c, the share of single results whose nearest training
        image, by pixels, still has the label c, and as_c_before, of the reconstructions.
    """
    model, names, train = subject.model, subject.data.classes, subject.x["train"]
    figures, rows = {}, []
    for a, b, c in sums:
        means = [
            directions.mean_code(subject.codes["train"], subject.labels["train"], label)
            for label in (a, b, c)
        ]
        ends = decoded(model, np.stack([*means, means[0] - means[1] + means[2]]))
        (closest,), _ = library.nearest(ends[3:], train, 3)
        x = subject.x["test"][subject.labels["test"] == c][:_MEASURED]
        moved = directions.edit(model, x, means[0] - means[1], (0.0, 1.0))
        for key, place in (("as_c_before", 0), ("as_c", 1)):
            same = _nearest_labels(subject, moved[:, place]) == c
            figures[f"{a}-{b}+{c} {key}"] = float(same.mean())
        rows.append(Row(f"{names[a]} − {names[b]} + {names[c]}"))
        line = [ends[0], "−", ends[1], "+", ends[2], "=", ends[3], None, *train[closest]]
        rows.append(Row("mean codes", line))
        rows.append(Row("the difference alone, added to single images"))
        for label, images in (
            (f"{names[c]}, test", x),
            ("reconstruction", moved[:, 0]),
            (f"+ {names[a]}\n− {names[b]}", moved[:, 1]),
        ):
            few = [*images[:7], *[None] * 7][:7]
            line = [few[0], None, few[1], None, few[2], None, few[3], None, *few[4:]]
            rows.append(Row(label, line))
    sheets.draw(
        out / "arithmetic.png",
        f"Code arithmetic: {model.name}",
        rows,
        [(8, "nearest training images")],
    )
    return figures


def _pairwise(x, moved, count):
    """`count` rows of two examples each."""
    cells = [[x[i], None, *moved[i]] for i in range(min(2 * count, len(x)))]
    return [Row("", [*left, None, *right]) for left, right in zip(cells[::2], cells[1::2])]


def _shuffled(subject, source, to, vector):
    """A vector of the length of `vector`, from random labels."""
    some = np.isin(subject.labels["train"], (source, to))
    labels = subject.rng().permutation(subject.labels["train"][some])
    found = directions.class_vector(subject.codes["train"][some], labels, to, source)
    return found * np.linalg.norm(vector) / np.linalg.norm(found)


def _nearest_labels(subject, images):
    indices, _ = library.nearest(images, subject.x["train"])
    return subject.labels["train"][indices[:, 0]]
