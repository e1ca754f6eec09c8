"""Arrays in and out of a `zoo.models.Model`, checked and in batches."""

import numpy as np

from zoo.metrics.arrays import rows
from zoo.models import Model


def checked_codes(model: Model, codes: np.ndarray) -> np.ndarray:
    """Codes, (n, d) or (n, h, w, c), as float32 (n, d). Raises ValueError if they do not fit."""
    codes = rows(np.asarray(codes, np.float32))
    # The prior gives the length of a code, for SavedModels too.
    d = model.prior(1, 0).shape[1]
    if codes.ndim != 2 or codes.shape[1] != d or not len(codes):
        raise ValueError(f"codes of {model.name} are (n, {d}), n >= 1; got {codes.shape}")
    return codes


def checked_examples(model: Model, x: np.ndarray) -> np.ndarray:
    """`x` as float32 (n, *shape). Raises ValueError if the model takes other examples."""
    x = np.asarray(x)
    shape = ", ".join(map(str, model.shape))
    if x.shape[1:] != tuple(model.shape) or not len(x):
        raise ValueError(f"{model.name} takes (n, {shape}), n >= 1; got {x.shape}")
    if not np.issubdtype(x.dtype, np.floating):
        raise ValueError(
            f"{model.name} takes floats, images in [-1, 1]: see zoo.datasets.scale; got {x.dtype}"
        )
    return x.astype(np.float32, copy=False)


def checked_labels(name: str, labels: np.ndarray, n: int) -> np.ndarray:
    """Labels (n,) of labels (n,) or (n, 1). Raises ValueError if they have another shape."""
    labels = np.asarray(labels)
    if labels.shape not in ((n,), (n, 1)):
        raise ValueError(f"{name} must be of shape ({n},); got {labels.shape}")
    return labels.reshape(n)


def encoded(model: Model, x: np.ndarray) -> np.ndarray:
    """Codes (n, d) of examples (n, *shape).

    Raises:
        ValueError: the model has no encoder or takes other examples.
    """
    from zoo.metrics import in_batches

    if model.encode is None:
        raise ValueError(f"{model.name} has no encoder; this needs one")
    return in_batches(model.encode, checked_examples(model, x))


def decoded(model: Model, codes: np.ndarray) -> np.ndarray:
    """Examples (n, ..., *shape) of codes (n, ..., d).

    All codes of row i are decoded in row i of a batch: a game of classes gives a row one class.
    """
    from zoo.metrics import in_batches

    codes = np.asarray(codes, np.float32)
    steps = codes.reshape(len(codes), -1, codes.shape[-1]).swapaxes(0, 1)
    made = np.stack([in_batches(model.decode, step) for step in steps], axis=1)
    return made.reshape(*codes.shape[:-1], *model.shape)
