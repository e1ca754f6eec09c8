"""The changes that storage in half precision makes."""

import numpy as np

from zoo.presets import figures

# How far storage may move the ratio of a cycle error, as a share of it.
ROUNDING = 0.01


def measured(game, stored, data) -> dict:
    """The change by storage of samples, and of the ratios of cycle errors.

    Args:
        game, stored: before, and after.
        data: a `zoo.datasets.Dataset`, whose test examples are used.

    Returns:
        `samples` → mean absolute difference of pixels in [-1, 1]; the key of a ratio → it before
        and after.

    Raises:
        ValueError: a ratio moved by more than `ROUNDING`.
    """
    if data.other is not None:
        return _unmoved(game, stored, data, "cycle_ab_ratio", "cycle_ba_ratio")
    found = _moved(game, stored)
    if stored.has_encoder:
        found |= _unmoved(game, stored, data, "x_cycle_ratio")
    return found


def _moved(before, after, n=500):
    """Mean absolute difference of the pixels of n samples, in [-1, 1]."""
    from keras import ops

    z = before.prior_codes(n, 0)
    pictures = [ops.convert_to_numpy(game.decode(z)) for game in (before, after)]
    return {"samples": float(np.abs(pictures[0] - pictures[1]).mean())}


def _unmoved(game, stored, data, *keys):
    from zoo import metrics

    limits = {"test_limit": len(data.test), "probes": False, "baselines": False}
    figures_of = [metrics.evaluate(one, data, figures.SEED, **limits) for one in (game, stored)]
    found = {key: [one[key] for one in figures_of] for key in keys}
    for key, (before, after) in found.items():
        # Written so that NaN does not pass.
        if not abs(after - before) <= ROUNDING * before:
            raise ValueError(
                f"storing moved {key} from {before:.4f} to {after:.4f}, by more than "
                f"{ROUNDING:.0%}; give --precision=float32"
            )
    return found
