"""Tools for the codes of a trained model: each takes a game, a `zoo.models.Model`, or a path.

`python -m zoo.latent MODEL` draws their results. Importing this package imports no TensorFlow.
"""

from zoo.latent.anomaly import anomaly_scores
from zoo.latent.anomaly import auroc
from zoo.latent.anomaly import baseline_scores
from zoo.latent.anomaly import detect
from zoo.latent.directions import arithmetic
from zoo.latent.directions import attribute_vector
from zoo.latent.directions import class_vector
from zoo.latent.directions import edit
from zoo.latent.directions import mean_code
from zoo.latent.library import label_agreement
from zoo.latent.library import nearest
from zoo.latent.library import neighbours
from zoo.latent.paths import interpolate
from zoo.latent.paths import lerp
from zoo.latent.paths import path
from zoo.latent.paths import slerp
from zoo.latent.paths import spread
from zoo.latent.paths import traverse

__all__ = [
    "anomaly_scores",
    "arithmetic",
    "attribute_vector",
    "auroc",
    "baseline_scores",
    "class_vector",
    "detect",
    "edit",
    "interpolate",
    "label_agreement",
    "lerp",
    "mean_code",
    "nearest",
    "neighbours",
    "path",
    "slerp",
    "spread",
    "traverse",
]
