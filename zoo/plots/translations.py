"""Tables of translations between two sets of images, there and back, beside the truth."""

from collections.abc import Callable
from pathlib import Path

from zoo import datasets
from zoo.metrics import translation
from zoo.plots import sheets


def draw(path: str | Path, game, data: datasets.Dataset, rows: Callable, title: str) -> None:
    """Write a table of images of both sets, each above its translation, there and back.

    Args:
        path: PNG file to write.
        game, data, rows: as for `zoo.metrics.translation.both_ways`; examples are images.
    """
    lines = []
    for way in translation.both_ways(game, data, rows):
        lines += [sheets.Row(f"{way.source} → {way.target}"), sheets.Row("test image", way.images)]
        lines += [sheets.Row("translation", way.made), sheets.Row("and back", way.back)]
        lines += [sheets.Row("the truth", way.truth)] if way.truth is not None else []
    sheets.draw(path, title, lines)
