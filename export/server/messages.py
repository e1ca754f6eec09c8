"""PredictRequest and PredictResponse as bytes, for which protobuf is needed once for each kind.

The requests of a caller are alike but for the numbers in them. What surrounds the numbers is kept
from requests that were parsed, and further ones are recognised by it and read without a copy.
"""

import functools
import math
import os

import numpy as np
from google.protobuf.message import DecodeError
from tensorflow_serving.apis import model_pb2
from tensorflow_serving.apis import predict_pb2

from export.server import tensors

LARGEST = 2**20  # bytes of a request that is kept in mind; parsing a larger one is no great part
LARGEST_LIST = 2**16  # the same of one with a list of numbers, which takes longer to learn
LEAST = 8  # bytes of numbers; fewer could be guessed, see `_around`
AROUND = 1024  # bytes of it without the numbers
KINDS, ALIKE = 256, 4  # lengths of requests that are kept in mind, and requests of one length


class Known:
    """What a request has besides the numbers in its only tensor.

    Args:
        head, tail: what comes before and after the numbers.
        spec: the `ModelSpec`.
        alias: name of the input.
        dtype: number of its data type.
        shape: of the tensor.
    """

    __slots__ = ("head", "tail", "spec", "alias", "dtype", "shape", "elements")

    def __init__(self, head: bytes, tail: bytes, spec, alias: str, dtype: int, shape: tuple):
        self.head, self.tail, self.spec = head, tail, spec
        self.alias, self.dtype, self.shape = alias, dtype, shape
        self.elements = math.prod(shape)

    def read(self, raw: bytes) -> np.ndarray:
        """The tensor of a request that has this head and tail. Read-only."""
        kind = tensors.FIELDS[self.dtype][1]
        return np.frombuffer(raw, kind, self.elements, len(self.head)).reshape(self.shape)


class Requests:
    """The requests that were seen, by their length."""

    def __init__(self):
        self.known = {}  # length → list of `Known`, None for one that cannot be; empty if one came

    def find(self, raw: bytes) -> Known | None:
        """What is known of a serialised PredictRequest."""
        for known in self.known.get(len(raw), ()):
            if known and raw.startswith(known.head) and raw.endswith(known.tail):
                return known
        return None

    def add(self, raw: bytes, request) -> None:
        """Keep a valid request in mind, if it is the second of its length at least.

        Args:
            raw: the serialised request.
            request: the PredictRequest.
        """
        if len(raw) > LARGEST:
            return
        if len(raw) in self.known:
            if len(self.known[len(raw)]) < ALIKE:
                self.known[len(raw)].append(_around(raw, request))
            return
        if len(self.known) == KINDS:
            self.known.clear()
        self.known[len(raw)] = []


def _around(raw, request):
    """`Known` of a request with one tensor of numbers; None of another."""
    if len(request.inputs) != 1 or request.output_filter:
        return None
    ((alias, proto),) = request.inputs.items()
    field, kind = tensors.FIELDS[proto.dtype]
    values = proto.tensor_content
    if not values and field == "float_val" and len(raw) <= LARGEST_LIST:
        values = np.array(proto.float_val, kind).tobytes()
    shape = tensors.check(alias, proto)
    if kind.kind not in "fiuc" or len(values) != math.prod(shape) * kind.itemsize:
        return None
    start = raw.find(values)
    if start < 0 or len(values) < LEAST or len(raw) - len(values) > AROUND:
        return None
    head, tail = raw[:start], raw[start + len(values) :]
    # Whether these bytes are the numbers: others in their place change them and nothing else. They
    # are random, because a caller who knew them could write a request that is valid with both. As
    # floats they are finite, so that they are equal to themselves.
    others = bytes(np.frombuffer(os.urandom(len(values)), "u1") & 63)
    expected = predict_pb2.PredictRequest()
    expected.CopyFrom(request)
    if proto.tensor_content:
        expected.inputs[alias].tensor_content = others
    else:
        expected.inputs[alias].float_val[:] = np.frombuffer(others, kind)
    try:
        found = predict_pb2.PredictRequest.FromString(head + others + tail)
    except DecodeError:
        return None
    if found.SerializeToString(deterministic=True) != expected.SerializeToString(
        deterministic=True
    ):
        return None
    spec = model_pb2.ModelSpec()
    spec.CopyFrom(request.model_spec)  # the original keeps its whole request in memory
    return Known(head, tail, spec, alias, proto.dtype, shape)


def response(name: str, version: int, signature: str, outputs: dict, as_content: bool) -> bytes:
    """A serialised PredictResponse.

    Args:
        name, version, signature: what has answered.
        outputs: alias → array.
        as_content: as in `tensors.written`.

    Raises:
        ServingError: as in `tensors.written`.
    """
    parts = [_spec(name, version, signature)]
    for alias, array in outputs.items():
        head, values = tensors.written(array, as_content)
        parts += _entry(alias, len(head) + len(values)), head, values
    return b"".join(parts)


RESPONSE = predict_pb2.PredictResponse.DESCRIPTOR


@functools.lru_cache(maxsize=1024)
def _spec(name, version, signature):
    spec = model_pb2.ModelSpec(name=name, signature_name=signature)
    spec.version.value = version
    raw = spec.SerializeToString()
    return tensors.tag(RESPONSE, "model_spec") + tensors.varint(len(raw)) + raw


@functools.lru_cache(maxsize=1024)
def _entry(alias, size):
    """What precedes a tensor of `size` bytes: of the entry of a map, 1 is the key, 2 the value."""
    key = alias.encode()
    inside = b"\x0a" + tensors.varint(len(key)) + key + b"\x12" + tensors.varint(size)
    return tensors.tag(RESPONSE, "outputs") + tensors.varint(len(inside) + size) + inside
