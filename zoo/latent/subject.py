"""A model together with its training data, for the pictures of the command."""

import functools
import sys

import numpy as np

from zoo import datasets
from zoo import models
from zoo.latent.arrays import checked_examples
from zoo.latent.arrays import encoded


class Subject:
    """A model, and examples in its range.

    Args:
        path: for `zoo.models.load`.
        dataset: as for `zoo.models.data_of`.
        limit: number of test examples, at most; five times as many make the library.
        seed: seed of every choice and draw.

    Attributes:
        model: the `zoo.models.Model`.
        data: the `Dataset`.
        trained_on: its name, with the split if that is not all of the training images.
        train: float32 (m, *shape): up to 5 · `limit` training examples, chosen at random.
        train_labels: (m,).
        test: float32 (n, *shape), chosen in the same way.
        labels: (n,), of `test`.

    Raises:
        ValueError: there is no such model or data set, or they do not fit, or have no images.
    """

    def __init__(self, path: str, dataset: str, limit: int, seed: int):
        self.model, self.seed = models.load(path), seed
        self.data = models.data_of(path, dataset)
        split = "" if dataset else models.trained_on(path).get("train_split", "train")
        self.trained_on = self.data.name if split in ("", "train") else f"{self.data.name} {split}"
        if len(self.data.shape) != 3:
            raise ValueError(f"{self.data.name} holds points; pictures need images")
        rng = np.random.default_rng(seed)
        self.train, self.train_labels = self._some(
            self.data.train, self.data.train_labels, 5 * limit, rng, seed + 1
        )
        self.test, self.labels = self._some(self.data.test, self.data.test_labels, limit, rng, seed)

    def _some(self, images, labels, limit, rng, seed):
        chosen = np.sort(rng.permutation(len(images))[:limit])
        return self.seen(images[chosen], seed), labels[chosen]

    def seen(self, images: np.ndarray, seed: int) -> np.ndarray:
        """uint8 images as inputs of the model, under noise of `seed` if its data have noise.

        Raises:
            ValueError: the model takes other images.
        """
        x = checked_examples(self.model, datasets.scale(images))
        return np.asarray(self.model.observed(x, seed))

    def rng(self) -> np.random.Generator:
        """A fresh generator, so that one picture does not depend on the others."""
        return np.random.default_rng(self.seed)

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes."""
        return self.data.classes

    @functools.cached_property
    def train_codes(self) -> np.ndarray:
        """(m, d)."""
        print(f"encoding {len(self.train):,} images", file=sys.stderr, flush=True)
        return encoded(self.model, self.train)

    @functools.cached_property
    def codes(self) -> np.ndarray:
        """(n, d), of `test`."""
        return encoded(self.model, self.test)

    def one_of_each(self, count: int) -> np.ndarray:
        """Indices into `test` of `count` examples of different classes, as far as they exist."""
        order = self.rng().permutation(len(self.test))
        _, first = np.unique(self.labels[order], return_index=True)
        rest = np.setdiff1d(np.arange(len(order)), first)
        return order[np.concatenate([self.rng().permutation(first), rest])][:count]
