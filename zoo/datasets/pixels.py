"""Pixel conventions: uint8 in memory, floats in [-1, 1] in the networks, and resizing."""

from typing import Any

import numpy as np

# A product, not a quotient: graph optimisers turn division by a constant into this product, and
# then graph and NumPy would differ in the last bit. 127.5 times it is exactly 1 in float32.
_INVERSE_HALF_RANGE = np.float32(1 / 127.5)


def scale(pixels: Any) -> Any:
    """Scales uint8 pixels in [0, 255] to float32 in [-1, 1]; the only function that does it.

    Args:
      pixels: NumPy or JAX array or TensorFlow tensor of any shape, uint8 or floating.

    Returns:
      float32 of the same shape and kind, (pixels - 127.5) / 127.5; floating input (points of the
      2-D mixtures) is returned unchanged.

    Raises:
      ValueError: another dtype.
    """
    kind = np.dtype(getattr(pixels.dtype, "as_numpy_dtype", pixels.dtype))
    if np.issubdtype(kind, np.floating):
        return pixels
    if kind != np.uint8:
        raise ValueError(f"pixels must be uint8 or floating point; got {kind.name}")
    if not hasattr(pixels.dtype, "as_numpy_dtype"):
        return (pixels.astype(np.float32) - np.float32(127.5)) * _INVERSE_HALF_RANGE
    import tensorflow as tf

    return (tf.cast(pixels, tf.float32) - 127.5) * _INVERSE_HALF_RANGE


def unscale(images: Any) -> Any:
    """Turns floats in [-1, 1] back into uint8 pixels, rounded and clipped; undoes `scale`.

    Args:
      images: floating NumPy array or TensorFlow tensor of any shape.

    Returns:
      uint8 of the same shape and kind.
    """
    if hasattr(images.dtype, "as_numpy_dtype"):
        import tensorflow as tf

        pixels = tf.round(tf.cast(images, tf.float32) * 127.5 + 127.5)
        return tf.cast(tf.clip_by_value(pixels, 0, 255), tf.uint8)
    pixels = np.rint(np.asarray(images, np.float32) * np.float32(127.5) + np.float32(127.5))
    return np.clip(pixels, 0, 255).astype(np.uint8)


def check_image_size(image_size: int | None) -> None:
    """Raises ValueError unless `image_size` is None or a whole number of at least 1."""
    if image_size is None:
        return
    if isinstance(image_size, bool) or not isinstance(image_size, int) or image_size < 1:
        raise ValueError(f"image_size must be a whole number of at least 1; got {image_size!r}")


def square(image: np.ndarray, size: int | None) -> np.ndarray:
    """Centre-crops one image to a square, then resizes it with antialiasing (Lanczos).

    Args:
      image: uint8 (h, w, c).
      size: side in pixels, or None to return the image as it is.

    Returns:
      uint8 (size, size, c).
    """
    if size is None or image.shape[:2] == (size, size):
        return image
    from PIL import Image

    height, width, channels = image.shape
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    crop = np.ascontiguousarray(image[top : top + side, left : left + side])
    parts = [crop] if channels == 3 else [crop[..., c] for c in range(channels)]
    filled = [
        np.asarray(Image.fromarray(part).resize((size, size), Image.Resampling.LANCZOS))
        for part in parts
    ]
    return filled[0] if channels == 3 else np.stack(filled, axis=-1)


def square_all(images: np.ndarray, size: int | None) -> np.ndarray:
    """`square` of every image of a uint8 array (n, h, w, c)."""
    if size is None or images.shape[1:3] == (size, size):
        return images
    result = np.empty((len(images), size, size, images.shape[3]), np.uint8)
    for i, image in enumerate(images):
        result[i] = square(image, size)
    return result
