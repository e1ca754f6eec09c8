"""Labelled tables of images: a heading for columns, a name for each row, every pixel in place."""

import dataclasses
import textwrap
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from zoo.datasets import unscale
from zoo.plots.pictures import blank

# Pixels: of an image's side at least, between images, around a sign, of a line of text. A table is
# about 1,300 wide, and a page shows it at two thirds of that: letters are large.
_SIDE, _GAP, _SIGN, _LINE = 56, 4, 22, 26
_MARGIN, _TITLE = 14, 44
# Width of a letter of labels and headings, and of the note; height of a line of the note.
_LETTER, _NOTE, _NOTE_LINE = 11.2, 9.6, 21


@dataclasses.dataclass(frozen=True)
class Row:
    """A row of a table; without cells it is the heading of those below it.

    Attributes:
      label: text to the left; line breaks are kept.
      cells: images (h, w, 1) or (h, w, 3) in [-1, 1], one-line texts (such as "=") or None for
        an empty place.
    """

    label: str = ""
    cells: Sequence = ()


def draw(
    path: str | Path,
    title: str,
    rows: Sequence[Row],
    headings: Sequence[tuple[int, str]] = (),
    note: str = "",
    about: dict[str, str] | None = None,
) -> None:
    """Writes a table of images as a PNG file.

    A column that holds no image anywhere is narrow: it is a gap, or holds signs.

    Args:
      path: PNG file to write; its folder is made if missing.
      title: one line.
      rows: see `Row`.
      headings: (first column, text), over the columns.
      note: text below, wrapped.
      about: name → text, stored in the file's metadata.

    Raises:
      ValueError: there is no image, or they differ in shape.
    """
    shapes = {np.shape(cell) for row in rows for cell in row.cells if _is_image(cell)}
    if len(shapes) != 1 or len(next(iter(shapes))) != 3:
        raise ValueError(f"a table needs images of one shape (h, w, c), got {sorted(shapes)}")
    ((height, width, _),) = shapes
    zoom = max(1, round(_SIDE / height))
    lefts = _lefts(rows, width * zoom)
    tops, bottom = _tops(rows, height * zoom, _TITLE + _LINE * bool(headings))
    lines = textwrap.wrap(note, int(lefts[-1] / _NOTE)) if note else []
    ends = [lefts[column] + int(_LETTER * len(text)) for column, text in headings]
    size = max(lefts[-1], *ends, 0) + _MARGIN, bottom + _NOTE_LINE * len(lines) + _MARGIN
    figure, page = (
        blank(size[0] / 100, size[1] / 100),
        np.full((size[1], size[0], 3), 255, np.uint8),
    )

    def write(x, y, text, **style):
        style = {"fontsize": 14, "va": "center", "linespacing": 1.15} | style
        figure.text(x / size[0], 1 - y / size[1], text, **style)

    write(_MARGIN, _TITLE / 2, title, fontsize=17, fontweight="bold")
    for column, text in headings:
        write(lefts[column], _TITLE + _LINE / 2 - 2, text)
    for row, top in zip(rows, tops, strict=True):
        if not len(row.cells):
            write(_MARGIN, top + _LINE * 0.6, row.label, fontweight="bold")
            continue
        middle = top + height * zoom / 2
        write(_MARGIN, middle, row.label)
        for cell, left, right in zip(row.cells, lefts, lefts[1:], strict=False):
            if _is_image(cell):
                _place(page, cell, zoom, top, left)
            elif cell:
                write((left + right - _GAP) / 2, middle, cell, ha="center")
    for number, line in enumerate(lines):
        write(_MARGIN, bottom + _NOTE_LINE * (number + 0.5), line, fontsize=12.5, color="0.25")
    figure.figimage(page)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, format="png", metadata=about, pil_kwargs={"optimize": True})


def _is_image(cell):
    return cell is not None and not isinstance(cell, str)


def _lefts(rows, width):
    """Left edge of each column, and the right edge of the last one."""
    words = [line for row in rows if len(row.cells) for line in row.label.split("\n")]
    lefts = [_MARGIN + int(_LETTER * max(map(len, words), default=0)) + 10]
    for column in range(max(len(row.cells) for row in rows)):
        cells = [row.cells[column] for row in rows if column < len(row.cells)]
        wide = any(_is_image(cell) for cell in cells)
        lefts.append(lefts[-1] + (width if wide else _SIGN) + _GAP)
    return lefts


def _tops(rows, height, top):
    """Top edge of each row, and the bottom edge of the last one."""
    tops = []
    for row in rows:
        tops.append(top)
        top += height + _GAP if len(row.cells) else _LINE + 6
    return tops, top + _GAP


def _place(page, image, zoom, top, left):
    pixels = unscale(np.nan_to_num(np.asarray(image, np.float32), nan=-1))
    pixels = pixels.repeat(zoom, axis=0).repeat(zoom, axis=1)
    page[top : top + pixels.shape[0], left : left + pixels.shape[1]] = pixels
