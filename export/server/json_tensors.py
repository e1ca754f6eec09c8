"""JSON values of REST ↔ arrays, in the formats of TensorFlow Serving.

The data type comes from the signature and the shape from the nesting. Python's own `json` reads
and writes NaN and Infinity bare, as TensorFlow Serving does.
"""

import base64
import itertools
import json
import math
import string

import numpy as np
from tensorflow.core.framework import types_pb2

from export.server import tensors
from export.server.errors import ServingError
from export.server.errors import invalid


def array(value, number: int) -> np.ndarray:
    """A JSON value as an array of the TensorFlow data type `number`.

    Raises:
        ServingError: INVALID_ARGUMENT for a ragged list or a value of another type.
    """
    if number not in tensors.FIELDS or number == types_pb2.DT_BFLOAT16:
        raise ServingError(
            "UNIMPLEMENTED", f"Conversion of JSON Value to type: {tensors.type_name(number)}"
        )
    leaves, shape = [value], []
    while leaves and isinstance(leaves[0], list):
        size = len(leaves[0])
        for leaf in leaves:
            if not isinstance(leaf, list):
                raise invalid(f"JSON Value: {shown(leaf)} found at incorrect level: {len(shape)}")
            if len(leaf) != size:
                raise invalid(
                    f"Encountered list at unexpected size: {len(leaf)} at level: {len(shape)} "
                    f"expected size: {size}"
                )
        shape.append(size)
        if len(shape) > 64:  # the limit of NumPy
            raise invalid(f"Encountered list at unexpected level: {len(shape)}")
        leaves = list(itertools.chain.from_iterable(leaves))
    dtype = tensors.FIELDS[number][1]
    return _leaves(leaves, dtype, number).reshape(shape)


ALLOWED = {"f": {int, float}, "i": {int}, "u": {int}, "b": {bool}, "O": {str, dict}}


def _leaves(leaves, dtype, number):
    allowed = ALLOWED.get(dtype.kind, set())
    if not set(map(type, leaves)) <= allowed:
        leaf = next(leaf for leaf in leaves if type(leaf) not in allowed)
        if isinstance(leaf, list):
            raise invalid("Encountered list at unexpected level")
        raise _type_error(leaf, number)
    if dtype.kind == "O":
        found = np.empty(len(leaves), "O")
        found[:] = [_bytes(leaf) for leaf in leaves]
        return found
    try:
        wide = np.array(leaves, {"i": "i8", "u": "u8", "f": "f8", "b": "?"}[dtype.kind])
    except OverflowError:
        limit = 2**63 if dtype.kind == "i" else 2**64
        big = (v for v in leaves if isinstance(v, int) and not -limit <= v < limit)
        raise _lossy(next(big, leaves[0] if leaves else None), number) from None
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        outside = (wide < limits.min) | (wide > limits.max)
        if outside.any():
            raise _type_error(leaves[int(outside.argmax())], number)
    if dtype.kind == "f":
        outside = np.isfinite(wide) & (np.abs(wide) > np.finfo(dtype).max)
        # Whole numbers that the type cannot hold exactly are refused; other numbers are rounded.
        most = 2 ** (np.finfo(dtype).nmant + 1) - 1
        if (np.abs(wide) > most).any():
            outside |= np.array([isinstance(v, int) and abs(v) > most for v in leaves])
        if outside.any():
            raise _lossy(leaves[int(outside.argmax())], number)
    return wide.astype(dtype)


def _bytes(leaf):
    if isinstance(leaf, str):
        return leaf.encode("utf-8", "surrogatepass")
    if not is_binary(leaf):
        raise invalid(f"JSON Value: {shown(leaf)} not formatted correctly for base64 data")
    # As in TensorFlow Serving: white space is skipped, and padding may be missing.
    text = leaf["b64"].translate(dict.fromkeys(map(ord, string.whitespace)))
    digits = text.rstrip("=")
    padding = -len(digits) % 4
    try:
        if len(text) - len(digits) not in (0, padding):
            raise ValueError
        return base64.b64decode(digits + "=" * padding, validate=True)
    except ValueError:  # binascii.Error is one
        raise invalid("Unable to base64 decode") from None


def is_binary(value) -> bool:
    """Whether it is an object that stands for bytes."""
    return isinstance(value, dict) and value.keys() == {"b64"} and isinstance(value["b64"], str)


KINDS = {str: "String", dict: "Object", list: "Array", bool: "Bool", type(None): "Null"}


def _type_error(leaf, number):
    kind = "True" if leaf is True else "False" if leaf is False else KINDS.get(type(leaf), "Number")
    return invalid(
        f"JSON Value: {shown(leaf)} Type: {kind} is not of expected type: "
        f"{tensors.type_name(number)}"
    )


def _lossy(leaf, number):
    return invalid(
        f"Cannot convert JSON value: {shown(leaf)} to {tensors.type_name(number)} "
        f"without loss of precision."
    )


def shown(value) -> str:
    """Pretty-printed JSON, truncated."""
    text = ""
    try:
        # In parts: indented, a body of a few bytes may take gigabytes.
        for part in json.JSONEncoder(indent=4).iterencode(value):
            text += part
            if len(text) > 256:
                return text[:256] + "…"
    except (RecursionError, ValueError):
        return "<deeply nested>"
    return text


# Replies.


def reply(found: dict, row: bool) -> str:
    """The JSON of a reply, in row or column form.

    Raises:
        ServingError: INVALID_ARGUMENT, row form with outputs of different length.
    """
    if not row:
        written = {alias: dumps(value, alias) for alias, value in found.items()}
        return '{"outputs": ' + _bare_or_named(written) + "}"
    sizes = {value.shape[:1] for value in found.values()}
    if len(sizes) != 1 or () in sizes:
        raise invalid("outputs of different first dimension; ask in column form, with 'inputs'")
    rows = (
        # A slice, for NumPy takes the zeros off the end of a single string.
        _bare_or_named({a: dumps(value[i : i + 1], a)[1:-1] for a, value in found.items()})
        for i in range(sizes.pop()[0])
    )
    return '{"predictions": [' + ", ".join(rows) + "]}"


def _bare_or_named(written):
    if len(written) == 1:
        return next(iter(written.values()))
    return "{" + ", ".join(f"{json.dumps(a)}: {text}" for a, text in written.items()) + "}"


def dumps(value: np.ndarray, alias: str) -> str:
    """An array as nested JSON lists; strings as base64 where `alias` ends in "_bytes"."""
    value = np.asarray(value)
    if tensors.BY_DTYPE.get(value.dtype) == types_pb2.DT_BFLOAT16:
        value = value.astype("f4")
    if value.dtype.kind == "f":
        # The shortest digits that read back as the same number of this very type.
        texts = [_number(text) for text in value.ravel().astype("U32").tolist()]
    elif value.dtype.kind in "OSU":
        texts = [_string(v, alias.endswith("_bytes")) for v in value.ravel().tolist()]
    else:
        texts = [json.dumps(v) for v in value.ravel().tolist()]
    for axis in reversed(range(value.ndim)):
        size, rows = value.shape[axis], math.prod(value.shape[:axis])
        texts = ["[" + ", ".join(texts[i * size : (i + 1) * size]) + "]" for i in range(rows)]
    return texts[0]


NAMED = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}


def _number(text):
    if text in NAMED:
        return NAMED[text]
    return text if "." in text or "e" in text else text + ".0"


def _string(value, binary):
    value = value if isinstance(value, bytes) else str(value).encode()
    if binary:
        return '{"b64": "' + base64.b64encode(value).decode() + '"}'
    return json.dumps(value.decode("utf-8", "replace"))
