"""Image files read inside a graph come out as training reads them."""

import functools
import io
import struct
import zlib

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from export import images
from export import orientation
from zoo import datasets
from zoo.datasets import folder
from zoo.datasets.pixels import square

RNG = np.random.default_rng(0)


def packed(image, form="PNG", **options):
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def smooth(height, width):
    small = RNG.integers(0, 256, (7, 7, 3)).astype("uint8")
    return Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)


def as_in_training(data, shape, tmp_path):
    """The pixels that `zoo.datasets` reads from a file, scaled. (1, h, w, c)."""
    path = tmp_path / "image"
    path.write_bytes(data)
    pixels = square(folder._pixels(path, grey=shape[-1] == 1), shape[0])
    return datasets.scale(pixels[None])


@functools.cache
def reader(shape):
    return tf.function(
        lambda data: images.decoded(data, shape), input_signature=[tf.TensorSpec([None], tf.string)]
    )


def both(data, shape, tmp_path):
    return reader(shape)(tf.constant([data])).numpy(), as_in_training(data, shape, tmp_path)


@pytest.mark.parametrize("size", [(28, 28), (13, 13), (97, 120), (300, 64), (29, 27), (1, 1)])
@pytest.mark.parametrize("channels", [1, 3])
def test_every_size_is_resized_to_the_same_pixels(size, channels, tmp_path):
    noise = Image.fromarray(RNG.integers(0, 256, (*size, 3)).astype("uint8"))
    for image in (noise, smooth(*size)):
        found, wanted = both(packed(image), (28, 28, channels), tmp_path)
        np.testing.assert_array_equal(found, wanted)


def test_an_image_of_the_right_size_is_untouched():
    pixels = RNG.integers(0, 256, (8, 8, 3)).astype("uint8")
    found = images.decoded(tf.constant([packed(Image.fromarray(pixels))]), (8, 8, 3))
    np.testing.assert_array_equal(datasets.unscale(found.numpy())[0], pixels)


@pytest.mark.parametrize("channels", [1, 3])
def test_modes_and_jpeg_are_read_alike(channels, tmp_path):
    colour = smooth(40, 30)
    files = [packed(colour.convert(mode)) for mode in ("RGB", "RGBA", "L", "LA", "P", "1")]
    files += [packed(colour, "JPEG", quality=q, subsampling=s) for q in (60, 95) for s in (0, 2)]
    files += [packed(colour.convert("L"), "JPEG")]
    for data in files:
        found, wanted = both(data, (16, 16, channels), tmp_path)
        np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize(
    "data, message",
    [
        (b"", "not a PNG or JPEG file.*row.*1"),
        (b"GIF89a" + bytes(40), "not a PNG or JPEG file.*row.*1"),
        (packed(Image.fromarray(np.zeros((8, 8), "uint16"))), "16 bits per channel.*row.*1"),
        (tf.io.encode_png(np.zeros((8, 8, 3), "uint16")).numpy(), "16 bits per channel"),
        (packed(Image.fromarray(np.zeros((8, 8), "uint8")))[:40], "PNG"),
    ],
)
def test_other_files_are_refused(data, message):
    good = packed(Image.fromarray(np.zeros((8, 8), "uint8")))
    with pytest.raises(tf.errors.InvalidArgumentError, match=f"(?s){message}"):
        reader((8, 8, 1))(tf.constant([good, data]))


def claiming(width, height, form):
    """A small file whose header names these sides."""
    data = bytearray(packed(Image.new("L", (8, 8)), form))
    if form == "PNG":
        data[16:24] = struct.pack(">II", width, height)
        data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    else:
        at = data.index(b"\xff\xc0") + 5  # start of frame: length, precision, height, width
        data[at : at + 4] = struct.pack(">HH", height, width)
    return bytes(data)


@pytest.mark.parametrize(
    "width, height, form",
    [
        (2**13, 2**12 + 1, "PNG"),
        (2**31 - 1, 2**31 - 1, "PNG"),
        (2**32 - 1, 2**32 - 1, "PNG"),
        (2**13, 2**12 + 1, "JPEG"),
        (65500, 65500, "JPEG"),
    ],
)
def test_a_file_that_unfolds_into_very_many_pixels_is_refused_before_it_does(width, height, form):
    good, bad = packed(Image.new("L", (8, 8))), claiming(width, height, form)
    with pytest.raises(tf.errors.InvalidArgumentError, match="(?s)more than 33554432.*row.*1"):
        reader((8, 8, 1))(tf.constant([good, bad]))


