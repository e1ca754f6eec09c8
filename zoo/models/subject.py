"""`Subject`: a model with examples of its data, for audits and for pictures of its codes."""

import functools

import numpy as np

from zoo.models.data import check_shape
from zoo.models.model import Model


class Subject:
    """A model, examples as it takes them, and samples.

    Args:
        model: a `zoo.models.Model`.
        data: a `zoo.datasets.Dataset` of its shape.
        rows: "train" and "test" → indices of the examples.
        seed: seed of every draw, and of later choices.
        samples, spare: number of samples, and of further draws from the prior.

    Attributes:
        clean, x: "train" and "test" → (n, *shape) in [-1, 1], without and with the noise that the
            data of the model may have.
        labels: "train" and "test" → (n,).
        z, samples: draws from the prior (samples, d), and G(z).
        spare: further draws, used for nothing else.

    Raises:
        ValueError: the model takes examples of another shape.
    """

    def __init__(self, model: Model, data, rows: dict, seed: int, samples: int = 0, spare: int = 0):
        from zoo import datasets
        from zoo.metrics import in_batches

        check_shape(model.name, model.shape, data)
        self.model, self.data, self.seed = model, data, seed
        self.clean = {s: datasets.scale(getattr(data, s)[some]) for s, some in rows.items()}
        self.x = {s: self.seen(x, seed + i) for i, (s, x) in enumerate(self.clean.items())}
        self.labels = {s: getattr(data, f"{s}_labels")[some] for s, some in rows.items()}
        if samples:
            # One call for all draws: two calls with neighbouring seeds need not be independent.
            self.z, self.spare = np.split(model.prior(samples + spare, seed), [samples])
            self.samples = in_batches(model.decode, self.z)

    def seen(self, x: np.ndarray, seed: int) -> np.ndarray:
        """Images in [-1, 1] under noise of `seed`, if the data of the model have noise."""
        return np.asarray(self.model.observed(x, seed))

    @functools.cached_property
    def codes(self) -> dict:
        """Codes (n, d) of `x`, by "train" and "test"; {} without an encoder."""
        from zoo.metrics import in_batches

        encode = self.model.encode
        return {s: in_batches(encode, x) for s, x in self.x.items()} if encode else {}

    @property
    def labelled(self) -> bool:
        """Whether the data have labels of two classes or more."""
        return len(np.unique(self.data.train_labels)) > 1

    @functools.cached_property
    def space(self):
        """The shipped classifier in whose features images are compared, or None."""
        from zoo.metrics import classifier

        return classifier.of(self.data.name, self.data.shape)

    def rng(self) -> np.random.Generator:
        """A fresh generator, so that one picture does not depend on the others."""
        return np.random.default_rng(self.seed)

    def one_of_each(self, count: int) -> np.ndarray:
        """`count` of the test examples, of different classes as far as they exist: indices."""
        labels = self.labels["test"]
        order = self.rng().permutation(len(labels))
        _, first = np.unique(labels[order], return_index=True)
        rest = np.setdiff1d(np.arange(len(order)), first)
        return order[np.concatenate([self.rng().permutation(first), rest])][:count]
