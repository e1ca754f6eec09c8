"""Learning-rate plans, on numbers computed beside them."""

import keras
import numpy as np
import pytest

from zoo.training.optimizers import HoldThenDecay


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (0, 2e-4),
        (100, 2e-4),
        (125, 2e-4 * 0.1),
        (112.5, 2e-4 * np.sqrt(0.1)),
        (150, 2e-6),
        (10_000, 2e-6),
    ],
)
def test_a_rate_is_held_then_falls_to_one_percent(step, expected):
    plan = HoldThenDecay(2e-4, hold_steps=100, decay_steps=50)
    assert float(plan(step)) == pytest.approx(expected, rel=1e-5)
    again = keras.optimizers.schedules.deserialize(keras.optimizers.schedules.serialize(plan))
    assert float(again(step)) == float(plan(step))
