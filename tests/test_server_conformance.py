"""The server answers as TensorFlow Serving does: one case per row of its behaviour.

The cases ask a process over a real channel. With SERVING_ADDRESS, SERVING_REST and
SERVING_MODELS set (see tests/served.py) they ask any other server; cases in which this server
differs on purpose are then left out.
"""

import contextlib
import gzip
import importlib.util
import json
import os
import re
import types
import urllib.error
import urllib.request
import zlib

import grpc
import numpy as np
import pytest
import served
import tensorflow as tf
from grpc_health.v1 import health_pb2
from grpc_health.v1 import health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2
from grpc_reflection.v1alpha import reflection_pb2_grpc
from tensorflow_serving.apis import classification_pb2
from tensorflow_serving.apis import get_model_metadata_pb2
from tensorflow_serving.apis import get_model_status_pb2
from tensorflow_serving.apis import inference_pb2
from tensorflow_serving.apis import model_management_pb2
from tensorflow_serving.apis import model_pb2
from tensorflow_serving.apis import model_service_pb2_grpc
from tensorflow_serving.apis import predict_pb2
from tensorflow_serving.apis import prediction_service_pb2_grpc
from tensorflow_serving.apis import regression_pb2

EXTERNAL = os.environ.get("SERVING_ADDRESS")
LIMIT = 2**20  # bytes of a message that the server under test takes


ENVOY = pytest.mark.skipif(
    bool(EXTERNAL) or not importlib.util.find_spec("pyvoy"), reason="no pyvoy, or another server"
)


@pytest.fixture(scope="module", params=["grpc", pytest.param("envoy", marks=ENVOY)])
def server(tmp_path_factory, request):
    """Stubs of a running server, the folder of its models, and the address of its REST."""
    with contextlib.ExitStack() as stack:
        process = None
        if EXTERNAL:
            address, rest = EXTERNAL, os.environ["SERVING_REST"]
            models = os.environ["SERVING_MODELS"]
        else:
            models = served.export_all(tmp_path_factory.mktemp("models"))
            (models / "monitoring.config").write_text("prometheus_config { enable: true }")
            process = served.Server(
                f"--model_config_file={models}/models.config",
                f"--monitoring_config_file={models}/monitoring.config",
                f"--grpc_channel_arguments=grpc.max_receive_message_length={LIMIT}",
                "--enable_batching",
                f"--front={request.param}",
            ).wait()
            address, rest = process.address, process.rest
        channel = stack.enter_context(grpc.insecure_channel(address))
        yield types.SimpleNamespace(
            models=models,
            rest=rest,
            channel=channel,
            prediction=prediction_service_pb2_grpc.PredictionServiceStub(channel),
            model=model_service_pb2_grpc.ModelServiceStub(channel),
        )
    if process:
        code, output = process.end()
        assert code == 0, output
        assert "Traceback" not in output
        assert "curl" in output and "encode: images float [-1,8,8,1] -> codes" in output


def spec(name="bigan", version=None, label=None, signature="encode"):
    found = model_pb2.ModelSpec(name=name, signature_name=signature)
    if version is not None:
        found.version.value = version
    if label:
        found.version_label = label
    return found


def request(inputs=None, outputs=(), **of):
    found = predict_pb2.PredictRequest(model_spec=spec(**of), output_filter=outputs)
    for alias, value in (inputs if inputs is not None else {"images": served.images(2)}).items():
        proto = value if hasattr(value, "tensor_shape") else tf.make_tensor_proto(value)
        found.inputs[alias].CopyFrom(proto)
    return found


def tensor(dtype, shape, **fields):
    found = tf.make_tensor_proto(np.float32(0))
    found.Clear()
    found.dtype = dtype
    for size in shape:
        found.tensor_shape.dim.add(size=size)
    for name, value in fields.items():
        if isinstance(value, bytes):
            setattr(found, name, value)
        else:
            getattr(found, name).extend(value)
    return found


FLOAT = tf.float32.as_datatype_enum
LABEL = "Unrecognized servable version label: "
LATEST, SPECIFIC = (
    "Servable not found for request: Latest",
    "Servable not found for request: Specific",
)
BAD = "INVALID_ARGUMENT"

