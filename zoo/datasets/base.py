"""The `Dataset` record, and the two ways a set is divided: by slice and 1 in 10."""

import dataclasses
import re

import numpy as np

_SPLIT = re.compile(r"(train|test)(?:\[(-?\d+)?:(-?\d+)?\])?")


@dataclasses.dataclass(frozen=True, eq=False)
class Dataset:
    """A data set held in memory.

    Attributes:
      name: as given to `load`.
      train: uint8 images (n, h, w, c), or float32 points (n, 2) of the plane.
      test: likewise.
      train_labels: int64 (n,), indices into `classes`; all zeros where the set has no labels.
      test_labels: likewise.
      classes: class names; one entry where there are no labels.
      source: one sentence of provenance, with the licence if known.
    """

    name: str
    train: np.ndarray
    test: np.ndarray
    train_labels: np.ndarray
    test_labels: np.ndarray
    classes: tuple[str, ...]
    source: str

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one example: (h, w, c), or (2,)."""
        return tuple(self.train.shape[1:])

    def sliced(self, train_split: str, test_split: str) -> "Dataset":
        """The same set with `train` and `test` chosen by split expressions.

        Args:
          train_split: `train` or `test`, optionally with a slice such as `[:500]` or `[500:]`.
          test_split: likewise.

        Raises:
          ValueError: an expression is malformed, out of range or selects nothing.
        """
        train, train_labels = self._select(train_split)
        test, test_labels = self._select(test_split)
        return dataclasses.replace(
            self, train=train, train_labels=train_labels, test=test, test_labels=test_labels
        )

    def _select(self, split: str) -> tuple[np.ndarray, np.ndarray]:
        match = _SPLIT.fullmatch(split.replace(" ", ""))
        if not match:
            raise ValueError(
                f"split {split!r} of {self.name}: allowed are train and test, "
                "with a slice of whole numbers if wanted, as in train[:500]"
            )
        whole, start, stop = match.groups()
        x, y = (
            (self.train, self.train_labels) if whole == "train" else (self.test, self.test_labels)
        )
        bounds = [int(bound) for bound in (start, stop) if bound]
        if any(abs(bound) > len(x) for bound in bounds):
            raise ValueError(f"split {split!r}: {whole} of {self.name} has {len(x)} examples")
        part = slice(int(start) if start else None, int(stop) if stop else None)
        if not len(x[part]):
            raise ValueError(
                f"split {split!r} of {self.name} selects none of its {len(x)} examples"
            )
        return x[part], y[part]


def one_in_ten(labels: np.ndarray) -> np.ndarray:
    """Marks the test examples of a set that comes undivided: 1 in 10 of each class.

    Within each class, in the order given, every tenth example is for testing; of a class of 2 to 9
    examples, the last one.

    Args:
      labels: (n,) integers.

    Returns:
      bool (n,), True for test.
    """
    test = np.zeros(len(labels), bool)
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        if len(members) >= 2:
            test[members[9::10] if len(members) >= 10 else members[-1:]] = True
    return test
