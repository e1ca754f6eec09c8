"""The EXIF orientation of an image file, read and applied inside a graph.

Exif 2.32 (CIPA DC-008-2019), tag 0x0112, in the segment APP1 of JPEG and the chunk eXIf of PNG.
"""

import tensorflow as tf

_ORIENTATION, _SHORT, _LONG = 0x0112, 3, 4  # a tag of TIFF, and types of its values
_ENTRY = 12  # bytes of an entry of a directory of TIFF
MOST_PARTS = 2**14  # segments or chunks of a file that are looked at
_APP1, _START_OF_SCAN, _END_OF_IMAGE = 0xE1, 0xDA, 0xD9  # second bytes of markers of JPEG


def of(data: tf.Tensor, is_jpeg: tf.Tensor) -> tf.Tensor:
    """The orientation, int32 from 1 (upright) to 8; 1 if the file has none that can be read.

    Args:
        data: string (), a JPEG or PNG file.
        is_jpeg: bool ().
    """
    return _in_tiff(tf.cond(is_jpeg, lambda: _in_jpeg(data), lambda: _in_png(data)))


def swaps_sides(orientation: tf.Tensor) -> tf.Tensor:
    """Whether height and width are swapped. bool ()."""
    return orientation >= 5


def upright(pixels: tf.Tensor, orientation: tf.Tensor) -> tf.Tensor:
    """The image (h, w, c) in its display orientation, (w, h, c) if it `swaps_sides`."""

    def turned():
        sides = tf.cond(
            swaps_sides(orientation), lambda: tf.transpose(pixels, (1, 0, 2)), lambda: pixels
        )
        across = tf.reduce_any(orientation == [2, 3, 6, 7])
        down = tf.reduce_any(orientation == [3, 4, 7, 8])
        return tf.reverse(sides, tf.boolean_mask([0, 1], [down, across]))

    return tf.cond(orientation == 1, lambda: pixels, turned)


def _bytes(data, at, size):
    part = tf.io.decode_raw(tf.strings.substr(data, at, size), tf.uint8)
    return tf.cast(part, tf.int64)


def _whole(data, big_endian=True):
    """Whole numbers of the bytes in the last axis."""
    size = data.shape[-1]
    places = tf.constant([256**i for i in range(size)], tf.int64)
    return tf.reduce_sum(data * (places[::-1] if big_endian else places), -1)


def _search(step, data, start, least):
    """The first block that `step(at)` → (next position, block) finds in a file; b"" for none."""
    length = tf.cast(tf.strings.length(data), tf.int64)
    # A file may have millions of empty parts; no camera writes so many before the orientation.
    return tf.while_loop(
        lambda at, found: (found == b"") & (at + least <= length),
        lambda at, _: step(at, length),
        (tf.constant(start, tf.int64), tf.constant(b"")),
        maximum_iterations=MOST_PARTS,
    )[1]


def _in_jpeg(data):
    """The TIFF block of the first segment with Exif data."""

    def step(at, length):
        head = tf.ensure_shape(_bytes(data, at, 4), [4])
        marker, size = head[1], tf.maximum(_whole(head[2:]), 2)
        is_over = (head[0] != 0xFF) | (marker == _START_OF_SCAN) | (marker == _END_OF_IMAGE)
        is_exif = marker == _APP1
        is_exif &= tf.strings.substr(data, at + 4, 6) == b"Exif\0\0"
        found = tf.cond(
            is_exif & (size > 8) & (at + 10 <= length),
            lambda: tf.strings.substr(data, at + 10, size - 8),
            lambda: b"",
        )
        # Before a marker there may be any number of bytes 0xFF.
        after = tf.where(marker == 0xFF, at + 1, at + 2 + size)
        return tf.where(is_over, length, after), found

    return _search(step, data, 2, 4)


def _in_png(data):
    """The TIFF block of the chunk eXIf."""

    def step(at, _):
        size = _whole(tf.ensure_shape(_bytes(data, at, 4), [4]))
        is_exif = tf.strings.substr(data, at + 4, 4) == b"eXIf"
        found = tf.cond(is_exif, lambda: tf.strings.substr(data, at + 8, size), lambda: b"")
        return at + 12 + size, found

    return _search(step, data, 8, 8)


def _in_tiff(block):
    size = tf.cast(tf.strings.length(block), tf.int64)
    kind = tf.strings.substr(block, 0, tf.minimum(tf.strings.length(block), 4))
    big_endian = kind == b"MM\0*"

    def read():
        def number(part):
            return tf.where(big_endian, _whole(part), _whole(part, False))

        first = number(tf.ensure_shape(_bytes(block, 4, 4), [4]))
        there = first + 2 <= size
        at = tf.where(there, first, 0)
        count = tf.where(there, number(tf.ensure_shape(_bytes(block, at, 2), [2])), 0)
        count = tf.minimum(count, (size - at - 2) // _ENTRY)
        entries = tf.reshape(_bytes(block, at + 2, _ENTRY * count)[: _ENTRY * count], (-1, _ENTRY))
        types = number(entries[:, 2:4])
        values = tf.where(types == _LONG, number(entries[:, 8:12]), number(entries[:, 8:10]))
        asked = number(entries[:, :2]) == _ORIENTATION
        asked &= ((types == _SHORT) | (types == _LONG)) & (1 <= values) & (values <= 8)
        return tf.cast(tf.concat([[1], tf.boolean_mask(values, asked)], 0)[-1], tf.int32)

    return tf.cond((size >= 8) & (big_endian | (kind == b"II*\0")), read, lambda: 1)
