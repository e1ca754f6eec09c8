"""Trained games and SavedModels behind one interface, `Model`, and records of their training."""

from zoo.models.data import DATASET_FLAG
from zoo.models.data import DEFAULT
from zoo.models.data import check_shape
from zoo.models.data import data_of
from zoo.models.data import trained_on
from zoo.models.data import weights_of
from zoo.models.loading import check_exists
from zoo.models.loading import load
from zoo.models.loading import load_each
from zoo.models.loading import of
from zoo.models.model import Model
from zoo.models.model import inverted
from zoo.models.model import method_of
from zoo.models.model import of_game
from zoo.models.subject import Subject

__all__ = [
    "DATASET_FLAG",
    "DEFAULT",
    "Model",
    "Subject",
    "check_exists",
    "check_shape",
    "data_of",
    "inverted",
    "load",
    "load_each",
    "method_of",
    "of",
    "of_game",
    "trained_on",
    "weights_of",
]
