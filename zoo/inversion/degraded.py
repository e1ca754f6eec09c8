"""Degraded images for tasks of the multi-code prior: functions of arrays and of tensors."""

import numpy as np

FACTOR = 4  # of the smaller image


def grey(images):
    """Means over the channels. (n, h, w, c) → (n, h, w, 1)."""
    if isinstance(images, np.ndarray):
        return images.mean(axis=-1, keepdims=True)
    from keras import ops

    return ops.mean(images, axis=-1, keepdims=True)


def smaller(images):
    """Means of FACTOR × FACTOR pixels. (n, h, w, c) → (n, h / FACTOR, w / FACTOR, c)."""
    n, h, w, c = images.shape
    split = (n, h // FACTOR, FACTOR, w // FACTOR, FACTOR, c)
    if isinstance(images, np.ndarray):
        return images.reshape(split).mean(axis=(2, 4))
    from keras import ops

    return ops.mean(ops.reshape(images, (-1, *split[1:])), axis=(2, 4))
