"""Tensors on the wire and in JSON: what goes out is what came in, by TensorFlow's own reader."""

import json

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from tensorflow.core.framework import tensor_pb2

from export.server import json_tensors
from export.server import tensors
from export.server.errors import ServingError

KINDS = "f4 f8 f2 i1 i2 i4 i8 u1 u2 u4 u8 ? c8 c16".split()
SHAPES = arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)
ANY = st.sampled_from(KINDS).flatmap(lambda kind: arrays.arrays(kind, SHAPES))


@settings(deadline=None, max_examples=200)
@given(ANY, st.booleans())
def test_what_is_written_is_what_tensorflow_and_we_read(array, as_content):
    proto = tensor_pb2.TensorProto()
    proto.ParseFromString(b"".join(tensors.written(array, as_content)))
    for found in (tf.make_ndarray(proto), tensors.read("x", proto, tensors.check("x", proto))):
        assert found.dtype == array.dtype and found.shape == array.shape
        np.testing.assert_array_equal(found, array)
    assert bool(proto.tensor_content) == (as_content and array.size > 0)


@settings(deadline=None, max_examples=200)
@given(ANY)
def test_what_tensorflow_writes_is_what_we_read(array):
    proto = tf.make_tensor_proto(array)
    found = tensors.read("x", proto, tensors.check("x", proto))
    assert found.dtype == array.dtype
    np.testing.assert_array_equal(found, array)


@pytest.mark.parametrize("as_content", [False, True])
def test_bfloat16_is_read_and_written_as_tensorflow_does(as_content):
    array = np.array([[1.5, -0.0], [np.inf, 3e38]], tf.bfloat16.as_numpy_dtype)
    proto = tensor_pb2.TensorProto()
    proto.ParseFromString(b"".join(tensors.written(array, as_content)))
    for wire in (proto, tf.make_tensor_proto(array)):
        for found in (tf.make_ndarray(wire), tensors.read("x", wire, tensors.check("x", wire))):
            assert found.dtype == array.dtype
            np.testing.assert_array_equal(found.view("u2"), array.view("u2"))
    assert json_tensors.dumps(array[:, 0], "x") == "[1.5, Infinity]"
    with pytest.raises(ServingError, match="Conversion of JSON Value to type: bfloat16"):
        json_tensors.array([1.5], tensors.BY_DTYPE[array.dtype])


@settings(deadline=None, max_examples=200)
@given(st.sampled_from("f4 f8 i4 i8 ?".split()).flatmap(lambda k: arrays.arrays(k, SHAPES)))
def test_json_gives_back_the_same_numbers(array):
    text = json_tensors.dumps(array, "x")
    written = json.loads(text)
    np.testing.assert_array_equal(np.array(written, array.dtype).reshape(array.shape), array)
    # Rows of no elements have a shape that JSON cannot say.
    whole = array.dtype.kind == "f" and (np.abs(array) > 2**24).any()
    if array.size and not whole:
        found = json_tensors.array(written, tensors.BY_DTYPE[array.dtype])
        np.testing.assert_array_equal(found, array)


@pytest.mark.parametrize("value, text", [(0.1, "0.1"), (1, "1.0"), (9e6, "9e+06"), (1e20, "1e+20")])
def test_floats_have_a_point_or_an_exponent_and_no_noise(value, text):
    assert json_tensors.dumps(np.float32(value), "x") == text


@pytest.mark.parametrize(
    "value, message",
    [
        ([1.0, True], "Type: True is not of expected type: float"),
        ([[1.0], 2.0], "found at incorrect level"),
        ([[1.0], [2.0, 3.0]], "Encountered list at unexpected size: 2 at level: 1"),
        (1e39, "without loss of precision"),
        (2**24 + 1, "without loss of precision"),
        (10**400, "without loss of precision"),
        (None, "Type: Null is not of expected type: float"),
    ],
)
def test_json_that_is_no_float_tensor_is_refused(value, message):
    with pytest.raises(ServingError, match=message):
        json_tensors.array(value, tf.float32.as_datatype_enum)


def test_strings_as_content_are_read_and_no_more_of_them_than_there_are_bytes():
    """14 bytes could ask for 60 million strings otherwise: an array of 460 MiB."""
    proto = tf.make_tensor_proto(["ab", "", "c"])
    del proto.string_val[:]
    proto.tensor_content = b"\2\0\1abc"  # TensorFlow's own encoding: the lengths, the bytes
    assert tensors.read("x", proto, tensors.check("x", proto)).tolist() == [b"ab", b"", b"c"]
    for size in (7, 60_000_000):
        proto.tensor_shape.dim[0].size = size
        with pytest.raises(ServingError, match="tensor parsing error: x"):
            tensors.check("x", proto)


def test_shapes_that_are_known_and_shapes_too_long_to_be_kept_are_read_alike():
    proto = tf.make_tensor_proto(np.zeros((2, 1, 3), "f4"))
    assert tensors.check("x", proto) == tensors.check("x", proto) == (2, 1, 3)
    proto.tensor_shape.dim[0].name = "n" * 1000
    assert tensors.check("x", proto) == (2, 1, 3)
    for name in ("", "n" * 1000):
        proto.tensor_shape.dim[0].name = name
        proto.tensor_shape.dim[0].size = -1
        for _ in range(2):
            with pytest.raises(ServingError, match="tensor parsing error: x"):
                tensors.check("x", proto)
        proto.tensor_shape.dim[0].size = 2
