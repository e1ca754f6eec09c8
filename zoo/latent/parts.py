"""Pictures of paths and neighbours of codes: each function draws one and returns its figures."""

import pathlib

import numpy as np

from zoo.latent import library
from zoo.latent import paths
from zoo.latent.arrays import decoded
from zoo.models import Subject
from zoo.plots import sheets
from zoo.plots.sheets import Row

_STEPS = 9


def interpolation(subject: Subject, out: pathlib.Path) -> dict[str, float]:
    """Paths between test images, or between prior draws if there is no encoder.

    Returns:
        norm_middle, norm_middle_straight: mean norm of the code half way; norm_prior of draws from
        the prior; norm_codes of the ends. largest_step, largest_step_blend: the largest of the
        steps between neighbouring images over their mean, 1 if all are equal.
    """
    model, middle, times = subject.model, _STEPS // 2, np.linspace(0, 1, _STEPS)
    chosen = subject.one_of_each(200)
    chosen = chosen[: len(chosen) // 2 * 2]
    ends = subject.codes["test"][chosen] if model.encode else model.prior(200, subject.seed)
    codes = paths.path(model.law, ends[::2], ends[1::2], _STEPS)
    straight = paths.lerp(ends[::2], ends[1::2], times)
    images = decoded(model, codes)
    figures = {
        "norm_codes": _norm(ends),
        "norm_prior": _norm(model.prior(10_000, subject.seed)),
        "norm_middle": _norm(codes[:, middle]),
        "norm_middle_straight": _norm(straight[:, middle]),
        "largest_step": _largest_step(images),
    }
    rows = [Row("", list(way)) for way in images[:6]]
    headings = [(0, "from one draw of the prior to another")]
    if model.encode:
        flat = subject.x["test"][chosen].reshape(len(chosen), -1)
        blend = paths.lerp(flat[::2], flat[1::2], times).reshape(images.shape)
        figures["largest_step_blend"] = _largest_step(blend)
        x, y = subject.x["test"][chosen[::2]], subject.x["test"][chosen[1::2]]
        kind = "straight lines" if np.allclose(codes, straight) else "great circles"
        rows = [Row(f"codes along {kind}, decoded")]
        rows += [Row("", [x[i], None, *images[i], None, y[i]]) for i in range(min(5, len(x)))]
        rows.append(Row("for comparison: the pixels of the same pairs, blended"))
        rows += [Row("", [x[i], None, *blend[i], None, y[i]]) for i in range(min(2, len(x)))]
        headings = [(0, "from"), (2, "evenly spaced, ends included"), (3 + _STEPS, "to")]
    sheets.draw(out / "interpolation.png", f"Interpolation: {model.name}", rows, headings)
    return figures


def traversal(subject: Subject, out: pathlib.Path) -> dict[str, float]:
    """The six coordinates that change the image most, on one code.

    Returns:
        change: mean distance of images at the two ends of a coordinate, of the six;
        change_least: of the coordinate that changes the image least.
    """
    model = subject.model
    codes = (
        subject.codes["test"][subject.one_of_each(16)]
        if model.encode
        else model.prior(16, subject.seed)
    )
    values = paths.spread(model.law, _STEPS)
    both = paths.traverse(model, codes, values=values[[0, -1]])
    change = _distance(both[:, :, 0], both[:, :, 1]).mean(axis=0)
    chosen = np.argsort(-change)[:6]
    images = paths.traverse(model, codes[:1], chosen, values)[0]
    rows = [Row(f"coordinate {c}", list(row)) for c, row in zip(chosen, images)]
    sheets.draw(
        out / "traversal.png",
        f"Traversal: {model.name}",
        rows,
        [(0, f"one code, one coordinate set from {values[0]:g} to {values[-1]:g}")],
        "The coordinates that change the image most, in the mean over 16 codes.",
    )
    return {"change": float(change[chosen].mean()), "change_least": float(change.min())}


def nearest(subject: Subject, out: pathlib.Path) -> dict[str, float]:
    """Neighbours of test images among training images, by code and by pixels.

    Returns:
        same_class_code, same_class_pixels: share of the five nearest that have the query's class;
        same_class_chance: of training images at random. Left out if there are no labels.
    """
    k, queries = 6, subject.one_of_each(6)
    by_code, _ = library.nearest(subject.codes["test"], subject.codes["train"], k)
    test, train = subject.x["test"], subject.x["train"]
    by_pixels, _ = library.nearest(test, train, k)
    rows = [
        Row("", [test[i], None, *train[by_code[i]], None, *train[by_pixels[i]]]) for i in queries
    ]
    headings = [(0, "test"), (2, "nearest training images by code"), (3 + k, "by pixels")]
    sheets.draw(out / "neighbours.png", f"Neighbours: {subject.model.name}", rows, headings)
    if not subject.labelled:
        return {}
    train = subject.labels["train"]
    shares = np.bincount(train, minlength=len(subject.data.classes)) / len(train)
    return {
        "same_class_code": _agreement(subject, by_code[:, :5]),
        "same_class_pixels": _agreement(subject, by_pixels[:, :5]),
        "same_class_chance": float(shares[subject.labels["test"]].mean()),
    }


def _agreement(subject, indices):
    return library.label_agreement(indices, subject.labels["test"], subject.labels["train"])


def _norm(codes):
    return float(np.linalg.norm(codes, axis=-1).mean())


def _distance(a, b):
    """(..., h, w, c), twice → L2 distances (...)."""
    return np.sqrt(np.square(a - b).sum(axis=(-3, -2, -1)))


def _largest_step(images):
    steps = _distance(images[:, 1:], images[:, :-1])
    return float((steps.max(axis=1) / np.maximum(steps.mean(axis=1), 1e-12)).mean())
