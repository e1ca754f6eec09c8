"""Picture of the circle experiment: lost points, their angles, and the encoder's slope there."""

import numpy as np

from zoo.datasets.circle import RADIUS
from zoo.plots.panels import COLOURS
from zoo.plots.pictures import blank

_E, _G, _OTHER = *COLOURS[:2], "0.8"


def write(path, measured: list) -> None:
    """Writes one column for d_z = 1 and one for d_z = 2, each of the first seed.

    Args:
        path: PNG file.
        measured: (figures, arrays) of each training, as from `trainers.circle.measuring.measure`.
    """
    figure = blank(13, 14.5, layout="constrained")
    figure.suptitle("A circle through a code of one and of two coordinates", fontsize=18)
    rows = figure.subplots(4, 2, height_ratios=(2.2, 1, 1, 1))
    most = max(seen["errors"].max() for _, seen in measured)
    for column, latent_dim in zip(rows.T, (1, 2), strict=True):
        runs = [run for run in measured if run[0]["latent_dim"] == latent_dim]
        colours = _draw_circle(column[0], *runs[0], most)
        _draw_errors(column[1], runs, most)
        _draw_codes(column[2], runs[0])
        _draw_slopes(column[3], runs[0][1])
    figure.colorbar(colours, ax=list(rows[0]), label="|x − G(E(x))|", pad=0.01, aspect=30)
    figure.savefig(path, format="png")


def _draw_circle(axes, figures, seen, most):
    order = np.argsort(seen["errors"])
    real, returned, errors = (seen[name][order] for name in ("x", "returned", "errors"))
    axes.plot(*np.append(seen["x"], seen["x"][:1], axis=0).T, color="0.6", linewidth=1.2)
    # The few points with a large error matter most: more of them are joined to their image.
    far = errors > RADIUS / 2
    for some, color, count in ((~far, "0.85", 120), (far, _G, 40)):
        some = np.flatnonzero(some)[:: max(1, int(some.sum()) // count)]
        for x, y in zip(real[some], returned[some], strict=True):
            axes.plot(*np.stack([x, y]).T, color=color, linewidth=0.6, alpha=0.7, zorder=1)
    points = axes.scatter(*returned.T, c=errors, s=9, cmap="plasma", vmin=0, vmax=most, zorder=3)
    if "pair_angle" in figures:
        x = RADIUS * np.array([np.cos(figures["pair_angle"]), np.sin(figures["pair_angle"])])
        axes.scatter(*np.stack([x, -x]).T, marker="*", s=260, color="black", zorder=4,
                     label="opposite points with one code")  # fmt: skip
        axes.legend(loc="upper right")
    axes.set(aspect="equal", xlim=(-1.5, 1.5), ylim=(-1.35, 1.5))
    axes.set(xlabel="$x_1$", ylabel="$x_2$")
    title = "a circle (grey) and its reconstruction (coloured)"
    axes.set_title(f"$d_z$ = {figures['latent_dim']}: {title}", loc="left")
    return points


def _draw_errors(axes, runs, most):
    for _, seen in runs[1:]:
        axes.plot(np.degrees(seen["angles"]), seen["errors"], color=_OTHER, linewidth=1)
    figures, seen = runs[0]
    axes.plot(np.degrees(seen["angles"]), seen["errors"], color=_E)
    bounded = "pair_angle" in figures
    axes.axhline(RADIUS, color="black", linestyle="--" if bounded else ":", linewidth=1)
    said = (
        "R: no continuous E keeps the maximum below" if bounded else "R, for comparison: no bound"
    )
    white = {"facecolor": "white", "edgecolor": "none", "pad": 1, "alpha": 0.85}
    axes.text(356, RADIUS * 1.06, said, fontsize=9, ha="right", bbox=white)
    axes.set(ylim=(0, 1.1 * most), ylabel="|x − G(E(x))|")
    others = " (grey: other seeds)" if len(runs) > 1 else ""
    title = f"error: maximum {figures['error_max']:.2f}, mean {figures['error_mean']:.3f}{others}"
    axes.set_title(title, loc="left")
    _finish(axes)


def _draw_codes(axes, run):
    figures, seen = run
    for number, values in enumerate(seen["codes"].T):
        axes.plot(np.degrees(seen["angles"]), values, color=(_E, _G)[number % 2],
                  label=f"$z_{number + 1}$")  # fmt: skip
    if "pair_angle" in figures:
        angle = np.degrees(figures["pair_angle"])
        level = np.interp(angle, np.degrees(seen["angles"]), seen["codes"][:, 0])
        axes.plot([angle, angle + 180], [level, level], color="black", marker="*", markersize=13,
                  linewidth=1, linestyle="--", label="E(x) = E(−x)")  # fmt: skip
    low, high = axes.get_ylim()
    axes.set_ylim(low, high + 0.3 * (high - low))
    axes.set_title("code E(x)", loc="left")
    axes.legend(loc="upper right", fontsize=9, ncols=2)
    _finish(axes)


def _draw_slopes(axes, seen):
    degrees = np.degrees(seen["angles"])
    axes.plot(degrees, seen["slopes"], color=_E, label="E, along the circle at x")
    axes.plot(degrees, seen["decoder_slopes"], color=_G, label="G, at the code E(x)")
    axes.set_yscale("log")
    axes.set_ylim(0.03, 300)
    axes.set_title("slopes (log scale)", loc="left")
    axes.set_xlabel("angle of x, degrees")
    axes.legend(loc="upper right", fontsize=9)
    _finish(axes)


def _finish(axes):
    axes.set(xlim=(0, 360), xticks=range(0, 361, 45))
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
