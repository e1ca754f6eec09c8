"""Requests with something wrong, or nothing, for the models of `served.export_all`."""

import json

import numpy as np
import served
import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow_serving.apis import model_pb2
from tensorflow_serving.apis import predict_pb2

PREDICT = "/tensorflow.serving.PredictionService/Predict"
HALF_BODY = b"POST /v1/models/sum:predict HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n{"
DTYPES = [0, 1, 2, 3, 7, 9, 10, 14, 19, 20, 21, 101, 9999]
SIZES = [-(2**63), -1, 0, 1, 2, 3, 8, 64, 2**31, 2**62]
NAMES = ["", "codes", "images", "bigan", "mixed", "x" * 2000, "é", "\0", "stable"]


def some_tensor(rng):
    proto = tf.make_tensor_proto(0.0)
    proto.Clear()
    proto.dtype = rng.choice(DTYPES)
    for _ in range(rng.choice([0, 1, 2, 2, 2, 4, 4, 70])):
        proto.tensor_shape.dim.add(size=rng.choice(SIZES))
    proto.tensor_shape.unknown_rank = rng.random() < 0.1
    if rng.random() < 0.5:
        proto.tensor_content = rng.randbytes(rng.choice([0, 1, 4, 12, 256]))
    proto.float_val.extend([rng.choice([0.0, float("nan"), 1e38])] * rng.choice([0, 0, 1, 3, 64]))
    proto.int_val.extend([rng.choice([0, -(2**31), 2**31 - 1])] * rng.choice([0, 0, 0, 1, 3]))
    proto.int64_val.extend([rng.choice([0, -(2**63), 2**63 - 1])] * rng.choice([0, 0, 0, 1, 3]))
    proto.string_val.extend(
        [rng.choice([b"", b"\xff\0", b"x" * 300])] * rng.choice([0, 0, 0, 1, 3])
    )
    if rng.random() < 0.1:
        proto.version_number = rng.choice([-1, 2**31 - 1])
    return proto


MIXED = {
    "both": {"a": np.float32([[1, 2]]), "b": np.float32([[3, 4]])},
    "strings": {"text": np.array([b"one", b"\xff\0"], object)},
    "numbers": {"n": np.int64([3, -(2**63)])},
    "scalar": {"x": np.float32(2)},
}


def mixed_request(rng):
    """One that is right, of two inputs, strings, whole numbers or a scalar."""
    name = rng.choice(list(MIXED))
    request = predict_pb2.PredictRequest(model_spec={"name": "mixed", "signature_name": name})
    for alias, value in MIXED[name].items():
        request.inputs[alias].CopyFrom(tf.make_tensor_proto(value))
    return request


def some_predict(rng):
    """A request with one thing or everything wrong."""
    request = decode_request(served.codes(1))
    if rng.random() < 0.4:
        request = mixed_request(rng)
        if rng.random() < 0.3:
            request.inputs[rng.choice(sorted(request.inputs))].CopyFrom(some_tensor(rng))
    if rng.random() < 0.4:
        request.inputs["codes"].CopyFrom(some_tensor(rng))
    if rng.random() < 0.2:
        request.inputs[rng.choice(NAMES)].CopyFrom(some_tensor(rng))
    if rng.random() < 0.1:
        request.model_spec.version.value = rng.choice(SIZES)
    if rng.random() < 0.1:
        request.model_spec.version_label = rng.choice(NAMES)
    if rng.random() < 0.2:
        request.model_spec.name = rng.choice(NAMES)
    if rng.random() < 0.2:
        request.model_spec.signature_name = rng.choice(
            [*NAMES, *MIXED, "encode", "__saved_model_init_op"]
        )
    if rng.random() < 0.2:
        request.output_filter.extend([rng.choice(NAMES)] * rng.choice([1, 2]))
    raw = bytearray(request.SerializeToString())
    if rng.random() < 0.3:
        for _ in range(rng.choice([1, 5, 50])):
            raw[rng.randrange(len(raw))] = rng.randrange(256)
    if rng.random() < 0.1:
        raw = raw[: rng.randrange(len(raw))]
    if rng.random() < 0.05:
        raw = bytearray(rng.randbytes(rng.choice([0, 1, 100, 10_000])))
    return bytes(raw)


