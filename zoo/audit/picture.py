"""The picture of an audit: one column for each model."""

import textwrap
from pathlib import Path

import numpy as np

from zoo.metrics import in_batches
from zoo.metrics.arrays import representative
from zoo.plots.panels import COLOURS
from zoo.plots.panels import OURS
from zoo.plots.panels import draw_sheet
from zoo.plots.pictures import blank
from zoo.plots.pictures import grid
from zoo.plots.pictures import pairs
from zoo.plots.pictures import points

_COLUMNS = 10
_SHOWN, _RECONSTRUCTED = 500, 20


def shown(subject, figures: dict) -> dict:
    """The arrays of a `zoo.models.Subject` for `draw`; `figures` as of `zoo.audit.audit`."""
    most = _SHOWN if len(subject.model.shape) == 1 else _RECONSTRUCTED
    rows = representative(subject.labels["test"], most, subject.seed)
    # Copies: a view would keep all samples of every model in memory until the picture is drawn.
    found = {
        "samples": subject.samples[:_SHOWN].copy(),
        "real": subject.x["test"][rows].copy(),
    }
    if "closest" in figures:
        found["closest"] = subject.samples[np.ravel(figures["closest"])]
    if subject.codes:
        some = subject.codes["test"][rows[:_RECONSTRUCTED]]
        found["reconstructions"] = in_batches(subject.model.decode, some)
    return found


def draw(path: str | Path, audited: list) -> None:
    """Writes `audit.png`.

    Args:
      path: PNG file to write; its folder is made if missing.
      audited: one (name, figures, verdicts, shown) for each model; `shown` maps "samples",
        "closest" (samples, in pairs), "real" (test examples as the model takes them) and, if
        there is an encoder, "reconstructions" of these, to arrays (n, ...).
    """
    figure = blank(6.4 * len(audited), 13)
    for number, (name, figures, sentences, shown) in enumerate(audited):
        left, width = (number + 0.04) / len(audited), 0.92 / len(audited)
        figure.text(left, 0.985, name, fontsize=16, fontweight="bold", va="top")
        top = 0.945
        for heading, sheet in _sheets(shown):
            top = draw_sheet(figure, sheet, heading, left, top, width) - 0.03
        if rows := _accuracies(figures):
            _bars(figure.add_axes((left + 0.32 * width, top - 0.1, 0.66 * width, 0.1)), rows)
            top -= 0.13
        words = "\n".join(textwrap.fill(s, 88, subsequent_indent="   ") for s in sentences)
        figure.text(left, top, words, fontsize=8.5, va="top", linespacing=1.35)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, format="png")


def _sheets(shown):
    if shown["samples"].ndim == 2:
        yield "samples", points(shown["real"], shown["samples"])
        return
    if "reconstructions" in shown:
        some = slice(2 * _COLUMNS)
        sheet = pairs(shown["real"][some], shown["reconstructions"][some], _COLUMNS)
        yield "test images, each above its reconstruction", sheet
    yield "samples", grid(shown["samples"][: 4 * _COLUMNS], _COLUMNS)
    upper, lower = shown["closest"][: 2 * _COLUMNS : 2], shown["closest"][1 : 2 * _COLUMNS : 2]
    yield "closest pairs of samples: the same thing twice?", pairs(upper, lower, _COLUMNS)


def _accuracies(figures):
    """(label, accuracy, chance) of fresh discriminators and of probes."""
    rows = [
        (f"discriminator, p = {key.split('_')[1]}", figures[key], 0.5)
        for key in sorted(figures, key=lambda key: (len(key), key))
        if key.startswith("judge_") and key.endswith("_accuracy")
    ]
    for key, label in (("probe_code", "class from code"), ("probe_pixels", "class from pixels")):
        if key in figures:
            rows.append((label, figures[key], figures["chance"]))
    return rows


def _bars(axes, rows):
    places = np.arange(len(rows))[::-1]
    axes.barh(places, [value for _, value, _ in rows], color=OURS, height=0.6)
    axes.scatter([floor for *_, floor in rows], places, color=COLOURS[1], marker="|", s=160, lw=2.5)
    axes.set(xlim=(0, 1), yticks=places)
    axes.set_yticklabels([label for label, *_ in rows], fontsize=9)
    axes.set_title("held-out accuracy; the mark is chance", loc="left", fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)
