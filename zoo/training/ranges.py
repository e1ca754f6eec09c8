"""Images of another shape or scale, and labels out of range, are refused before a game learns.

Points have no range, and neither has an image of a method whose `image_range` is None.
"""

import warnings

import keras
import numpy as np
from keras import ops

# Noise on images may leave [-1, 1]; images of 0 to 255 exceed these limits, too.
LIMIT = 2

# So many images without a negative pixel are probably in [0, 1]; a few bright ones may have none.
SEVERAL = 16

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


def check_parts(game, names: list, parts) -> None:
    """Raises ValueError if a batch is a dict, has weights of examples, or parts that are lists."""
    whose, most = f"a batch of {type(game).__name__}", max(2, len(names))
    if isinstance(parts[0], dict):
        raise ValueError(
            f"{whose} must be an array or a tuple; got a dict of {', '.join(parts[0])}: map it to "
            f"({', '.join(names)})"
        )
    if any(part is not None for part in parts[most:]):
        raise ValueError(
            f"{whose} must have at most {most} parts; got {len(parts)}: losses of games take no "
            "weights of examples"
        )
    for name, part in zip(names, parts):
        check_array(game, name, part)


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


def check(game, x, name: str = "x", limit: float = LIMIT) -> None:
    """`check_dtype`, and the same for values beyond ±`limit` if they can be read."""
    check_dtype(game, name, x)
    low, high = _extent(game, x)
    if low < -limit or high > limit:
        raise ValueError(_remedy(game, name, f"go from {low:.4g} to {high:.4g}"))


def examples(game, x):
    """x, after `check` and `check_shape`: for the methods of a game that take examples."""
    check(game, x)
    check_shape(game, "x", x)
    return x


def domain(number) -> int:
    """The number of a domain itself; raises ValueError if it is neither 0, for A, nor 1, for B."""
    if number not in (0, 1):
        raise ValueError(f"domain must be 0 (A) or 1 (B); got {number!r}")
    return int(number)


def check_labels(game, y, rows: int | None = None) -> None:
    """Raises ValueError if labels are not from 0 to `game.classes` - 1, if that exists.

    `rows`: if it is given, there must be one label, or so many in one axis.
    """
    classes = getattr(game, "classes", None)
    y = np.asarray(y) if isinstance(y, (int, float, str, list, tuple, np.generic)) else y
    if classes is None or not _has_values(y):
        return
    if isinstance(y, np.ndarray) and y.dtype.kind not in "biuf":
        raise ValueError(f"labels y of {type(game).__name__} must be numbers; got {y.dtype}")
    if rows is not None and tuple(y.shape) not in ((), (1,), (rows,)):
        raise ValueError(
            f"labels y of {type(game).__name__} must be one for all or of shape ({rows},); got "
            f"shape {tuple(y.shape)}"
        )
    low, high = float(ops.min(y)), float(ops.max(y))
    whole = bool(ops.all(ops.equal(y, ops.floor(ops.cast(y, "float32")))))
    if not whole or low < 0 or high > classes - 1:
        raise ValueError(
            f"labels y of {type(game).__name__} must be whole numbers from 0 to {classes - 1}, one "
            f"of its {classes} classes; got {low:g} to {high:g}"
        )


def check_first(
    game, x, y=None, sample_weight=None, class_weight=None, validation_data=None, **others
) -> None:
    """Check arguments of `fit`, `evaluate` or `predict`: the first examples, all labels of arrays.

    Of a tf.data.Dataset that has an end, and of a `keras.utils.PyDataset`, the first batch is read;
    of other streams the dtypes are checked. Of a generator, the first training step checks them.
    Warns of images without a negative pixel, which are probably in [0, 1].

    Raises:
        ValueError: see `check`, `check_array` and `check_labels`; or examples have weights.
    """
    if validation_data is not None:
        pair = isinstance(validation_data, (tuple, list))
        check_first(game, *(validation_data[:2] if pair else (validation_data,)))
    for name, given in {"sample_weight": sample_weight, "class_weight": class_weight}.items():
        if given is not None:
            raise ValueError(
                f"{name} must be left out: losses of games take no weights of examples"
            )
    data = x if y is None else (x, y)
    if isinstance(data, keras.utils.PyDataset):
        data = data[0]
    if hasattr(data, "element_spec") and (_has_range(game) or "y" in game.inputs):
        data = _first(data)
    parts = data if isinstance(data, tuple) else (data,)
    for name, part in zip([name for name in game.inputs if name != "z"], parts):
        check_array(game, name, part)
        if not (hasattr(part, "dtype") and hasattr(part, "shape")):
            continue
        if name == "y":
            check_labels(game, part)
        else:
            part = part[:FIRST] if isinstance(part, np.ndarray) else part
            check(game, part, name)
            _warn_of_unit_range(game, part, name)


def _warn_of_unit_range(game, x, name):
    low, high = _extent(game, x)
    if 0 <= low < high <= 1 and len(x) >= SEVERAL:
        warnings.warn(
            f"no pixel of {name} is negative: {type(game).__name__} takes floats in [-1, 1], and "
            f"pixels in [0, 1] become those by 2 * {name} - 1",
            stacklevel=3,
        )


def _extent(game, x):
    """The lowest and the highest value of x; 0 and 0 if it has no range, or none can be read."""
    there = _has_range(game) and _has_values(x)
    return (float(ops.min(x)), float(ops.max(x))) if there else (0.0, 0.0)


def _has_values(x):
    """Whether x has values that can be read; placeholders of a graph that is traced have none."""
    there = isinstance(x, np.ndarray) or type(x).__name__ in ("EagerTensor", "ArrayImpl")
    return there and bool(np.prod(x.shape))


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
