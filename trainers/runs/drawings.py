"""The pictures of a run: outputs of its game for the same test examples and codes each time."""

import keras
import numpy as np

from zoo import datasets
from zoo import metrics
from zoo.plots import pictures
from zoo.plots import sheets
from zoo.plots import translations

# Images in a row of a table.
COLUMNS = 10


def of_epoch(game, data, directory, name: str) -> None:
    """Write DIRECTORY/samples/NAME, and reconstructions and translations if the method has them."""
    if data.other is not None:
        draw_translations(game, data, directory / "translations" / name)
    if not game.has_generator:
        return
    if "y" in game.inputs:
        draw_conditions(game, data, directory / "samples" / name)
        return
    images, reconstructions, samples, _, _ = shown(game, data, 60)
    if images.ndim == 2:
        pictures.save_png(pictures.points(images, samples), directory / "samples" / name)
        return
    pictures.save_png(pictures.grid(samples, 10), directory / "samples" / name)
    if reconstructions is not None:
        sheet = pictures.pairs(images, reconstructions, 10)
        pictures.save_png(sheet, directory / "reconstructions" / name)


def shown(game, data, n: int) -> tuple:
    """The test examples and codes of every picture of a run: the same ones each time.

    Returns:
        (images, reconstructions or None, samples, codes or None, prior codes), n of each.
    """
    images = datasets.scale(data.test[_rows(data, n)])
    prior = keras.ops.convert_to_numpy(game.prior_codes(n, seed=1))
    samples = metrics.in_batches(game.decode, prior)
    if not game.has_encoder:
        return images, None, samples, None, prior
    codes = metrics.in_batches(game.encode, images)
    return images, metrics.in_batches(game.decode, codes), samples, codes, prior


def of_report(game, data) -> dict:
    """The images of `zoo.plots.pictures.report`, by the name of its argument."""
    if not game.has_generator:
        n = 36 if len(data.shape) == 3 else 500
        a, b = metrics.translation.both_ways(game, data, lambda domain: _rows(domain, n))
        if len(data.shape) != 3:
            return {"images": b.images, "reconstructions": None, "samples": a.made}
        # Rows of 12, filled up with white, each above the row of its translations.
        white = np.ones((-len(b.images) % 12, *data.shape), "float32")
        rows = [
            np.concatenate([part, white]).reshape(-1, 12, *data.shape)
            for part in (b.images, b.made)
        ]
        return {
            "images": a.images,
            "reconstructions": a.made,
            "samples": np.stack(rows, axis=1).reshape(-1, *data.shape),
            "headings": ("images of A, each above its translation", "the same of B"),
        }
    images, reconstructions, samples, codes, prior = shown(game, data, 500)
    found = {"images": images, "reconstructions": reconstructions, "samples": samples}
    found |= {"codes": codes, "prior": prior}
    if "y" in game.inputs:
        found["samples"] = np.concatenate(_by_class(game, data, 12)[:12])
        found["headings"] = ("", "samples: a row for each class, of the same codes")
    return found


def draw_translations(game, data, path) -> None:
    """Write a table of test images of both sets, each above its translation there and back."""
    if len(data.shape) != 3:
        a, b = metrics.translation.both_ways(game, data, lambda domain: _rows(domain, 500))
        clouds = [(data.other.test, a.made), (data.test, b.made)]
        drawn = [pictures.points(real, made) for real, made in clouds]
        pictures.save_png(np.concatenate(drawn, axis=1), path)
        return
    title = f"{type(game).__name__}: translations"
    translations.draw(path, game, data, lambda domain: _rows(domain, COLUMNS), title)


def draw_conditions(game, data, path) -> None:
    """Write a table of samples with a row for each class, of the same codes in every row."""
    made = _by_class(game, data, COLUMNS)
    if len(data.shape) != 3:
        pictures.save_png(pictures.points(data.test, np.concatenate(made)), path)
        return
    rows = [sheets.Row(name, row) for name, row in zip(data.conditions, made, strict=True)]
    sheets.draw(path, f"{type(game).__name__}: samples of each class", rows)


def _by_class(game, data, n):
    """Samples of the same n codes, for each class."""
    codes = keras.ops.convert_to_numpy(game.prior_codes(n, seed=1))
    made = [game.decode(codes, np.full(n, y)) for y in range(len(data.conditions))]
    return [keras.ops.convert_to_numpy(row) for row in made]


def _rows(data, n):
    return np.random.default_rng(0).permutation(len(data.test))[:n]
