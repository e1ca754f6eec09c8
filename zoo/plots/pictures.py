"""Pictures of a game: grids of images, reconstructions, and the report of a run."""

import textwrap
from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from zoo.datasets import unscale
from zoo.metrics.tables import table
from zoo.plots.panels import History
from zoo.plots.panels import draw_codes
from zoo.plots.panels import draw_losses
from zoo.plots.panels import draw_points
from zoo.plots.panels import draw_ratios
from zoo.plots.panels import draw_sheet
from zoo.plots.panels import measured

_COLUMNS = 12
_HEADINGS = "test images, each above its reconstruction", "samples: decoded draws from the prior"


def grid(images: np.ndarray, columns: int) -> np.ndarray:
    """Lays images out in rows, with a white gap of one pixel between them.

    Args:
      images: (n, h, w, 1) or (n, h, w, 3) in [-1, 1]; values outside are clipped, NaN is
        black. n >= 1.
      columns: images per row, at least 1; the last row is filled up with white.

    Returns:
      uint8 (rows * (h + 1) - 1, columns * (w + 1) - 1) for grey, with a last axis of 3 for colour.

    Raises:
      ValueError: the shape is another or `columns` is below 1.
    """
    images = _as_bytes(images)
    if columns < 1:
        raise ValueError(f"columns must be at least 1, got {columns}")
    n, h, w, channels = images.shape
    rows = -(-n // columns)
    sheet = np.full((rows * columns, h + 1, w + 1, channels), 255, np.uint8)
    sheet[:n, :h, :w] = images
    sheet = sheet.reshape(rows, columns, h + 1, w + 1, channels).swapaxes(1, 2)
    sheet = sheet.reshape(rows * (h + 1), columns * (w + 1), channels)[:-1, :-1]
    return sheet[..., 0] if channels == 1 else sheet


def pairs(images: np.ndarray, reconstructions: np.ndarray, columns: int) -> np.ndarray:
    """Lays images out in rows, each row above the row of its reconstructions.

    Args:
      images: (n, h, w, 1) or (n, h, w, 3) in [-1, 1], n >= 1.
      reconstructions: the same shape, in the same order.
      columns: pairs per row, at least 1.

    Returns:
      uint8 as from `grid`, with a gap of one pixel within a pair and four between pairs.

    Raises:
      ValueError: the shapes differ or `columns` is below 1.
    """
    shapes = np.shape(images), np.shape(reconstructions)
    if shapes[0] != shapes[1]:
        raise ValueError(f"pairs needs equal shapes, got {shapes[0]} and {shapes[1]}")
    upper, lower = grid(images, columns), grid(reconstructions, columns)
    gap, height = np.full((4, *upper.shape[1:]), 255, np.uint8), shapes[0][1]
    bands = []
    for top in range(0, len(upper), height + 1):
        bands += [upper[top : top + height], gap[:1], lower[top : top + height], gap]
    return np.concatenate(bands[:-1])


def pair_sheets(
    path: str | Path,
    title: str,
    sheets: Mapping[str, tuple[np.ndarray, np.ndarray]],
    columns: int = 10,
) -> None:
    """Writes a picture of pairs of images, for a reader to judge whether they are the same.

    For the birthday test: the closest pairs of samples, and those of real images to compare with.

    Args:
      path: PNG file to write; its folder is made if missing.
      title: a sentence, such as `zoo.metrics.birthday.Birthday.sentence`; long ones are wrapped.
      sheets: heading -> (images (n, h, w, c) in [-1, 1], pairs of indices (k, 2), k >= 1), such
        as `Birthday.closest`; the images of a pair stand one above the other.
      columns: pairs per row, at least 1.

    Raises:
      ValueError: there is no sheet, or the shapes do not fit.
    """
    if not sheets:
        raise ValueError("pair_sheets needs a sheet or more, got none")
    drawn = {}
    for heading, (images, indices) in sheets.items():
        images, indices = np.asarray(images), np.asarray(indices)
        if indices.ndim != 2 or indices.shape[1] != 2 or len(indices) == 0:
            raise ValueError(f"pairs of indices must be (k, 2), k >= 1, got {indices.shape}")
        drawn[heading] = pairs(images[indices[:, 0]], images[indices[:, 1]], columns)
    heights = [8.4 * sheet.shape[0] / sheet.shape[1] for sheet in drawn.values()]
    lines = textwrap.wrap(title, 105)
    whole = 0.4 + 0.17 * len(lines) + sum(heights) + 0.4 * len(heights)
    figure = blank(9, whole)
    figure.text(0.033, 1 - 0.15 / whole, "\n".join(lines), fontsize=10, va="top")
    bottom = 1 - (0.2 + 0.17 * len(lines)) / whole
    for heading, sheet in drawn.items():
        bottom = draw_sheet(figure, sheet, heading, 0.033, bottom - 0.4 / whole, 8.4 / 9)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, format="png")


def save_png(array: np.ndarray, path: str | Path) -> None:
    """Writes a uint8 (h, w) or (h, w, 3) array as a PNG file; its folder is made if missing.

    Raises:
      ValueError: the array has another type.
    """
    from PIL import Image

    array = np.asarray(array)
    if array.dtype != np.uint8:
        raise ValueError(f"save_png writes uint8 arrays, got {array.dtype}")
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path, format="PNG")


