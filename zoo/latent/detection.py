"""Anomaly detection in a picture and a table: scores of usual and unusual images."""

import pathlib
import sys

import numpy as np

from zoo import datasets
from zoo.latent.anomaly import detect
from zoo.latent.arrays import checked_examples
from zoo.models import Subject
from zoo.plots.panels import COLOURS
from zoo.plots.pictures import blank
from zoo.plots.pictures import grid

UPSIDE_DOWN = "its own test images, upside down"
NAMES = {
    "anomaly_score": "anomaly score",
    "reconstruction_error": "reconstruction error alone",
    "feature_error": "feature distance alone",
    "pixel_neighbour": "nearest training image, pixels",
    "darkness": "darkness",
}
_USUAL, _UNUSUAL = COLOURS[:2]


def measure(subject: Subject, others: dict) -> dict[str, dict]:
    """Scores of the test examples of `subject` against those of other sets.

    Args:
        others: name → uint8 images (n, h, w, c).

    Returns:
        name of the set → (the value of `zoo.latent.detect`, the images as the model takes them);
        `UPSIDE_DOWN` comes last.

    Raises:
        ValueError: the model has no encoder, or takes other images.
    """
    sets = {name: _seen(subject, images) for name, images in others.items()}
    sets[UPSIDE_DOWN] = subject.x["test"][:, ::-1, ::-1]
    found = {}
    for name, images in sets.items():
        print(f"{subject.model.name}: scores of {name}", file=sys.stderr, flush=True)
        found[name] = detect(subject.model, subject.x["train"], subject.x["test"], images), images
    return found


def _seen(subject, images):
    x = checked_examples(subject.model, datasets.scale(images))
    return subject.seen(x, subject.seed + 2)


def aurocs(found: dict) -> dict[str, dict[str, float]]:
    """name of the set → score → AUROC, from the value of `measure`."""
    return {
        name: {score: float(area) for score, (*_, area) in scores.items()}
        for name, (scores, _) in found.items()
    }


def draw(path: pathlib.Path, subject: Subject, found: dict) -> None:
    """Writes histograms of every score for every set, and the images of both ends of the score.

    Args:
        path: PNG file to write.
        subject: the model whose test images are the usual ones.
        found: as from `measure`.
    """
    scores = [name for name in NAMES if name in next(iter(found.values()))[0]]
    wide, high = 2.7 * len(scores) + 0.3, 0.75 + 3.0 * len(found)
    figure = blank(wide, high)
    figure.text(
        0.15 / wide,
        1 - 0.25 / high,
        f"Anomaly detection: {subject.model.name}, trained on {subject.data.name}",
        fontsize=13,
        fontweight="bold",
        va="center",
    )
    for number, (name, (measured, images)) in enumerate(found.items()):
        top = high - 0.6 - 3.0 * number
        figure.text(0.15 / wide, (top - 0.12) / high, f"unusual: {name}", fontsize=11, va="bottom")
        for place, score in enumerate(scores):
            box = ((2.7 * place + 0.2) / wide, (top - 1.75) / high, 2.45 / wide, 1.2 / high)
            _histogram(figure.add_axes(box), *measured[score], NAMES[score], place + number == 0)
        usual, unusual, _ = measured["anomaly_score"]
        strips = (
            ("usual, highest anomaly score", subject.x["test"][np.argsort(-usual)]),
            ("unusual, lowest anomaly score: missed", images[np.argsort(unusual)]),
        )
        for place, (heading, ordered) in enumerate(strips):
            half = (wide - 0.6) / 2
            left = 0.2 + place * (half + 0.2)
            count = min(len(ordered), max(1, int(half / 0.46)))
            size = (half / wide, 0.46 / high)
            axes = figure.add_axes((left / wide, (top - 2.8) / high, *size), anchor="NW")
            axes.imshow(grid(ordered[:count], count), cmap="gray", vmin=0, vmax=255)
            axes.set_axis_off()
            axes.set_title(heading, loc="left", fontsize=9, pad=3)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, format="png", pil_kwargs={"optimize": True})


def _histogram(axes, usual, unusual, area, name, legend):
    both = np.concatenate([usual, unusual])
    low, high = np.quantile(both, (0.002, 0.998))
    edges = np.linspace(low, max(high, low + 1e-6), 50)
    for values, color, label in ((usual, _USUAL, "usual"), (unusual, _UNUSUAL, "unusual")):
        clipped = np.clip(values, edges[0], edges[-1])
        axes.hist(clipped, edges, color=color, alpha=0.6, label=label, histtype="stepfilled")
    axes.set_title(f"{name}\nAUROC {area:.3f}", loc="left", fontsize=9)
    axes.set_yticks([])
    axes.tick_params(labelsize=8)
    axes.locator_params(axis="x", nbins=5)
    axes.spines[["top", "right", "left"]].set_visible(False)
    if legend:
        axes.legend(fontsize=8, frameon=False)
