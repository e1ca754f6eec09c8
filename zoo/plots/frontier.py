"""The picture of `python -m zoo.lipschitz`: reconstruction error against slopes."""

from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from zoo.plots.panels import finish
from zoo.plots.pictures import blank

_SHAPES = "osD^v"


def draw(path: str | Path, rows: Mapping[str, Mapping[str, float]]) -> None:
    """Writes reconstruction error against the slopes of G and of E, one point per model.

    Args:
      path: PNG file to write; its folder is made if missing.
      rows: name of the model -> figures of `zoo.metrics.slopes`, and x_cycle_ratio. A model that
        lacks one of a panel's two figures is left out of that panel.
    """
    figure = blank(13, 5.6)
    figure.suptitle(
        "Reconstruction error against sensitivity; low and left is better",
        x=0.06,
        ha="left",
        fontsize=15,
    )
    panels = (
        ("g", "generator", "image per unit of code"),
        ("e", "encoder", "code per unit of image"),
    )
    for place, (key, title, unit) in enumerate(panels, 1):
        axes = figure.add_subplot(1, 2, place)
        axes.set_title(title, loc="left")
        found = [
            [row.get(name, np.nan) for row in rows.values()]
            for name in (f"lipschitz_{key}_median", "x_cycle_ratio")
        ]
        figure.subplots_adjust(left=0.06, right=0.98, bottom=0.12, top=0.84, wspace=0.18)
        draw_points(axes, *found, list(rows))
        axes.set_xlabel(f"median of the largest singular value of the Jacobian: {unit}")
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, format="png")


def draw_points(axes, sensitivity: np.ndarray, error: np.ndarray, names: Sequence[str]) -> None:
    """Draws one point per model: sensitivity (n,) above 0, on a log scale, and error (n,).

    Models with a missing figure (NaN) are left out.
    """
    from matplotlib.ticker import LogLocator
    from matplotlib.ticker import NullLocator

    sensitivity, error = np.asarray(sensitivity, float), np.asarray(error, float)
    known = np.flatnonzero(np.isfinite(error) & (sensitivity > 0))
    axes.set_xscale("log")
    for i in known:
        # Matplotlib has ten colours.
        shape = _SHAPES[i // 10 % len(_SHAPES)]
        axes.scatter(sensitivity[i], error[i], s=60, marker=shape, label=names[i], zorder=3)
    if len(known):
        axes.legend()
        low, high = sensitivity[known].min(), sensitivity[known].max()
        room = max(high / low, 2.0) ** 0.25
        axes.set(xlim=(low / room, high * room), ylim=(0, 1.15 * max(error[known].max(), 0.05)))
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 1.5, 2, 3, 4, 5, 7), numticks=12))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_locator(NullLocator())
    finish(axes, "", "x-cycle ratio (error / error to another)")