def points(real: np.ndarray, generated: np.ndarray) -> np.ndarray:
    """Scatter plot of generated points (m, 2) over real ones (n, 2), as uint8 (600, 600, 3).

    Raises:
      ValueError: the points are not two-dimensional.
    """
    figure = blank(6, 6)
    draw_points(figure.add_subplot(), real, generated, "real points and samples")
    figure.canvas.draw()
    return np.asarray(figure.canvas.buffer_rgba())[..., :3].copy()


def report(
    path: str | Path,
    *,
    title: str,
    images: np.ndarray,
    reconstructions: np.ndarray | None,
    samples: np.ndarray,
    history: History,
    metrics: Mapping[str, float],
    codes: np.ndarray | None = None,
    prior: np.ndarray | None = None,
    headings: tuple[str, str] = _HEADINGS,
    verdict: str = "",
    reported: Sequence[str] = (),
) -> None:
    """Writes one picture of a run, 1600 x 1000 pixels: images, curves, codes and key figures.

    Args:
      path: PNG file to write; its folder is made if missing.
      title: heading, such as "BiGAN on fashion_mnist, 20 epochs".
      images: (n, h, w, c) test images in [-1, 1] (36 are shown), or (n, 2) test points.
      reconstructions: G(E(x)) of the same, or None for a game without an encoder.
      samples: decoded prior draws; 72 images are shown, 144 without reconstructions.
      history: name -> one value per epoch; None or NaN where an epoch was not measured. Keys of
        `zoo.metrics.evaluate` are measurements, all others are drawn as losses, except "loss"
        (the sum) if there are others.
      metrics: the figures of `zoo.metrics.evaluate`, shown as text.
      codes: (n, latent_dim) codes of test examples, for the histogram, or None.
      prior: (m, latent_dim) draws from the prior, drawn behind the codes.
      headings: of the test images and of the samples.
      verdict: one sentence, shown below the title.
      reported: names in `history` that are no losses, as of `zoo.Game.reported`.

    Raises:
      ValueError: the shapes do not fit.
    """
    figure = blank(16, 10)
    figure.text(0.02, 0.976, title, fontsize=19, fontweight="bold", va="center")
    lines = "\n".join(textwrap.wrap(verdict, 200))
    figure.text(0.02, 0.96, lines, fontsize=10, va="top", linespacing=1.1)
    if np.ndim(images) == 2:
        _draw_two_clouds(figure, images, reconstructions, samples)
    else:
        _draw_sheets(figure, images, reconstructions, samples, headings)
    epochs, ratios = measured(history.get("x_cycle_ratio", ()))
    lower = [(draw_ratios, epochs, ratios)] if len(epochs) else []
    lower += [] if codes is None else [(draw_codes, codes, prior)]
    place = (0.57, 0.68, 0.41, 0.22) if lower else (0.57, 0.39, 0.41, 0.51)
    draw_losses(figure.add_axes(place), history, reported)
    for (draw, *values), left in zip(lower, (0.57, 0.8), strict=False):
        draw(figure.add_axes((left, 0.39, 0.18 if len(lower) == 2 else 0.41, 0.2)), *values)
    if text := table(metrics):
        figure.text(0.54, 0.31, "key figures (baselines in brackets)", fontsize=12, va="top")
        # 13 lines at a spacing of 1.6 fill the page.
        spacing = min(1.6, 1.6 * 13 / len(text.splitlines()))
        figure.text(0.54, 0.28, text, va="top", family="monospace", fontsize=9, linespacing=spacing)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, format="png")


def _as_bytes(images):
    images = np.asarray(images, dtype=np.float32)
    if images.ndim != 4 or images.shape[-1] not in (1, 3) or len(images) == 0:
        raise ValueError(f"images must be (n, h, w, 1) or (n, h, w, 3), got {images.shape}")
    return unscale(np.nan_to_num(images, nan=-1))


def blank(width: float, height: float, layout: str | None = None):
    """An empty Matplotlib figure of so many inches, 100 pixels each; it needs no screen.

    `layout`: one of Matplotlib's engines, such as "constrained".
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=100, facecolor="white", layout=layout)
    FigureCanvasAgg(figure)
    return figure


def _draw_two_clouds(figure, real, reconstructions, samples):
    clouds = [("reconstructions", reconstructions), ("samples", samples)]
    clouds = [cloud for cloud in clouds if cloud[1] is not None]
    height = 0.37 if len(clouds) == 2 else 0.82
    for (label, cloud), bottom in zip(clouds[::-1], (0.08, 0.53), strict=False):
        axes = figure.add_axes((0.06, bottom, 0.44, height))
        draw_points(axes, real, cloud, f"real points and {label}", label)


def _draw_sheets(figure, images, reconstructions, samples, headings):
    top, rows = 0.9, 12
    if reconstructions is not None:
        shown = slice(3 * _COLUMNS)
        sheet = pairs(images[shown], reconstructions[shown], _COLUMNS)
        top = draw_sheet(figure, sheet, headings[0], 0.02, top, 0.485, 0.41, 12) - 0.045
        rows = 6
    sheet = grid(samples[: rows * _COLUMNS], _COLUMNS)
    draw_sheet(figure, sheet, headings[1], 0.02, top, 0.485, top - 0.02, 12)
