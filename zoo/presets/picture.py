"""The picture of a card: test images and what the model makes of them, and samples."""

import pathlib

import numpy as np

from zoo.presets.figures import SEED

_COLUMNS = 14


def draw(path: pathlib.Path, game, data) -> None:
    """Write `card.png` for images; nothing is chosen: the first test images, the first draws.

    Of two sets, it shows translations there and back, beside the truth if it is known.
    """
    from zoo.metrics.arrays import representative
    from zoo.plots import translations

    if len(data.shape) != 3:
        raise ValueError(f"a card shows images; {data.name} has examples of shape {data.shape}")
    if data.other is None:
        _draw(path, _sheets(game, data))
        return
    title = f"{type(game).__name__}: the first test images of both sets"
    translations.draw(
        path, game, data, lambda domain: representative(domain.test_labels, _COLUMNS, SEED), title
    )


def _sheets(game, data):
    """Title → pixels of the parts of the picture."""
    from zoo import datasets
    from zoo.metrics import in_batches
    from zoo.metrics.arrays import representative
    from zoo.metrics.arrays import to_numpy
    from zoo.plots import pictures

    shown = representative(data.test_labels, 2 * _COLUMNS, SEED)
    x = game.observed(datasets.scale(data.test[shown]), SEED)
    if "y" in game.inputs:
        classes = range(len(data.conditions))
        z = to_numpy(game.prior_codes(_COLUMNS, SEED))
        rows = np.concatenate([to_numpy(game.decode(z, y)) for y in classes])
        # Each is translated to the class after its own.
        y = (data.test_labels[shown] + 1) % len(classes)
        return {
            "test images, each above its translation to the next class": pictures.pairs(
                x, to_numpy(game.translate(x, y)), _COLUMNS
            ),
            "samples: a row for each class, of the same codes": pictures.grid(rows, _COLUMNS),
        }
    sheets = {}
    if game.has_encoder:
        back = in_batches(game.reconstruct, x)
        sheets["test images, each above its reconstruction"] = pictures.pairs(x, back, _COLUMNS)
    z = game.prior_codes((6 if game.has_encoder else 10) * _COLUMNS, SEED)
    sheets["samples"] = pictures.grid(in_batches(game.decode, to_numpy(z)), _COLUMNS)
    return sheets


def _draw(path, sheets):
    from zoo.plots import panels
    from zoo.plots import pictures

    width, heading = 7.0, 0.3
    heights = [(width - 0.2) * sheet.shape[0] / sheet.shape[1] for sheet in sheets.values()]
    whole = sum(heights) + heading * len(heights) + 0.1
    figure = pictures.blank(width, whole)
    bottom, left = 1.0, 0.1 / width
    for title, sheet in sheets.items():
        top = bottom - heading / whole
        bottom = panels.draw_sheet(figure, sheet, title, left, top, 1 - 2 * left)
    figure.savefig(path, format="png")
