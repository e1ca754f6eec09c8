"""The panels of a run's report that show numbers: losses, cycle ratios, codes."""

from collections.abc import Mapping
from collections.abc import Sequence

import numpy as np

from zoo.metrics.evaluation import KEYS

# One value per epoch and name; None where an epoch was not measured.
History = Mapping[str, Sequence[float | None]]
_OURS = "#3b6ea5"


def measured(values: Sequence[float | None]) -> tuple[np.ndarray, np.ndarray]:
    """(epochs counted from 1, values) without the epochs that have none."""
    values = np.array([np.nan if value is None else value for value in values], dtype=float)
    known = np.flatnonzero(np.isfinite(values))
    return known + 1, values[known]


def draw_losses(axes, history: History) -> None:
    """Draws one curve per loss; keys of `zoo.metrics.evaluate` and the sum "loss" are no losses."""
    losses = {name: measured(history[name]) for name in history if name not in KEYS}
    if len(losses) > 1:
        losses.pop("loss", None)
    for name, (epochs, values) in losses.items():
        axes.plot(epochs, values, label=name, marker="o", markersize=3)
    found = np.concatenate([values for _, values in losses.values()] or [np.zeros(0)])
    if len(found) and found.min() > 0 and found.max() > 30 * found.min():
        axes.set_yscale("log")
    axes.set_title("loss of each player", loc="left")
    _finish(axes, "epoch", "loss")
    if losses:
        axes.legend(loc="best")


def draw_ratios(axes, epochs: np.ndarray, ratios: np.ndarray) -> None:
    """Draws the x-cycle ratio over the epochs where it was measured."""
    axes.axhline(1, color="grey", linestyle="--", linewidth=1, label="nothing recovered")
    axes.plot(epochs, ratios, color=_OURS, marker="o", markersize=4, label="test examples")
    axes.set_ylim(0, max(1.35, 1.1 * ratios.max()))
    axes.set_title("x-cycle ratio", loc="left")
    _finish(axes, "epoch", "error / error to another")
    axes.legend(loc="best", fontsize=8)


def draw_codes(axes, codes: np.ndarray, prior: np.ndarray | None) -> None:
    """Draws the histogram of all coordinates of codes (n, d) over that of prior draws (m, d)."""
    axes.set_title("codes, all coordinates", loc="left")
    laws = [] if prior is None else [(np.ravel(prior), "prior", "0.75")]
    laws += [(np.ravel(codes), "test examples", _OURS)]
    # The picture of a run that diverged has to be drawn too.
    laws = [(values[np.isfinite(values)], *style) for values, *style in laws]
    laws = [law for law in laws if len(law[0])]
    if not laws:
        return
    low, high = np.quantile(np.concatenate([law[0] for law in laws]), (0.001, 0.999))
    edges = np.linspace(low, max(high, low + 1e-3), 60)
    for values, label, color in laws:
        kind = "stepfilled" if label == "prior" else "step"
        axes.hist(values, edges, density=True, histtype=kind, color=color, label=label)
    _finish(axes, "value of a coordinate", "density")
    axes.set_ylim(0, 1.45 * axes.get_ylim()[1])
    axes.legend(loc="upper right", fontsize=8)


def _finish(axes, xlabel, ylabel):
    from matplotlib.ticker import MaxNLocator

    axes.set(xlabel=xlabel, ylabel=ylabel)
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    if xlabel == "epoch":
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
