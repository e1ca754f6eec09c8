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
        'inputs { key: "x" value { dtype: DT_INT32 } }',
        'inputs { key: "x" value { tensor_shape { dim { size: 3 } dim { size: 2 } } } }',
    ],
)
def test_a_request_that_differs_in_more_than_numbers_is_parsed(change):
    request = asked(np.ones((2, 3), "f4"), signature_name="s")
    requests = learned(request, request)
    assert requests.find(request.SerializeToString())
    text_format.Merge(change, request)
    other = predict_pb2.PredictRequest()
    other.CopyFrom(request)
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
    # The bytes of the number are in the name too, before the number.
    named = asked(np.frombuffer(b"mmmm", "f4"), signature_name="mmmm")
    named.model_spec.name = "mmmmm"
    raw = named.SerializeToString()
    before = raw[raw.index(b"\x12") :] + raw[: raw.index(b"\x12")]
    for request in (two, filtered, repeated, long, large, asked(np.array([True])), asked(b"text")):
        raw = request.SerializeToString()
        assert learned(request, request, request).find(raw) is None
    for raw in (named.SerializeToString(), before):
        requests = messages.Requests()
        for _ in range(3):
            requests.add(raw, predict_pb2.PredictRequest.FromString(raw))
        known = requests.find(raw)
        assert known is None or known.read(raw) == np.frombuffer(b"mmmm", "f4")


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
