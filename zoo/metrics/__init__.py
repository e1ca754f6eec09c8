"""Yardsticks for games with an encoder, each next to the baseline that gives it a meaning.

`evaluate` measures a game, `cheap` is the part of it for use during training, and `table` is what
a person reads. The other functions work on plain arrays and know nothing of games.
"""

from zoo.metrics.codes import code_statistics
from zoo.metrics.codes import mmd
from zoo.metrics.evaluation import KEYS
from zoo.metrics.evaluation import cheap
from zoo.metrics.evaluation import evaluate
from zoo.metrics.evaluation import in_batches
from zoo.metrics.modes import count_modes
from zoo.metrics.probes import logistic_accuracy
from zoo.metrics.probes import nearest_neighbour_accuracy
from zoo.metrics.reconstruction import cycles
from zoo.metrics.reconstruction import z_cycle
from zoo.metrics.tables import table

__all__ = [
    "KEYS",
    "cheap",
    "code_statistics",
    "count_modes",
    "cycles",
    "evaluate",
    "in_batches",
    "logistic_accuracy",
    "mmd",
    "nearest_neighbour_accuracy",
    "table",
    "z_cycle",
]
