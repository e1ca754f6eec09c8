"""Panels of figures: losses, cycle ratios and codes of a run, models side by side."""

import math
from collections.abc import Mapping
from collections.abc import Sequence

import numpy as np

from zoo.metrics.evaluation import KEYS

# One value per epoch and name; None where an epoch was not measured.
History = Mapping[str, Sequence[float | None]]
# Of curves and bars, in this order.
COLOURS = ("#3b6ea5", "#d9762b", "#4f8f4f", "#a5479b", "#7a6a4f", "#444444", "#bb3333")
OURS, _MADE = COLOURS[:2]
# Of a legend above the axes, where it covers nothing.
_ABOVE = {
    "loc": "lower right",
    "bbox_to_anchor": (1, 1),
    "borderaxespad": 0.2,
    "frameon": False,
    "fontsize": 9,
    "columnspacing": 0.9,
    "handlelength": 1.2,
}


def measured(values: Sequence[float | None]) -> tuple[np.ndarray, np.ndarray]:
    """(epochs counted from 1, values) without the epochs that have none."""
    values = np.array([np.nan if value is None else value for value in values], dtype=float)
    known = np.flatnonzero(np.isfinite(values))
    return known + 1, values[known]


def draw_losses(axes, history: History, reported: Sequence[str] = ()) -> None:
    """Draws one curve per loss; keys of `zoo.metrics.evaluate` and the sum "loss" are no losses.

    Names in `reported` are no losses either: they are drawn, and the title says so.
    """
    losses = {name: measured(history[name]) for name in history if name not in KEYS}
    if len(losses) > 1:
        losses.pop("loss", None)
    for name, (epochs, values) in losses.items():
        axes.plot(epochs, values, label=name, marker="o", markersize=3)
    found = np.concatenate([values for _, values in losses.values()] or [np.zeros(0)])
    if len(found) and found.min() > 0 and found.max() > 30 * found.min():
        axes.set_yscale("log")
    mixed = bool(losses.keys() & set(reported))
    axes.set_title("losses, reported values" if mixed else "loss of each player", loc="left")
    finish(axes, "epoch", "value" if mixed else "loss")
    if losses:
        axes.legend(**_ABOVE, ncols=len(losses))


def draw_ratios(axes, epochs: np.ndarray, ratios: np.ndarray) -> None:
    """Draws the x-cycle ratio over the epochs in which it was measured."""
    axes.axhline(1, color="grey", linestyle="--", linewidth=1, label="nothing recovered")
    axes.plot(epochs, ratios, color=OURS, marker="o", markersize=4, label="test examples")
    # Room for the legend above the curve.
    axes.set_ylim(0, 1.4 * max(1, ratios.max()))
    axes.set_title("x-cycle ratio", loc="left")
    finish(axes, "epoch", "error / error to another")
    axes.legend(loc="upper right", fontsize=8)


def draw_codes(axes, codes: np.ndarray, prior: np.ndarray | None) -> None:
    """Draws the histogram of all coordinates of codes (n, d) over that of prior draws (m, d)."""
    axes.set_title("codes, all coordinates", loc="left")
    laws = [] if prior is None else [(np.ravel(prior), "prior", "0.75")]
    laws += [(np.ravel(codes), "test examples", OURS)]
    # The picture of a diverged run must be drawn too.
    laws = [(values[np.isfinite(values)], *style) for values, *style in laws]
    laws = [law for law in laws if len(law[0])]
    if not laws:
        return
    low, high = np.quantile(np.concatenate([law[0] for law in laws]), (0.001, 0.999))
    edges = np.linspace(low, max(high, low + 1e-3), 60)
    for values, label, color in laws:
        kind = "stepfilled" if label == "prior" else "step"
        axes.hist(values, edges, density=True, histtype=kind, color=color, label=label)
    finish(axes, "value of a coordinate", "density")
    axes.set_ylim(0, 1.45 * axes.get_ylim()[1])
    axes.legend(loc="upper right", fontsize=8)


def draw_points(
    axes, real: np.ndarray, made: np.ndarray, title: str, label: str = "samples"
) -> None:
    """Draws points (m, 2) that a model made, which the legend calls `label`, over real ones (n, 2).

    Raises:
      ValueError: the points are not two-dimensional.
    """
    for points in (real, made):
        if np.ndim(points) != 2 or np.shape(points)[1] != 2:
            raise ValueError(f"points must be (n, 2), got {np.shape(points)}")
    axes.scatter(*np.transpose(real), s=9, color=OURS, linewidths=0, label="real points")
    axes.scatter(*np.transpose(made), s=4, color=_MADE, linewidths=0, label=label)
    axes.set(aspect="equal", adjustable="datalim", xlabel="$x_1$", ylabel="$x_2$")
    axes.set_title(title, loc="left")
    axes.legend(**_ABOVE, ncols=2, markerscale=3)


def draw_sheet(figure, sheet, heading: str, left, top, width, most=math.inf, size=10):
    """Draws a sheet of images, `width` wide, or `most` high if that is less; returns its bottom.

    Places and sizes are shares of the figure.
    """
    pixels = figure.get_size_inches() * figure.dpi
    scale = min(width * pixels[0] / sheet.shape[1], most * pixels[1] / sheet.shape[0])
    width, height = scale * sheet.shape[1] / pixels[0], scale * sheet.shape[0] / pixels[1]
    axes = figure.add_axes((left, top - height, width, height))
    axes.imshow(sheet, cmap="gray", vmin=0, vmax=255, interpolation="nearest", aspect="auto")
    axes.set_axis_off()
    axes.set_title(heading, loc="left", fontsize=size)
    return top - height


def finish(axes, xlabel, ylabel):
    from matplotlib.ticker import MaxNLocator

    axes.set(xlabel=xlabel, ylabel=ylabel)
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    if xlabel == "epoch":
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
