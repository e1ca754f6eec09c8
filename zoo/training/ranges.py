"""Images of another shape or scale, and labels out of range, are refused before a game learns.

Points have no range, and neither has an image of a method whose `image_range` is None.
"""

import keras
import numpy as np
from keras import ops

# Noise on images may leave [-1, 1]; images of another scale exceed these limits, too.
LIMIT = 2

# Number of examples of an array to check.
FIRST = 256


def check_dtype(game, name: str, x) -> None:
    """Raises ValueError if x, the part `name` of a batch, holds images of whole numbers.

    A dtype is known while a step is traced, so a compiled step does not run this.
    """
    if name == "y" or not _has_range(game) or not hasattr(x, "dtype"):
        return
    dtype = keras.backend.standardize_dtype(getattr(x.dtype, "name", x.dtype))
    if not dtype.startswith(("float", "bfloat")):
        raise ValueError(_remedy(game, name, f"are of dtype {dtype}"))


def check_array(game, name: str, x) -> None:
    """Raises ValueError if x, the part `name` of a batch, is a list of examples.

    Keras would take each for an input of its own, and batches from the rows of all.
    """
    if isinstance(x, (list, tuple)):
        raise ValueError(
            f"examples {name} of {type(game).__name__} must be one array; got a {type(x).__name__} "
            f"of {len(x)}: give np.stack({name})"
        )


def check_shape(game, name: str, x) -> None:
    """Raises ValueError if x, the part `name` of a batch, holds examples of another shape.

    Keras would add a channel that is missing, and losses would then compare each image with all.
    """
    shape = getattr(x, "shape", None)
    if name not in ("x", "a", "b") or shape is None or getattr(shape, "rank", 0) is None:
        return
    shape = tuple(shape)[1:]
    if len(shape) == len(game.image_shape) and all(
        side in (None, own) for side, own in zip(shape, game.image_shape)
    ):
        return
    hint = f"; give {name}[..., None]" if (*shape, 1) == game.image_shape else ""
    if tuple(x.shape) == game.image_shape:
        hint = f"; give {name}[None] for a single one"
    raise ValueError(
        f"examples {name} of {type(game).__name__} must be of shape {game.image_shape}; "
        f"got {shape}{hint}"
    )


def labels(game, y):
    """Labels (n,) of labels (n,) or (n, 1).

    The loss of a column of labels would compare each image with the labels of all.

    Raises:
        ValueError: y has another shape.
    """
    shape = tuple(y.shape)
    if shape[1:] not in ((), (1,)) or not shape:
        raise ValueError(
            f"labels y of {type(game).__name__} must be whole numbers of shape (n,); got {shape}"
        )
    return ops.reshape(y, (-1,))


def check(game, x, name: str = "x") -> None:
    """`check_dtype`, and the same for values far outside [-1, 1] if they can be read.

    For labels, whether they are from 0 to `game.classes` - 1, if the game has a number of classes.
    """
    check_dtype(game, name, x)
    highest = getattr(game, "classes", np.inf) - 1
    # Placeholders of a graph that is being traced have no values.
    there = isinstance(x, np.ndarray) or type(x).__name__ in ("EagerTensor", "ArrayImpl")
    if not there or not np.prod(x.shape) or not (name == "y" or _has_range(game)):
        return
    low, high = float(ops.min(x)), float(ops.max(x))
    if name == "y":
        whole = bool(ops.all(ops.equal(x, ops.floor(ops.cast(x, "float32")))))
        if not whole or low < 0 or high > highest:
            raise ValueError(
                f"labels y of {type(game).__name__} must be whole numbers from 0 to {highest}, one "
                f"of its {game.classes} classes; got {low:g} to {high:g}"
            )
    if name != "y" and (low < -LIMIT or high > LIMIT):
        raise ValueError(_remedy(game, name, f"go from {low:.4g} to {high:.4g}"))


def check_first(game, data) -> None:
    """`check` of the first examples, and of all labels, for `fit`, if reading has no side effect.

    A tf.data.Dataset is read if it has an end; otherwise its dtypes are checked. Of a generator,
    the first training step checks the dtypes.
    """
    parts = data if isinstance(data, tuple) else (data,)
    names = [name for name in game.inputs if name != "z"]
    for name, part in zip(names, parts):
        check_array(game, name, part)
    if not _has_range(game) and "y" not in game.inputs:
        return
    if hasattr(data, "element_spec"):
        data = _first(data)
    parts = data if isinstance(data, tuple) else (data,)
    for name, part in zip(names, parts):
        if hasattr(part, "dtype") and hasattr(part, "shape"):
            first = isinstance(part, np.ndarray) and name != "y"
            check(game, part[:FIRST] if first else part, name)


def _first(stream):
    if hasattr(stream, "cardinality") and int(stream.cardinality()) > 0:
        return next(iter(stream), stream.element_spec)
    return stream.element_spec


def _has_range(game):
    return len(game.image_shape) == 3 and game.image_range is not None


def _remedy(game, name, found):
    return (
        f"the pixels of {name} {found}; {type(game).__name__} takes floats in [-1, 1]: pass "
        f"zoo.datasets.scale({name}), with {name} of dtype uint8 in 0 to 255"
    )
