"""Requests that are read by the bytes around their numbers, and replies, as protobuf has them."""

import numpy as np
import pytest
import tensorflow as tf
from google.protobuf import text_format
from tensorflow_serving.apis import predict_pb2

from export.server import messages


def asked(array, as_content=True, alias="x", **spec):
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "m"
    for name, value in spec.items():
        setattr(request.model_spec, name, value)
    tensor = tf.make_tensor_proto(array)
    if not as_content:
        tensor.ClearField("tensor_content")
        tensor.float_val.extend(np.ravel(array).tolist())
    request.inputs[alias].CopyFrom(tensor)
    return request


def learned(*requests):
    requests_seen = messages.Requests()
    for request in requests:
        requests_seen.add(request.SerializeToString(), request)
    return requests_seen


RANDOM = np.random.default_rng(0)


@pytest.mark.parametrize("as_content", [True, False])
def test_the_third_request_of_a_kind_is_read_without_protobuf(as_content):
    first, second, third = (
        asked(RANDOM.normal(size=(2, 3)).astype("f4"), as_content, signature_name="s")
        for _ in range(3)
    )
    raw = third.SerializeToString()
    assert learned(first).find(raw) is None
    known = learned(first, second).find(raw)
    assert (known.alias, known.shape, known.spec) == ("x", (2, 3), third.model_spec)
    np.testing.assert_array_equal(known.read(raw), tf.make_ndarray(third.inputs["x"]))
    special = asked(np.array([[np.nan, np.inf, -0.0]] * 2, "f4"), as_content, signature_name="s")
    raw = special.SerializeToString()
    np.testing.assert_array_equal(
        learned(special, special).find(raw).read(raw), tf.make_ndarray(special.inputs["x"])
    )


@pytest.mark.parametrize(
    "change",
    [
        'model_spec { name: "n" }',
        'model_spec { name: "m" version_label: "l" }',
        'model_spec { name: "m" version { value: 3 } }',
        'model_spec { name: "m" signature_name: "t" }',
        'output_filter: "y"',
        'inputs { key: "z" value { dtype: DT_FLOAT float_val: 1 } }',
    ],
)
def test_a_request_that_differs_in_more_than_numbers_is_parsed(change):
    request = asked(np.ones((2, 3), "f4"), signature_name="s")
    requests = learned(request, request)
    assert requests.find(request.SerializeToString())
    text_format.Merge(change, request)
    assert requests.find(request.SerializeToString()) is None


@pytest.mark.parametrize("array", [np.ones((2, 3), "i4"), np.ones((3, 2), "f4")])
def test_a_request_of_the_same_length_with_another_type_or_shape_is_parsed(array):
    first, other = asked(np.ones((2, 3), "f4")), asked(array)
    requests = learned(first, first)
    assert len(other.SerializeToString()) == len(first.SerializeToString())
    assert requests.find(first.SerializeToString())
    assert requests.find(other.SerializeToString()) is None


def test_what_cannot_be_told_from_its_surroundings_is_never_kept():
    two = asked(np.ones(3, "f4"))
    two.inputs["y"].CopyFrom(two.inputs["x"])
    filtered = asked(np.ones(3, "f4"))
    filtered.output_filter.append("y")
    repeated = asked(np.ones(3, "f4"))
    repeated.inputs["x"].tensor_content = b""
    repeated.inputs["x"].float_val.append(1)
    long = asked(np.ones(3, "f4"), alias="x" * 2000)
    large = asked(np.ones(2**18, "f4"))
    listed = asked(np.ones(2**15, "f4"), as_content=False)
    one, truths, text = asked(np.ones(1, "f4")), asked(np.ones(16, bool)), asked(b"some text")
    for request in (two, filtered, repeated, long, large, listed, one, truths, text):
        raw = request.SerializeToString()
        assert learned(request, request, request).find(raw) is None


def test_numbers_that_are_in_the_name_too_are_read_in_their_own_place():
    request = asked(np.frombuffer(b"mmmmmmmm", "f4"), signature_name="mmmmmmmm")
    spec_first = request.SerializeToString(deterministic=True)
    start = spec_first.index(b"\x12", len(request.model_spec.SerializeToString()))
    spec_last = spec_first[start:] + spec_first[:start]
    found = []
    for raw in (spec_first, spec_last):
        parsed = predict_pb2.PredictRequest.FromString(raw)
        assert parsed == request
        requests = messages.Requests()
        for _ in range(3):
            requests.add(raw, parsed)
        found.append(requests.find(raw))
    # With the name first, its bytes are taken for the numbers, and found not to be them.
    assert found[0] is None
    np.testing.assert_array_equal(found[1].read(spec_last), np.frombuffer(b"mmmmmmmm", "f4"))


def field(number, value):
    return bytes([number << 3 | 2, len(value)]) + value


def test_bytes_that_are_numbers_or_a_length_are_not_learned_as_numbers():
    # The first eight bytes are a length and a filler: with them the content is `numbers`, with
    # their complement it is another part of the message.
    numbers = bytes.fromhex("8601088080808000")
    other = bytes(byte ^ 255 for byte in numbers)

    def raw(first):
        after = b"\x22\x08" + other + b"\x08\x80\x00\x08" + b"\x22\x08" + numbers + b"\x08\x01"
        tensor = field(2, field(2, b"\x08\x02")) + b"\x22" + first + b"p" * 114 + after
        size = bytes([len(tensor) % 128 | 128, len(tensor) // 128])
        entry = field(1, b"x") + b"\x12" + size + tensor
        size = bytes([len(entry) % 128 | 128, len(entry) // 128])
        return field(1, field(1, b"m")) + b"\x12" + size + entry

    request = predict_pb2.PredictRequest.FromString(raw(numbers))
    assert request.inputs["x"].tensor_content == numbers
    assert predict_pb2.PredictRequest.FromString(raw(other)).inputs["x"].tensor_content == other
    requests = messages.Requests()
    for _ in range(messages.ALIKE + 1):
        requests.add(raw(numbers), request)
    assert requests.find(raw(numbers)) is None


def test_few_requests_are_kept():
    requests = messages.Requests()
    for size in range(1, messages.KINDS + 2):
        request = asked(np.ones(size, "f4"))
        for name in "abcdef":
            request.model_spec.name = name
            requests.add(request.SerializeToString(), request)
    assert 0 < len(requests.known) <= messages.KINDS
    assert max(map(len, requests.known.values())) == messages.ALIKE


@pytest.mark.parametrize("as_content", [False, True])
def test_a_reply_is_what_protobuf_writes(as_content):
    outputs = {
        "empty": np.zeros((0, 2), "f4"),
        "half": np.array([0.5], "f2"),
        "images": RANDOM.normal(size=(3, 28, 28, 1)).astype("f4")[1:],
        "n": np.array([[1, -2]]),
        "turned": RANDOM.normal(size=(3, 2)).T,
    }
    found = predict_pb2.PredictResponse.FromString(
        messages.response("mä", 2**40, "s", outputs, as_content)
    )
    assert found.model_spec.name == "mä" and found.model_spec.signature_name == "s"
    assert found.model_spec.version.value == 2**40 and set(found.outputs) == set(outputs)
    for alias, array in outputs.items():
        back = tf.make_ndarray(found.outputs[alias])
        assert back.dtype == array.dtype
        np.testing.assert_array_equal(back, array)
