"""Tables of translations between two sets of images, there and back, beside the truth."""

import dataclasses
from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from zoo import datasets
from zoo.metrics import in_batches
from zoo.plots import sheets


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


def both_ways(game, data: datasets.Dataset, rows: Callable) -> Iterator[Translated]:
    """Translations of A to B, and then of B to A.

    Args:
        game: has `translate`, from examples and the number of a domain.
        data: with the second domain in it.
        rows: from a set to the indices of the test examples to translate.
    """
    for here, (source, target) in enumerate(((data, data.other), (data.other, data))):
        chosen = rows(source)
        x = datasets.scale(source.test[chosen])
        made = in_batches(lambda batch, to=1 - here: game.translate(batch, to), x)
        back = in_batches(lambda batch, to=here: game.translate(batch, to), made)
        truth = datasets.scale(target.test[chosen]) if data.truth_known else None
        yield Translated(source.name, target.name, x, made, back, truth)


def draw(path: str | Path, game, data: datasets.Dataset, rows: Callable, title: str) -> None:
    """Write a table of images of both sets, each above its translation, there and back.

    Args:
        path: PNG file to write.
        game, data, rows: as for `both_ways`; examples are images.
    """
    lines = []
    for way in both_ways(game, data, rows):
        lines += [sheets.Row(f"{way.source} → {way.target}"), sheets.Row("test image", way.images)]
        lines += [sheets.Row("translation", way.made), sheets.Row("and back", way.back)]
        lines += [sheets.Row("the truth", way.truth)] if way.truth is not None else []
    sheets.draw(path, title, lines)