# name → (request, code, part of the message)
REFUSED = {
    "no model_spec": (predict_pb2.PredictRequest(), BAD, "Missing ModelSpec"),
    "no name": (request(name=""), BAD, "ModelSpec has no name specified."),
    "unknown label": (request(label="beta"), BAD, LABEL + "beta"),
    "label of an unknown model": (request(name="none", label="a"), BAD, LABEL + "a"),
    "unknown model": (request(name="none"), "NOT_FOUND", LATEST + "(none)"),
    "unknown version": (request(version=9), "NOT_FOUND", SPECIFIC + "(bigan, 9)"),
    "version 0 is a number": (request(version=0), "NOT_FOUND", SPECIFIC + "(bigan, 0)"),
    "unknown signature": (
        request(signature="dream"),
        "FAILED_PRECONDITION",
        'Serving signature key "dream" not found.',
    ),
    "no serving_default": (
        request(name="mixed", signature=""),
        "FAILED_PRECONDITION",
        'Serving signature key "serving_default" not found.',
    ),
    "extra input": (
        request({"images": served.images(1), "z": 1.0, "y": 1.0}),
        BAD,
        "input size does not match signature: 3!=1 len({images,y,z}) != len({images}). "
        "Sent extra: {y,z}. Missing but required: {}.",
    ),
    "missing input": (
        request({"b": np.zeros((1, 2), "f")}, name="mixed", signature="both"),
        BAD,
        "input size does not match signature: 1!=2 len({b}) != len({a,b}). "
        "Sent extra: {}. Missing but required: {a}.",
    ),
    "no input": (request({}), BAD, "input size does not match signature: 0!=1"),
    "wrong name": (
        request({"pictures": served.images(1)}),
        BAD,
        "Signature input alias: images(feed name: ",
    ),
    "too few bytes": (
        request({"images": tensor(FLOAT, (1, 8, 8, 1), tensor_content=b"abc")}),
        BAD,
        "tensor parsing error: images",
    ),
    "no type": (
        request({"images": tensor(0, (1, 8, 8, 1))}),
        BAD,
        "tensor parsing error: images",
    ),
    "negative size": (
        request({"images": tensor(FLOAT, (-1, 8, 8, 1), float_val=[1.0])}),
        BAD,
        "tensor parsing error: images",
    ),
    "unknown output": (
        request(outputs=["mood"]),
        BAD,
        "output tensor alias not found in signature: mood "
        "Outputs expected to be in the set {codes}.",
    ),
    "output twice": (
        request(outputs=["codes", "codes"]),
        BAD,
        "duplicate output tensor alias: codes",
    ),
    "wrong type": (
        request({"images": served.images(2).astype("int32")}),
        BAD,
        "Expects arg[0] to be float but int32 is provided",
    ),
    "wrong type comes after output_filter": (
        request({"images": served.images(2).astype("int32")}, outputs=["mood"]),
        BAD,
        "output tensor alias not found",
    ),
}
# Where TensorFlow Serving answers otherwise, or kills itself.
REFUSED_HERE = {
    "more values than elements": (
        request({"images": tensor(FLOAT, (0, 8, 8, 1), float_val=[1.0])}),
        BAD,
        "tensor parsing error: images",
    ),
    "a few bytes that ask for a gigabyte": (
        request({"images": tensor(FLOAT, (2**22, 8, 8, 1), float_val=[1.0])}),
        BAD,
        "tensor images names 268435456 elements and has 1 values",
    ),
    "rank 0": (request({"images": 1.0}), BAD, "input images of signature encode has shape"),
    "rank 3": (request({"images": served.images(2)[0]}), BAD, "[8,8,1] was sent"),
    "wrong size": (
        request({"images": np.zeros((2, 7, 8, 1), "float32")}),
        BAD,
        "has shape [-1,8,8,1], -1 being any size; [2,7,8,1] was sent",
    ),
    "larger than a message may be": (
        request({"images": np.zeros((LIMIT // 256 + 1, 8, 8, 1), "float32")}),
        "RESOURCE_EXHAUSTED",
        "",
    ),
    "larger than a batch may be": (
        request({"images": tensor(FLOAT, (1001, 8, 8, 1))}),
        BAD,
        "Task size 1001 is larger than maximum input batch size 1000",
    ),
    "a scalar cannot be batched": (
        request({"x": 1.0}, name="mixed", signature="scalar"),
        BAD,
        "Batching Run() input tensors must have at least one dimension",
    ),
    "rows of two inputs differ": (
        request(
            {"a": np.zeros((1, 2), "f"), "b": np.zeros((2, 2), "f")},
            name="mixed",
            signature="both",
        ),
        BAD,
        "Batching Run() input tensors must have equal 0th-dimension size",
    ),
    "what cannot be run": (
        request({}, signature="__saved_model_init_op"),
        "OUT_OF_RANGE",
        "__saved_model_init_op",
    ),
}


def refused(call, code, message):
    with pytest.raises(grpc.RpcError) as caught:
        call()
    assert caught.value.code().name == code, caught.value.details()
    assert message in caught.value.details()


def test_predict_refuses_in_the_same_words(server, subtests):
    cases = REFUSED | ({} if EXTERNAL else REFUSED_HERE)
    for name, (asked, code, message) in cases.items():
        with subtests.test(name):
            refused(lambda asked=asked: server.prediction.Predict(asked), code, message)
    with subtests.test("a refused request leaves the server as it was"):
        server.prediction.Predict(request())


def values(response):
    return {alias: tf.make_ndarray(proto) for alias, proto in response.outputs.items()}


def test_predict_answers(server, subtests):
    predict = server.prediction.Predict
    x, z = served.images(5), served.codes(3)

    def near(found, expected):
        np.testing.assert_allclose(found, expected, atol=1e-5)

    for asked, version in (({}, 2), ({"version": 1}, 1), ({"label": "stable"}, 1)):
        with subtests.test("by number, by label, or the newest", asked=asked):
            response = predict(request({"images": x}, **asked))
            assert response.model_spec == spec(version=version)
            near(values(response)["codes"], served.game(version).encode(x))
    with subtests.test("decode"):
        near(
            values(predict(request({"codes": z}, signature="decode")))["images"],
            served.game(2).decode(z),
        )
    with subtests.test("serving_default is what an empty name means"):
        response = predict(request({"images": x}, signature=""))
        assert response.model_spec.signature_name == "serving_default"
        near(values(response)["codes"], served.game(2).encode(x))
    with subtests.test("floats come in float_val"):
        proto = predict(request({"images": x})).outputs["codes"]
        assert len(proto.float_val) == 15 and not proto.tensor_content
    with subtests.test("floats may be sent in float_val"):
        listed = tensor(FLOAT, (5, 8, 8, 1), float_val=x.ravel())
        near(values(predict(request({"images": listed})))["codes"], served.game(2).encode(x))
    with subtests.test("the last value is repeated"):
        short = tensor(FLOAT, (2, 3), float_val=[0.5, 0.25])
        full = np.array([[0.5, 0.25, 0.25], [0.25, 0.25, 0.25]], "float32")
        near(
            values(predict(request({"codes": short}, signature="decode")))["images"],
            served.game(2).decode(full),
        )
    with subtests.test("no value at all is zero"):
        near(
            values(predict(request({"codes": tensor(FLOAT, (2, 3))}, signature="decode")))[
                "images"
            ],
            served.game(2).decode(np.zeros((2, 3), "float32")),
        )
    a, b = np.float32([[1, 2], [3, 4]]), np.float32([[10, 20], [30, 40]])
    both = {"inputs": {"a": a, "b": b}, "name": "mixed", "signature": "both"}
    with subtests.test("two inputs, two outputs"):
        found = values(predict(request(**both)))
        assert found.keys() == {"sum", "difference"}
        near(found["sum"], a + b)
        near(found["difference"], a - b)
    with subtests.test("output_filter"):
        found = values(predict(request(outputs=["difference"], **both)))
        assert found.keys() == {"difference"}
        near(found["difference"], a - b)
    with subtests.test("strings, with zeros at their end"):
        text = tf.make_tensor_proto(np.array([b"a\0", b"", b"\xff"], "O"))
        found = values(predict(request({"text": text}, name="mixed", signature="strings")))
        assert found["text_bytes"].tolist() == [b"a\0", b"", b"\xff"]
        assert found["length"].tolist() == [2, 0, 1]
    with subtests.test("whole numbers, booleans, halves"):
        n = np.array([-3, 2**31], "int64")
        found = values(predict(request({"n": n}, name="mixed", signature="numbers")))
        assert found["square"].tolist() == [9, 2**62] and found["square"].dtype == np.int64
        assert found["odd"].tolist() == [True, False]
        assert found["half"].tolist() == [-1.5, np.inf] and found["half"].dtype == np.float16
    with subtests.test("no rows"):
        found = values(predict(request({"codes": served.codes(0)}, signature="decode")))
        assert found["images"].shape == (0, *served.SHAPE)


def test_other_methods(server, subtests):
    prediction, model = server.prediction, server.model
    for method, kind in (
        ("Classify", classification_pb2.ClassificationRequest),
        ("Regress", regression_pb2.RegressionRequest),
        ("MultiInference", inference_pb2.MultiInferenceRequest),
    ):
        if not EXTERNAL:
            with subtests.test(method):
                refused(
                    lambda m=method, k=kind: getattr(prediction, m)(k()),
                    "UNIMPLEMENTED",
                    "use Predict",
                )
    metadata = get_model_metadata_pb2.GetModelMetadataRequest
    for asked, code, message in (
        (metadata(), BAD, "Missing ModelSpec"),
        (
            metadata(model_spec=spec()),
            BAD,
            "GetModelMetadataRequest must specify at least one metadata_field",
        ),
        (
            metadata(model_spec=spec(), metadata_field=["weather"]),
            BAD,
            "Metadata field weather is not supported",
        ),
        (
            metadata(model_spec=spec(name="none"), metadata_field=["signature_def"]),
            "NOT_FOUND",
            LATEST + "(none)",
        ),
    ):
        with subtests.test(message):
            refused(lambda a=asked: prediction.GetModelMetadata(a), code, message)
    with subtests.test("metadata"):
        response = prediction.GetModelMetadata(
            metadata(model_spec=spec(label="stable"), metadata_field=["signature_def"])
        )
        assert response.model_spec == spec(version=1, signature="")
        found = get_model_metadata_pb2.SignatureDefMap()
        assert response.metadata["signature_def"].Unpack(found)
        assert found.signature_def.keys() >= {"serving_default", "encode", "decode"}
        assert "__saved_model_init_op" in found.signature_def
        info = found.signature_def["encode"].inputs["images"]
        assert [dim.size for dim in info.tensor_shape.dim] == [-1, 8, 8, 1]
    status = get_model_status_pb2.GetModelStatusRequest
    for asked, code, message in (
        (status(), BAD, "Missing ModelSpec"),
        (
            status(model_spec=spec(name="none")),
            "NOT_FOUND",
            "Could not find any versions of model none",
        ),
        (
            status(model_spec=spec(version=7)),
            "NOT_FOUND",
            "Could not find version 7 of model bigan",
        ),
    ):
        with subtests.test(message):
            refused(lambda a=asked: model.GetModelStatus(a), code, message)
    for asked, versions in (
        ({}, [2, 1]),
        ({"version": 1}, [1]),
        ({"label": "anything"}, [2, 1]),
    ):
        with subtests.test("status, newest first", asked=asked):
            found = model.GetModelStatus(status(model_spec=spec(**asked))).model_version_status
            assert [(s.version, s.state) for s in found] == [(v, 30) for v in versions]
            assert all(s.status.error_code == 0 for s in found)


def test_reload(server, subtests):
    folder = f"{server.models}/bigan"
    good = f'name: "second" base_path: "{folder}" model_platform: "tensorflow"'

    def reload(more="", labels=True):
        text = served.config(server.models, more)
        asked = model_management_pb2.ReloadConfigRequest()
        asked.metric_names.append("/tensorflow/serving/request_count")
        from google.protobuf import text_format

        text_format.Parse(
            text if labels else re.sub(r"version_labels \{.*\}", "", text), asked.config
        )
        return server.model.HandleReloadConfigRequest(asked)

    many = "Illegal to list model bigan multiple times in config list"
    for more, code, message in (
        (f"config {{ {good.replace('second', 'bigan')} }}", BAD, many),
        (
            'config { name: "x" base_path: "some/where" model_platform: "tensorflow" }',
            BAD,
            "Expected model x to have an absolute path or URI; got base_path()=some/where",
        ),
        (
            f'config {{ name: "x" base_path: "{folder}" }}',
            BAD,
            "Illegal setting neither ModelServerConfig::model_type (deprecated) nor "
            "ModelServerConfig::model_platform, model name is x",
        ),
        (
            f'config {{ name: "x" base_path: "{folder}" model_platform: "caffe" }}',
            BAD,
            "Model x requests unsupported platform caffe",
        ),
        (
            f'config {{ {good} version_labels {{ key: "l" value: 7 }} }}',
            "FAILED_PRECONDITION",
            "Request to assign label to version 7 of model second, "
            "which is not currently available for inference",
        ),
    ):
        with subtests.test(message):
            refused(lambda m=more: reload(m), code, message)
    with subtests.test("not a list"):
        empty = model_management_pb2.ReloadConfigRequest()
        refused(
            lambda: server.model.HandleReloadConfigRequest(empty),
            BAD,
            "ServerModelConfig type not supported by HandleReloadConfigRequest.",
        )
    with subtests.test("a new model is there when the call returns"):
        reload()
        response = reload(f"config {{ {good} }}")
        assert response.status.error_code == 0
        answer = server.prediction.Predict(request(name="second"))
        assert answer.model_spec.version.value == 2
    with subtests.test("labels are replaced"):
        reload(labels=False)
        refused(lambda: server.prediction.Predict(request(label="stable")), BAD, LABEL + "stable")
        reload()
        server.prediction.Predict(request(label="stable"))
    with subtests.test("what is not listed goes"):
        refused(
            lambda: server.prediction.Predict(request(name="second")),
            "NOT_FOUND",
            LATEST + "(second)",
        )
    if not EXTERNAL:
        with subtests.test("metrics that grew"):
            server.prediction.Predict(request())
            response = reload()
            assert [m.name for m in response.metric] == ["/tensorflow/serving/request_count"]


def http(server, path, body=None, method=None):
    """Status, JSON or text."""
    data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    asked = urllib.request.Request(f"http://{server.rest}{path}", data=data, method=method)
    try:
        with urllib.request.urlopen(asked, timeout=60) as response:
            code, text = response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            code, text = error.code, error.read().decode()
    try:
        return code, json.loads(text)
    except json.JSONDecodeError:
        return code, text


@pytest.mark.skipif(bool(EXTERNAL), reason="other servers may close the connection")
@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_body_that_is_not_packed_as_it_says_is_the_callers_fault(server, encoding):
    def answer(data):
        url = f"http://{server.rest}/v1/models/bigan:predict"
        asked = urllib.request.Request(url, data, {"Content-Encoding": encoding})
        try:
            with urllib.request.urlopen(asked, timeout=60) as response:
                return response.status, json.load(response)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    pack = gzip.compress if encoding == "gzip" else zlib.compress
    packed = pack(json.dumps(ENCODE).encode())
    code, found = answer(packed)
    assert code == 200 and len(found["predictions"]) == 2
    for broken in (b"{} and no more", b"\x1f\x8b" + packed[:9] + b"\0" * 50):
        code, found = answer(broken)
        assert code == 400 and "the body cannot be read" in found["error"], (code, found)


X = served.images(2).tolist()
ENCODE = {"signature_name": "encode", "instances": X}
REFUSED_REST = {
    "no body": ("bigan:predict", b"", 400, "JSON Parse error: The document is empty"),
    "no JSON": ("bigan:predict", b"{hello", 400, "JSON Parse error: "),
    "no object": ("bigan:predict", [1], 400, "Is not object"),
    "no values": ("bigan:predict", {}, 400, "Missing 'inputs' or 'instances' key"),
    "both forms": (
        "bigan:predict",
        {"inputs": 1, "instances": 1},
        400,
        "Not formatted correctly expecting only one of 'inputs' or 'instances' keys to exist",
    ),
    "instances no list": (
        "bigan:predict",
        {"instances": 1},
        400,
        "Expecting 'instances' to be an list/array",
    ),
    "no instances": ("bigan:predict", {"instances": []}, 400, "No values in 'instances' array"),
    "signature no string": (
        "bigan:predict",
        ENCODE | {"signature_name": 3},
        400,
        "'signature_name' key must be a string value.",
    ),
    "unknown signature": (
        "bigan:predict",
        ENCODE | {"signature_name": "dream"},
        400,
        'Serving signature name: "dream" not found in signature def',
    ),
    "unknown model": ("none:predict", ENCODE, 404, LATEST + "(none)"),
    "unknown version": ("bigan/versions/9:predict", ENCODE, 404, SPECIFIC + "(bigan, 9)"),
    "huge version": (
        f"bigan/versions/{2**64}:predict",
        ENCODE,
        400,
        f"Failed to convert version: {2**64} to numeric.",
    ),
    "unknown label": ("bigan/labels/beta:predict", ENCODE, 400, LABEL + "beta"),
    "text for a number": (
        "bigan:predict",
        {"signature_name": "decode", "instances": [[1.0, 2.0, "a"]]},
        400,
        "Failed to process element: 0 of 'instances' list. Error: INVALID_ARGUMENT: "
        'JSON Value: "a" Type: String is not of expected type: float',
    ),
    "ragged": (
        "bigan:predict",
        {"signature_name": "decode", "instances": [[1.0, 2.0, 3.0], [1.0]]},
        400,
        "Expecting tensor size: 3 but got: 1",
    ),
    "missing input": (
        "mixed:predict",
        {"signature_name": "both", "inputs": {"a": [[1.0, 2.0]]}},
        400,
        "Missing named input: b in 'inputs' object.",
    ),
    "unknown input": (
        "mixed:predict",
        {"signature_name": "both", "instances": [{"c": [1.0, 2.0]}]},
        400,
        "JSON object: does not have named input: c",
    ),
    "unknown action": (
        "bigan:dream",
        ENCODE,
        400,
        "Malformed request: POST /v1/models/bigan:dream",
    ),
}


def test_rest(server, subtests):
    for name, (path, body, code, message) in REFUSED_REST.items():
        with subtests.test(name):
            found, answer = http(server, f"/v1/models/{path}", body)
            assert (found, message in answer["error"]) == (code, True), answer
    with subtests.test("outside of /v1/"):
        assert http(server, "/elsewhere")[0] == 404
    with subtests.test("no name"):
        code, answer = http(server, "/v1/models")
        assert code == 400 and "Missing model name in request." in answer["error"]
    with subtests.test("other verbs"):
        code, answer = http(server, "/v1/models/bigan", method="PUT")
        assert code == 400 and "Malformed request: PUT /v1/models/bigan" in answer["error"]
    if not EXTERNAL:
        with subtests.test("wrong shape"):
            code, answer = http(server, "/v1/models/bigan:predict", ENCODE | {"instances": X[0]})
            assert code == 400 and "[8,8,1] was sent" in answer["error"]
    expected = served.game(2).encode(served.images(2))
    with subtests.test("row form, path in other case"):
        code, answer = http(server, "/V1/Models/bigan:predict", ENCODE)
        assert code == 200
        np.testing.assert_allclose(answer["predictions"], expected, atol=1e-5)
    with subtests.test("row form with named inputs, version by label"):
        code, answer = http(
            server,
            "/v1/models/bigan/labels/stable:predict",
            ENCODE | {"instances": [{"images": x} for x in X]},
        )
        assert code == 200
        first = served.game(1).encode(served.images(2))
        np.testing.assert_allclose(answer["predictions"], first, atol=1e-5)
    for inputs in (X, {"images": X}):
        with subtests.test("column form"):
            body = {"signature_name": "encode", "inputs": inputs}
            code, answer = http(server, "/v1/models/bigan/versions/2:predict", body)
            assert code == 200
            np.testing.assert_allclose(answer["outputs"], expected, atol=1e-5)
    with subtests.test("several outputs"):
        body = {"signature_name": "both", "instances": [{"a": [1, 2], "b": [3, 5]}]}
        assert http(server, "/v1/models/mixed:predict", body) == (
            200,
            {"predictions": [{"sum": [4.0, 7.0], "difference": [-2.0, -3.0]}]},
        )
        body = {"signature_name": "both", "inputs": {"a": [[1, 2]], "b": [[3, 5]]}}
        assert http(server, "/v1/models/mixed:predict", body) == (
            200,
            {"outputs": {"sum": [[4.0, 7.0]], "difference": [[-2.0, -3.0]]}},
        )
    with subtests.test("NaN and infinity, bare, both ways"):
        body = b'{"signature_name": "both", "instances": [{"a": [NaN, 1e9], "b": [1, Infinity]}]}'
        asked = urllib.request.Request(f"http://{server.rest}/v1/models/mixed:predict", data=body)
        with urllib.request.urlopen(asked, timeout=60) as response:
            text = response.read().decode()
        assert "NaN" in text and "Infinity" in text and "-Infinity" in text
    with subtests.test("bytes"):
        body = {"signature_name": "strings", "instances": [{"b64": "/w=="}, "é"]}
        code, answer = http(server, "/v1/models/mixed:predict", body)
        assert (code, answer["predictions"]) == (
            200,
            [
                {"text_bytes": {"b64": "/w=="}, "length": 1},
                {"text_bytes": {"b64": "w6k="}, "length": 2},
            ],
        )
    with subtests.test("status"):
        code, answer = http(server, "/v1/models/bigan")
        healthy = {"error_code": "OK", "error_message": ""}
        assert (code, answer) == (
            200,
            {
                "model_version_status": [
                    {"version": v, "state": "AVAILABLE", "status": healthy} for v in ("2", "1")
                ]
            },
        )
    with subtests.test("metadata"):
        code, answer = http(server, "/v1/models/bigan/versions/1/metadata")
        assert code == 200
        assert answer["model_spec"] == {"name": "bigan", "signature_name": "", "version": "1"}
        found = answer["metadata"]["signature_def"]["signature_def"]["encode"]["inputs"]["images"]
        assert found["dtype"] == "DT_FLOAT"
        assert [dim["size"] for dim in found["tensor_shape"]["dim"]] == ["-1", "8", "8", "1"]
    if not EXTERNAL:
        with subtests.test("metrics"):
            server.prediction.Predict(request())
            code, text = http(server, "/monitoring/prometheus/metrics")
            assert code == 200
            assert "# TYPE :tensorflow:serving:request_count counter" in text
            ok = re.search(
                r'^:tensorflow:serving:request_count\{model_name="bigan",status="OK"\} (\S+)',
                text,
                re.M,
            )
            assert float(ok[1]) >= 1
            assert (
                ':tensorflow:serving:request_latency_bucket{API="Predict",entrypoint="GRPC"' in text
            )
            assert (
                ':tensorflow:serving:request_latency_count{API="predict",entrypoint="REST"' in text
            )


@pytest.mark.skipif(bool(EXTERNAL), reason="TensorFlow Serving has health behind a flag")
def test_health_and_reflection(server):
    check = health_pb2_grpc.HealthStub(server.channel).Check
    for name in ("", "bigan", "mixed", "PredictionService", "tensorflow.serving.ModelService"):
        assert check(health_pb2.HealthCheckRequest(service=name)).status == 1
    refused(lambda: check(health_pb2.HealthCheckRequest(service="none")), "NOT_FOUND", "")
    ask = reflection_pb2_grpc.ServerReflectionStub(server.channel).ServerReflectionInfo
    (listed, symbol) = ask(
        iter(
            [
                reflection_pb2.ServerReflectionRequest(list_services=""),
                reflection_pb2.ServerReflectionRequest(
                    file_containing_symbol="tensorflow.serving.PredictRequest"
                ),
            ]
        )
    )
    names = {service.name for service in listed.list_services_response.service}
    assert names >= {"tensorflow.serving.PredictionService", "tensorflow.serving.ModelService"}
    assert b"PredictRequest" in symbol.file_descriptor_response.file_descriptor_proto[0]
