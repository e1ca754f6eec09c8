"""Image files inside a graph, read as `zoo.datasets` reads them for training.

`tf.image.resize` with "lanczos3" and antialias does not replace Pillow's filter: at edges between
black and white it differs by more than 20 levels of 255, for Pillow clips after each of its passes.
"""

import tensorflow as tf

from export import orientation
from zoo import datasets

_PNG = b"\x89PNG\r\n\x1a\n"
_HEADER, _SIDES, _BIT_DEPTH = 12, 16, 24  # positions in a PNG file
# Limit of one file, 33 megapixels. A file of a few kilobytes can decode to any number, and each
# takes 24 bytes while it is resized.
MOST_PIXELS = 2**25
_FIXED_POINT = 2.0**22  # of Pillow's coefficients
_LOBES = 3.0


def decoded(data: tf.Tensor, shape: tuple) -> tf.Tensor:
    """Images in [-1, 1] of PNG and JPEG files, as `zoo.datasets` makes them of the same files.

    Each is cut to its central square and resized by Pillow's Lanczos filter, whose fixed-point
    arithmetic is repeated here: the pixels are equal, not close. The EXIF orientation is applied,
    transparency is dropped, palettes are resolved, grey becomes RGB and RGB becomes grey if the
    model needs it. Unlike in training, colour with 16 bits is refused too, an orientation that only
    XMP or a PNG text names is not applied, and CMYK may differ by one level.

    Args:
        data: strings (n,), one file each.
        shape: (h, w, c) of the model with 1 or 3 channels. If h and w differ, training resized
            nothing, and every image must have this size.

    Returns:
        float32 (n, h, w, c). Running it on something else than an 8-bit PNG or JPEG file of at most
        `MOST_PIXELS` pixels fails for the whole batch; the message names the row if the file is of
        another kind or too large, and not if it is damaged.
    """
    rows = tf.range(tf.shape(data)[0])
    pixels = tf.map_fn(
        lambda row: _read(*row, shape),
        (data, rows),
        fn_output_signature=tf.TensorSpec(shape, tf.uint8),
        parallel_iterations=1,  # by default ten images would be in memory at a time
    )
    return datasets.scale(pixels)


def encoded(images: tf.Tensor) -> tf.Tensor:
    """PNG files of images in [-1, 1]. (n, h, w, c) → strings (n,)."""
    return tf.map_fn(
        tf.io.encode_png, datasets.unscale(images), fn_output_signature=tf.TensorSpec((), tf.string)
    )


def _read(data, row, shape):
    is_jpeg = tf.io.is_jpeg(data)
    head = tf.strings.substr(data, 0, tf.minimum(tf.strings.length(data), _BIT_DEPTH + 1))
    head = tf.strings.join([head, b"\0" * (_BIT_DEPTH + 1)])  # so that short strings have one
    is_png = tf.strings.substr(head, 0, len(_PNG)) == _PNG
    is_png &= tf.strings.substr(head, _HEADER, 4) == b"IHDR"
    deep = is_png & (tf.strings.substr(head, _BIT_DEPTH, 1) == b"\x10")
    checks = [
        tf.debugging.Assert(is_jpeg | is_png, ["not a PNG or JPEG file: image_bytes row", row]),
        tf.debugging.Assert(~deep, ["16 bits per channel, must be 8: image_bytes row", row]),
    ]
    with tf.control_dependencies(checks):
        sides = _sides(data, head, is_jpeg)
        turn = orientation.of(data, is_jpeg)
    sides = tf.where(orientation.swaps_sides(turn), sides[::-1], sides)
    with tf.control_dependencies([_fitting(sides, row, shape)]):
        pixels = tf.cond(
            is_jpeg,
            # The other ways of decoding JPEG differ from Pillow's by up to 5 levels.
            lambda: tf.io.decode_jpeg(data, channels=3, dct_method="INTEGER_ACCURATE"),
            lambda: tf.io.decode_png(data, channels=3),
        )
    pixels = orientation.upright(pixels, turn)
    square = shape[0] == shape[1]
    # Crop first: in float64, the discarded pixels would take eight times their bytes.
    pixels = tf.cast(_central(pixels) if square else pixels, tf.float64)
    if shape[-1] == 1:
        # ITU-R 601-2 in Pillow's fixed point; leaves grey as it is.
        luma = tf.tensordot(pixels, tf.constant([19595.0, 38470.0, 7471.0], tf.float64), 1)
        pixels = tf.floor((luma + 2.0**15) / 2.0**16)[..., None]
    if square:
        pixels = _resized(pixels, shape[0])
    return tf.ensure_shape(tf.cast(pixels, tf.uint8), shape)