def some_body(rng):
    """A REST body with something wrong, or nothing."""
    leaf = rng.choice(
        [0, 1.5, -1, True, None, "a", "\ud800", {"b64": "!"}, {"b64": "/w=="}, {"b64": 3}, {}, []]
        + [1e308, 10**30, 2**24 + 1, 2**63, -(2**63)]
    )
    value = leaf
    for _ in range(rng.choice([0, 1, 2, 3, 70])):
        value = [value] * rng.choice([1, 2, 3])
        if len(json.dumps(value)) > 20_000:
            break
    body = {
        rng.choice(["instances", "inputs", "instance", "examples"]): value,
        "signature_name": rng.choice(["decode", "encode", *MIXED, "", 3, None, "é"]),
    }
    if rng.random() < 0.1:
        body["inputs"] = value
    if rng.random() < 0.1:
        body = {"instances": [[leaf, 1, 2.5]], "signature_name": "decode"}
    if rng.random() < 0.3:
        name = rng.choice(list(MIXED))
        body = {"inputs": {alias: rng.choice([leaf, [leaf]]) for alias in MIXED[name]}}
        body["signature_name"] = name
        if rng.random() < 0.5:
            body = {"instances": [body["inputs"]], "signature_name": name}
    text = bytearray(json.dumps(body).encode())
    if rng.random() < 0.3:
        text[rng.randrange(len(text))] = rng.randrange(256)
    if rng.random() < 0.1:
        text = text[: rng.randrange(len(text))]
    if rng.random() < 0.02:
        text = bytearray(b"[" * 100_000)
    return bytes(text)


# What a bad request may be answered. INTERNAL and UNKNOWN are never right; gRPC itself says
# INTERNAL where bytes are no message at all, before the server's code sees them.
GOOD_CODES = {
    "OK",
    "INVALID_ARGUMENT",
    "NOT_FOUND",
    "FAILED_PRECONDITION",
    "OUT_OF_RANGE",
}


def readable(raw, message):
    try:
        message.FromString(raw)
    except DecodeError:
        return False
    return True


def decode_request(z, signature="decode"):
    request = predict_pb2.PredictRequest(
        model_spec=model_pb2.ModelSpec(name="bigan", signature_name=signature)
    )
    request.inputs["codes"].CopyFrom(tf.make_tensor_proto(z))
    return request


def half_call():
    """The beginning of a gRPC call in HTTP/2: headers, and 20 bytes of a message of 100."""

    def frame(kind, flag, stream, payload):
        return len(payload).to_bytes(3, "big") + bytes([kind, flag, 0, 0, 0, stream]) + payload

    headers = {":method": "POST", ":scheme": "http", ":path": PREDICT, ":authority": "x"}
    headers |= {"content-type": "application/grpc", "te": "trailers"}
    texts = [text.encode() for pair in headers.items() for text in pair]
    names, values = texts[::2], texts[1::2]
    block = b"".join(
        b"\0" + bytes([len(n)]) + n + bytes([len(v)]) + v for n, v in zip(names, values)
    )
    message = b"\0" + (100).to_bytes(4, "big") + bytes(20)
    settings, head, data = frame(4, 0, 0, b""), frame(1, 4, 1, block), frame(0, 0, 1, message)
    return b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + settings + head + data, frame(0, 0, 1, b"\0")


# A program that sends 16 MiB of zeros, packed, as many times as told, and prints the codes.
PACK = f"""
import sys, grpc
packed = dict(compression=grpc.Compression.Gzip, options=[("grpc.max_send_message_length", -1)])
with grpc.insecure_channel(sys.argv[1], **packed) as channel:
    for _ in range(int(sys.argv[2])):
        try:
            channel.unary_unary("{PREDICT}")(bytes(16 * 2**20), timeout=30)
            print("OK")
        except grpc.RpcError as error:
            print(error.code().name)
"""
