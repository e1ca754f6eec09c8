"""The `Dataset` record, and the two ways a set is divided: by slice and 1 in 10."""

import dataclasses
import re
from typing import Any

import numpy as np

from zoo.datasets.maps import MAPS

_MAPPED = re.compile(rf"\[({'|'.join(MAPS)})\]")
_SPLIT = re.compile(r"(train|test)(?:\[(-?\d+)?:(-?\d+)?\])?")


@dataclasses.dataclass(frozen=True, eq=False)
class Dataset:
    """A data set, in memory or mapped from files of `zoo.datasets.cache`.

    Attributes:
      name: as given to `load`.
      train: uint8 images (n, h, w, c), or float32 points (n, 2) of the plane.
      test: the same for testing.
      train_labels: int64 (n,), indices into `classes`; all zeros if the set has no labels.
      test_labels: the same for testing.
      classes: class names; one entry if there are no labels.
      source: one sentence of provenance, with the licence if known.
      other: the second set of a method of two domains, or None.
      origin: identifies the set before the maps, however its name is spelled; `name` without the
        maps if it is not given.
    """

    name: str
    train: np.ndarray
    test: np.ndarray
    train_labels: np.ndarray
    test_labels: np.ndarray
    classes: tuple[str, ...]
    source: str
    other: "Dataset | None" = None
    origin: str = ""

    def __post_init__(self):
        if not self.origin:
            object.__setattr__(self, "origin", _MAPPED.sub("", self.name))

    def parts(self, inputs: tuple) -> Any:
        """The training arrays that the `inputs` of a game name, for `zoo.datasets.batches`.

        Args:
          inputs: as `zoo.game.Game.inputs`; "x" and "a" are the images, "y" their labels, "b" the
            images of the other set; "z" is not data and is left out. If there is another set,
            a method that takes labels gets both sets as "x", and as "y" the number of the set, 0 or
            1.

        Returns:
          One array, or a tuple of them.

        Raises:
          ValueError: there are no labels, or no other set, or another set that no input names.
        """
        if "y" in inputs and self.other is not None:
            labels = np.repeat([0, 1], [len(self.train), len(self.other.train)])
            joined = {"x": np.concatenate([self.train, self.other.train]), "y": labels}
            return tuple(joined[name] for name in inputs if name != "z")
        if "y" in inputs and len(self.classes) < 2:
            raise ValueError(f"{self.name} has no labels, and this method needs them")
        if "b" in inputs and self.other is None:
            raise ValueError("this method needs a second data set; name it with --dataset_b")
        if "b" not in inputs and self.other is not None:
            raise ValueError(f"this method takes one data set; got {self.other.name} as a second")
        arrays = {"x": self.train, "a": self.train, "y": self.train_labels}
        if self.other is not None:
            arrays["b"] = self.other.train
        found = tuple(arrays[name] for name in inputs if name != "z")
        return found if len(found) > 1 else found[0]

    def paired(self, other: "Dataset") -> "Dataset":
        """The same set with `other` as its second domain.

        Of two sets of one origin, this one keeps the training examples with even numbers and
        `other` those with odd ones, so that no image is in both; test examples stay in pairs.

        Raises:
          ValueError: examples of the two have different shapes.
        """
        if other.shape != self.shape:
            raise ValueError(
                f"two domains must have examples of one shape; got {self.shape} of {self.name} and "
                f"{other.shape} of {other.name} (--image_size resizes both)"
            )
        if self.origin != other.origin:
            return dataclasses.replace(self, other=other)
        return dataclasses.replace(self._every_second(0), other=other._every_second(1))

    @property
    def conditions(self) -> tuple[str, ...]:
        """Names for the labels of `parts`: the classes, or the names of the two sets."""
        return self.classes if self.other is None else (self.name, self.other.name)

    @property
    def maps(self) -> tuple[str, ...]:
        """The names of the maps that made the images, the first one first."""
        return tuple(_MAPPED.findall(self.name))

    @property
    def truth_known(self) -> bool:
        """Whether test example i of `other` is the true translation of test example i."""
        return self.other is not None and self.origin == self.other.origin

    def mapped(self, name: str) -> "Dataset":
        """The set whose images one of `zoo.datasets.maps.MAPS` makes of these.

        Raises:
          ValueError: there is no such map, or the examples are no images that it takes.
        """
        if name not in MAPS:
            raise ValueError(
                f"map of {self.name} must be one of {', '.join(MAPS)}, or class=C; got {name!r}"
            )
        height, width = (*self.shape, 0)[:2]
        if len(self.shape) != 3 or name == "rotate" and height != width:
            kind = "square images" if name == "rotate" else "images"
            raise ValueError(f"{name} takes {kind}; examples of {self.name} are {self.shape}")
        return dataclasses.replace(
            self,
            name=f"{self.name}[{name}]",
            train=MAPS[name](self.train),
            test=MAPS[name](self.test),
        )

    def _every_second(self, first):
        half = slice(first, None, 2)
        return dataclasses.replace(
            self, train=self.train[half], train_labels=self.train_labels[half]
        )

    def of_class(self, name: str) -> "Dataset":
        """The examples of one class, given by its name or its number; the classes are kept.

        A name is looked for as it is, then in small letters, and then as a number.

        Raises:
          ValueError: there is no such class, or `train` or `test` has no example of it.
        """
        number = _class_number(self.classes, name)
        if number is None:
            raise ValueError(
                f"class of {self.name} must be one of {', '.join(self.classes)}, or a number "
                f"from 0 to {len(self.classes) - 1}; got {name!r}"
            )
        train, test = self.train_labels == number, self.test_labels == number
        for part, chosen in (("training", train), ("test", test)):
            if len(chosen) and not chosen.any():
                raise ValueError(
                    f"class of {self.name} must be in its splits; got {name!r}, which none of the "
                    f"{len(chosen)} {part} examples has"
                )
        return dataclasses.replace(
            self,
            name=f"{self.name}[class={name}]",
            origin=f"{self.origin}[class={number}]",
            train=self.train[train],
            test=self.test[test],
            train_labels=self.train_labels[train],
            test_labels=self.test_labels[test],
        )

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one example: (h, w, c), or (2,)."""
        return tuple(self.train.shape[1:])

    def sliced(self, train_split: str, test_split: str) -> "Dataset":
        """The same set with `train` and `test` chosen by split expressions.

        Args:
          train_split: `train` or `test`, optionally with a slice such as `[:500]` or `[500:]`.
          test_split: the same for `test`.

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
                f"split of {self.name} must be train or test, with a slice of whole numbers if "
                f"wanted, as in train[:500]; got {split!r}"
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


def _class_number(classes: tuple[str, ...], name: str) -> int | None:
    small = [label.lower() for label in classes]
    numbers = [str(number) for number in range(len(classes))]
    for names, wanted in ((classes, name), (small, name.lower()), (numbers, name)):
        if names.count(wanted) == 1:
            return names.index(wanted)
    return None


def one_in_ten(labels: np.ndarray) -> np.ndarray:
    """Marks the test examples of a set without splits: 1 in 10 of each class.

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
