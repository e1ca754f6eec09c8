"""Noise in fixed pixels: the data distribution of the counterexample."""

import dataclasses
import math

import numpy as np


@dataclasses.dataclass(frozen=True)
class NoisedPixels:
    """Images some of whose pixels are overwritten by N(0, std²), which a model may copy.

    A method whose data are such sets `Game.noised`. Metrics then draw its data by `observe` and
    compare images on the pixels that are `clean` alone: copied noise is not reconstruction.

    Attributes:
        pixels: indices of the overwritten pixels into a flattened example.
        std: standard deviation of the noise, in units of pixels.
    """

    pixels: np.ndarray
    std: float

    def observe(self, x: np.ndarray, seed: int) -> np.ndarray:
        """x (n, *shape) with fresh noise, the same for the same seed; a copy."""
        # NumPy's generator: Keras' would give the very draws that `prior_codes` gives for the seed.
        noise = np.random.default_rng(seed).standard_normal((len(x), len(self.pixels)), "float32")
        return self.overwrite(x, noise)

    def overwrite(self, x: np.ndarray, noise: np.ndarray) -> np.ndarray:
        """x (n, *shape) with `noise` (n, pixels) of unit variance, times `std`; a copy."""
        # In the order of C, as `pixels` count; of another order, a reshape would be a copy.
        x = np.array(x, order="C")
        x.reshape(len(x), -1)[:, self.pixels] = np.float32(self.std) * noise
        return x

    def clean(self, shape: tuple) -> np.ndarray:
        """Which values of an example carry the image: bool, of `shape`."""
        kept = np.ones(math.prod(shape), bool)
        kept[self.pixels] = False
        return kept.reshape(shape)
