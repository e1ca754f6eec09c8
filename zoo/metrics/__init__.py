"""Yardsticks for games with an encoder, each next to the baseline that gives it a meaning.

`evaluate` measures a game, `cheap` is the part of it for use during training, and `table` is what
a person reads. The other functions work on plain arrays and know nothing of games.
"""

from zoo.metrics.bridges import bridge
from zoo.metrics.bridges import least_bridge
from zoo.metrics.bridges import mixture_bridge
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
from zoo.metrics.sensitivity import lipschitz
from zoo.metrics.sensitivity import secants
from zoo.metrics.sensitivity import slopes
from zoo.metrics.sensitivity import stability
from zoo.metrics.sensitivity import summary
from zoo.metrics.tables import table

__all__ = [
    "KEYS",
    "bridge",
    "cheap",
    "code_statistics",
    "count_modes",
    "cycles",
    "evaluate",
    "in_batches",
    "least_bridge",
    "lipschitz",
    "logistic_accuracy",
    "mixture_bridge",
    "mmd",
    "nearest_neighbour_accuracy",
    "secants",
    "slopes",
    "stability",
    "summary",
    "table",
    "z_cycle",
]
