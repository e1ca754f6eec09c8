"""Image sets and points in the plane, in memory or mapped from disk, and their training batches.

`load` gives a `Dataset` of uint8 images (or float32 points), `batches` streams it as float32
batches in [-1, 1]. Importing this package imports neither TensorFlow, Keras nor TFDS.
"""

from zoo.datasets.base import Dataset
from zoo.datasets.batches import batches
from zoo.datasets.mixtures import MIXTURES
from zoo.datasets.pixels import scale
from zoo.datasets.pixels import unscale
from zoo.datasets.registry import KINDS
from zoo.datasets.registry import LOCAL
from zoo.datasets.registry import POINTS
from zoo.datasets.registry import holds_points
from zoo.datasets.registry import load

__all__ = [
    "KINDS",
    "LOCAL",
    "MIXTURES",
    "POINTS",
    "Dataset",
    "batches",
    "holds_points",
    "load",
    "scale",
    "unscale",
]
