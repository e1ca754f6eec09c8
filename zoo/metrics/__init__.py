"""Metrics of games with an encoder, each next to the baseline that gives it a meaning.

`evaluate` measures a game, `cheap` is the part of it for use during training, and `table` is the
text for a reader. The other functions work on plain arrays, without games. The images of
`compare_sets` are compared in the features of a `zoo.metrics.classifier`.
"""

from zoo.metrics import translation
from zoo.metrics.arrays import in_batches
from zoo.metrics.birthday import birthday_test
from zoo.metrics.bridges import bridge
from zoo.metrics.bridges import least_bridge
from zoo.metrics.bridges import mixture_bridge
from zoo.metrics.codes import code_statistics
from zoo.metrics.codes import mmd
from zoo.metrics.coverage import class_coverage
from zoo.metrics.coverage import class_kept
from zoo.metrics.distances import compare_sets
from zoo.metrics.distances import frechet_distance
from zoo.metrics.distances import kernel_distance
from zoo.metrics.evaluation import KEYS
from zoo.metrics.evaluation import cheap
from zoo.metrics.evaluation import evaluate
from zoo.metrics.information import image_information
from zoo.metrics.information import label_information
from zoo.metrics.laws import active_units
from zoo.metrics.laws import coordinate_tests
from zoo.metrics.laws import covariance_error
from zoo.metrics.manifolds import precision_recall
from zoo.metrics.modes import count_modes
from zoo.metrics.modes import count_stacked_modes
from zoo.metrics.neighbours import closest_pairs
from zoo.metrics.probes import chance_accuracy
from zoo.metrics.probes import logistic_accuracy
from zoo.metrics.probes import mlp_accuracy
from zoo.metrics.probes import nearest_neighbour_accuracy
from zoo.metrics.reconstruction import class_distances
from zoo.metrics.reconstruction import cycles
from zoo.metrics.reconstruction import linear_r2
from zoo.metrics.reconstruction import z_cycle
from zoo.metrics.samples import sample_variety
from zoo.metrics.sensitivity import lipschitz
from zoo.metrics.sensitivity import secants
from zoo.metrics.sensitivity import slopes
from zoo.metrics.sensitivity import stability
from zoo.metrics.sensitivity import summary
from zoo.metrics.tables import table

__all__ = [
    "KEYS",
    "active_units",
    "birthday_test",
    "bridge",
    "chance_accuracy",
    "cheap",
    "class_coverage",
    "class_distances",
    "class_kept",
    "closest_pairs",
    "code_statistics",
    "compare_sets",
    "coordinate_tests",
    "count_modes",
    "count_stacked_modes",
    "covariance_error",
    "cycles",
    "evaluate",
    "frechet_distance",
    "image_information",
    "in_batches",
    "kernel_distance",
    "label_information",
    "least_bridge",
    "linear_r2",
    "lipschitz",
    "logistic_accuracy",
    "mixture_bridge",
    "mlp_accuracy",
    "mmd",
    "nearest_neighbour_accuracy",
    "precision_recall",
    "sample_variety",
    "secants",
    "slopes",
    "stability",
    "summary",
    "table",
    "translation",
    "z_cycle",
]
