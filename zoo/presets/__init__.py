"""Presets: trained games that ship with the package, each with a card of measured figures.

A preset is a directory:

    weights.npz     every network of the game, also those that only training needs
    config.json     method, constructor arguments, sha256 of the weights, how it was trained
    metrics.json    the figures of `zoo.metrics.evaluate` for these weights
    audit.json      those of `zoo.audit.audit`
    card.png        test images above their reconstructions, and samples
    card.md         all of this for a person, written from the files above and never by hand
    LICENSE.txt     of the stored images, if the weights are images

`registry.json` lists the presets of the package, with the checksums that `zoo.load` insists on:
that of config.json covers the weights too, for it holds theirs.
`python -m zoo.presets` makes one of a run directory; `zoo.save_preset` writes the first two files
for any game. Importing this package imports neither TensorFlow nor Keras.
"""

from zoo.presets.registry import Preset
from zoo.presets.registry import directory_of
from zoo.presets.registry import find
from zoo.presets.registry import list_presets
from zoo.presets.registry import resolve
from zoo.presets.registry import table

__all__ = ["Preset", "directory_of", "find", "list_presets", "resolve", "table"]
