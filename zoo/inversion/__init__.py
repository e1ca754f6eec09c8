"""Inversion of a trained generator by optimisation: codes of images without an encoder.

`python -m zoo.inversion MODEL` measures it. Importing this package imports no TensorFlow.
"""

from zoo.inversion.multi_code import MultiCode
from zoo.inversion.multi_code import Restored
from zoo.inversion.multi_code import restore
from zoo.inversion.searching import Found
from zoo.inversion.searching import search

__all__ = ["Found", "MultiCode", "Restored", "restore", "search"]