def _sides(data, head, is_jpeg):
    """Height and width as the file names them, before it is decoded. int32 (2,)."""
    return tf.cond(
        is_jpeg,
        lambda: tf.io.extract_jpeg_shape(data)[:2],
        lambda: tf.io.decode_raw(tf.strings.substr(head, _SIDES, 8), tf.int32, False)[::-1],
    )


def _fitting(sides, row, shape):
    """An operation that fails if an image of such `sides` must not be decoded."""
    if shape[0] != shape[1]:
        wrong = [f"not {shape[1]} x {shape[0]} pixels (width x height): image_bytes row", row]
        return tf.debugging.Assert(tf.reduce_all(sides == shape[:2]), wrong)
    area = tf.reduce_prod(tf.cast(sides, tf.int64))
    wrong = [f"more than {MOST_PIXELS} pixels: image_bytes row", row]
    return tf.debugging.Assert(tf.reduce_all(sides > 0) & (area <= MOST_PIXELS), wrong)


def _central(pixels):
    """The largest square in the middle of an image (h, w, c)."""
    height, width = tf.shape(pixels)[0], tf.shape(pixels)[1]
    side = tf.minimum(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return pixels[top : top + side, left : left + side]


def _resized(pixels, size):
    """A square image in size (size, size, c), as `zoo.datasets.pixels.square`. Whole numbers."""
    weights = _lanczos(tf.cast(tf.shape(pixels)[0], tf.float64), size)
    across = _to_pixels(tf.einsum("ox,yxc->yoc", weights, pixels))
    return _to_pixels(tf.einsum("oy,yxc->oxc", weights, across))


def _to_pixels(sums):
    """Rounded and clipped; Pillow does it after each of the two passes."""
    return tf.clip_by_value(tf.floor(sums / _FIXED_POINT + 0.5), 0.0, 255.0)


def _lanczos(side, size):
    """Pillow's weights from `side` pixels to `size`, whole numbers as float64 (size, side).

    Sums of products of whole numbers below 2^53 are exact, in any order of summation.
    """
    scale = side / size
    stretch = tf.maximum(scale, 1.0)
    centre = (tf.range(size, dtype=tf.float64)[:, None] + 0.5) * scale
    first = tf.maximum(tf.floor(centre - _LOBES * stretch + 0.5), 0.0)
    last = tf.minimum(tf.floor(centre + _LOBES * stretch + 0.5), side)
    x = tf.range(side, dtype=tf.float64)[None]
    t = (x - centre + 0.5) * (1 / stretch)
    window = tf.where(tf.abs(t) < _LOBES, _sinc(t) * _sinc(t / _LOBES), tf.zeros_like(t))
    window = tf.where((first <= x) & (x < last), window, tf.zeros_like(t))
    fixed = window / tf.reduce_sum(window, axis=1, keepdims=True) * _FIXED_POINT
    return tf.sign(fixed) * tf.floor(tf.abs(fixed) + 0.5)


def _sinc(t):
    angle = 3.141592653589793 * t
    one = tf.ones_like(t)
    return tf.where(t == 0.0, one, tf.sin(angle) / tf.where(t == 0.0, one, angle))
