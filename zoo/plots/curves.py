"""The picture of `python -m zoo.inversion`: error over steps and over time."""

from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from zoo.plots.panels import finish
from zoo.plots.pictures import blank


def draw(path: str | Path, title: str, rows: Mapping[str, tuple[Sequence[float], float]]) -> None:
    """Writes two panels of one line for each way to codes: error over steps, and over time.

    Args:
      path: PNG file to write; its folder is made if missing.
      title: of the picture.
      rows: name -> (errors above 0 after 0, 1, ... steps, milliseconds an image of all steps). A
        way of one error, which takes no steps, is a point.
    """
    figure = blank(13, 5, layout="constrained")
    figure.suptitle(title, x=0.01, ha="left", fontsize=15)
    steps, time = (figure.add_subplot(1, 2, place) for place in (1, 2))
    for name, (errors, ms) in rows.items():
        count = len(errors) - 1
        marker = "" if count else "o"
        steps.plot(np.arange(count + 1), errors, label=name, marker=marker)
        # A start at the encoder's codes is not at 0: it takes the time of the encoder, which is
        # not known apart from that of the steps, and is small.
        shares = np.arange(1, count + 2) / (count + 1)
        time.plot(ms * shares, errors, label=name, marker=marker)
    for axes, label in ((steps, "steps"), (time, "ms an image")):
        axes.set_yscale("log")
        finish(axes, label, "mean squared error of the best so far")
    steps.legend(frameon=False)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, format="png")
