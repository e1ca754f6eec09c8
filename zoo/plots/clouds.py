"""Points in the plane: those of several models over the same real ones."""

import textwrap
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from zoo.plots.panels import draw_points
from zoo.plots.pictures import blank


def draw(
    path: str | Path,
    title: str,
    real: np.ndarray,
    made: Mapping[str, np.ndarray],
    about: dict[str, str] | None = None,
) -> None:
    """Writes the points of several models over the same real ones, side by side on one scale.

    Args:
      path: PNG file to write; its folder is made if missing.
      title: long ones are wrapped.
      real: (n, 2) real points, which have half of the height and width of each panel; what models
        made outside a panel is not shown, but counted below it.
      made: heading -> (m, 2) points of a model.
      about: name -> text, stored in the file's metadata.
    """
    middle, reach = (real.max(axis=0) + real.min(axis=0)) / 2, np.ptp(real, axis=0).max()
    wide, side = 5 * len(made), 4.2
    lines = textwrap.wrap(title, int(7 * wide))
    high = 5.25 + 0.25 * len(lines)
    figure, place = blank(wide, high), (0.1 / wide, 1 - 0.1 / high)
    figure.text(*place, "\n".join(lines), fontsize=15, fontweight="bold", va="top")
    for place, (heading, points) in enumerate(made.items()):
        left = 0.65 + 5 * place
        axes = figure.add_axes((left / wide, 0.55 / high, side / wide, side / high))
        draw_points(axes, real, points, heading)
        limits = [(centre - reach, centre + reach) for centre in middle]
        outside = int((np.abs(points - middle) > reach).any(axis=1).sum())
        beside = f"  ({outside:,} of {len(points):,} samples are outside)" if outside else ""
        axes.set(adjustable="box", xlim=limits[0], ylim=limits[1], xlabel=f"$x_1${beside}")
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, format="png", metadata=about)