def test_a_header_that_does_not_come_first_is_no_png():
    data = packed(Image.new("L", (8, 8)))
    chunk = b"\0\0\0\4" + b"abCd" + bytes(4)
    chunk += struct.pack(">I", zlib.crc32(chunk[4:]))
    with pytest.raises(tf.errors.InvalidArgumentError, match="(?s)not a PNG.*row.*0"):
        reader((8, 8, 1))(tf.constant([data[:8] + chunk + data[8:]]))


def test_a_model_that_is_not_square_takes_its_own_size_only():
    pixels = RNG.integers(0, 256, (4, 6, 1)).astype("uint8")
    right = packed(Image.fromarray(pixels[..., 0]))
    found = images.decoded(tf.constant([right]), (4, 6, 1))
    np.testing.assert_array_equal(datasets.unscale(found.numpy())[0], pixels)
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"not 6 x 4 pixels"):
        images.decoded(tf.constant([packed(Image.fromarray(pixels[:3, :, 0]))]), (4, 6, 1))


@pytest.mark.parametrize("form", ["JPEG", "PNG"])
@pytest.mark.parametrize("tag", range(1, 10))
def test_images_are_turned_as_their_tag_asks(form, tag, tmp_path):
    exif = Image.Exif()
    exif[0x010F], exif[0x0112], exif[0x0132] = "Maker", tag, "2020:01:01 00:00:00"
    image = smooth(31, 20)
    for data in (packed(image, form, exif=exif), packed(image, form, exif=big_endian(tag))):
        found, wanted = both(data, (16, 16, 3), tmp_path)
        np.testing.assert_array_equal(found, wanted)
        if 1 < tag < 9:
            untagged = both(packed(image, form), (16, 16, 3), tmp_path)[0]
            assert np.abs(found - untagged).max() > 0.1


def big_endian(tag, kind=3):
    """EXIF data with nothing but an orientation, of type 3 (SHORT) or 4 (LONG)."""
    value = struct.pack(">HH" if kind == 3 else ">I", *[tag, 0][: 2 if kind == 3 else 1])
    return b"Exif\0\0MM\0*" + struct.pack(">IHHHI", 8, 1, 0x0112, kind, 1) + value + bytes(4)


def test_the_search_for_a_tag_ends(monkeypatch):
    monkeypatch.setattr(orientation, "MOST_PARTS", 50)
    pixels = smooth(9, 12)
    image = packed(pixels, "JPEG", exif=big_endian(6))
    plain, near, far = (
        images.decoded(tf.constant([data]), (8, 8, 3))
        for data in (
            packed(pixels, "JPEG"),
            image[:2] + b"\xff" * 20 + image[2:],
            image[:2] + b"\xff" * 51 + image[2:],
        )
    )
    assert np.abs(near - plain).max() > 0.1
    np.testing.assert_array_equal(far, plain)


@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_damaged_tags_leave_an_image_as_it_is(form):
    image, whole = smooth(9, 12), big_endian(6)
    plain = images.decoded(tf.constant([packed(image, form)]), (8, 8, 3))
    for exif in (whole[:6], whole[:13], whole[:20], whole[:10] + b"\xff" * 20, b"Exif\0\0XX" * 9):
        data = packed(image, form, exif=exif)
        found = images.decoded(tf.constant([data]), (8, 8, 3))
        np.testing.assert_array_equal(found, plain)
    turned = images.decoded(tf.constant([packed(image, form, exif=big_endian(6, 4))]), (8, 8, 3))
    assert np.abs(turned - plain).max() > 0.1


def test_a_model_that_is_not_square_takes_images_that_are_of_its_size_once_turned():
    pixels = RNG.integers(0, 256, (4, 6, 1)).astype("uint8")
    stored = Image.fromarray(np.rot90(pixels[..., 0]).copy())  # 6 x 4; tag 6 turns it back
    data = packed(stored, exif=big_endian(6))
    found = images.decoded(tf.constant([data]), (4, 6, 1))
    np.testing.assert_array_equal(datasets.unscale(found.numpy())[0], pixels)
    with pytest.raises(tf.errors.InvalidArgumentError, match="not 4 x 6 pixels"):
        images.decoded(tf.constant([data]), (6, 4, 1))


def test_written_files_hold_the_pixels():
    pixels = RNG.integers(0, 256, (3, 4, 5, 3)).astype("uint8")
    data = images.encoded(tf.constant(datasets.scale(pixels))).numpy()
    read = [np.asarray(Image.open(io.BytesIO(file))) for file in data]
    np.testing.assert_array_equal(read, pixels)
