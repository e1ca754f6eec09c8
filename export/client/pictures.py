"""Size and colours in the head of an image file, with the standard library alone."""

import struct

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8"
_COLOURED = (2, 3, 6)  # colour types of PNG: RGB, palette, RGB and alpha
# Markers of JPEG's frame headers, which hold sides and number of components.
_FRAMES = {0xC0 + i for i in range(16)} - {0xC4, 0xC8, 0xCC}


def known(file: bytes) -> bool:
    """Whether a file begins as PNG or JPEG do: the server reads no others."""
    return file.startswith((_PNG, _JPEG))


def head(file: bytes) -> tuple[int, int, bool] | None:
    """(width, height, whether it has colours) of a PNG or JPEG file; None if it cannot be read."""
    try:
        if file.startswith(_PNG):
            width, height, _, colour = struct.unpack_from(">IIBB", file, 16)
            return width, height, colour in _COLOURED
        if file.startswith(_JPEG):
            return _of_jpeg(file)
    except struct.error:  # it ends too early
        pass
    return None


def _of_jpeg(file):
    place = 2
    while True:
        fill, marker, length = struct.unpack_from(">BBH", file, place)
        if fill != 0xFF:
            return None
        if marker in _FRAMES:
            height, width, components = struct.unpack_from(">HHB", file, place + 5)
            return width, height, components > 1
        # A byte 0xFF may fill the gap before a marker.
        place += 1 if marker == 0xFF else 2 + length


def changed(file: bytes, shape: tuple) -> str:
    """How the server changes an image for a model of images (h, w, c); "" if it does not.

    "64 x 48 pixels in colour become 28 x 28 in grey": it cuts the central square, resizes it, and
    drops colours if c is 1.
    """
    found = head(file)
    if found is None:
        return ""
    (width, height, coloured), (rows, columns, channels) = found, shape
    grey = coloured and channels == 1
    if (height, width) == (rows, columns) and not grey:
        return ""
    ends = (" in colour", " in grey") if grey else ("", "")
    return f"{width} x {height} pixels{ends[0]} become {columns} x {rows}{ends[1]}"
