"""JSON bodies of REST ↔ arrays, in the formats of TensorFlow Serving.

The data type comes from the signature and the shape from the nesting. Python's own `json` reads
and writes NaN and Infinity bare, as TensorFlow Serving does.
"""

import base64
import binascii
import itertools
import json
import math

import numpy as np
from tensorflow.core.framework import types_pb2

from export.server import tensors
from export.server.errors import ServingError
from export.server.errors import invalid

ROW, COLUMN = "instances", "inputs"


def parse_body(text: bytes) -> dict:
    """The object that a request holds.

    Raises:
        ServingError: INVALID_ARGUMENT, in TensorFlow Serving's words.
    """
    if not text.strip():
        raise invalid("JSON Parse error: The document is empty")
    try:
        body = json.loads(text)
    except json.JSONDecodeError as error:
        raise invalid(f"JSON Parse error: {error.msg} at offset: {error.pos}") from None
    except UnicodeDecodeError as error:
        raise invalid(f"JSON Parse error: {error.reason} at offset: {error.start}") from None
    except (RecursionError, ValueError) as error:  # nested too deep; a number of 5000 digits
        raise invalid(f"JSON Parse error: {error}") from None
    if not isinstance(body, dict):
        raise invalid(f"JSON Value: {_shown(body)} Is not object")
    if not isinstance(body.get("signature_name", ""), str):
        raise invalid(
            f"JSON Value: {_shown(body)} not formatted correctly. "
            f"'signature_name' key must be a string value."
        )
    if ROW in body and COLUMN in body:
        raise invalid(
            f"JSON Value: {_shown(body)} Not formatted correctly expecting only one of "
            f"'{COLUMN}' or '{ROW}' keys to exist"
        )
    if ROW not in body and COLUMN not in body:
        raise invalid(f"JSON Value: {_shown(body)} Missing '{COLUMN}' or '{ROW}' key")
    return body


def feeds(body: dict, signature) -> dict:
    """alias → array of a parsed body, with the types of the signature.

    Raises:
        ServingError: INVALID_ARGUMENT.
    """
    if ROW in body:
        return _rows(body[ROW], signature, body)
    given = body[COLUMN]
    names = list(signature.inputs)
    if not isinstance(given, dict) or _is_binary(given):
        if len(names) != 1:
            raise invalid(f"JSON Value: {_shown(given)} Is not object of named inputs")
        given = {names[0]: given}
    _check_names(given, signature, f"in '{COLUMN}' object.")
    return signature.defaults | {a: array(v, signature.inputs[a][0]) for a, v in given.items()}


def _rows(instances, signature, body):
    if not isinstance(instances, list):
        raise invalid(f"JSON Value: {_shown(body)} Expecting '{ROW}' to be an list/array")
    if not instances:
        raise invalid(f"JSON Value: {_shown(body)} No values in '{ROW}' array")
    names = list(signature.inputs)
    columns = {}
    for i, instance in enumerate(instances):
        try:
            if not isinstance(instance, dict) or _is_binary(instance):
                if len(names) != 1:
                    raise invalid(
                        f"JSON Value: {_shown(instance)} is not an object of named inputs"
                    )
                instance = {names[0]: instance}
            _check_names(instance, signature, f"in '{ROW}' object.")
            for alias, value in instance.items():
                found = array(value, signature.inputs[alias][0])
                column = columns.setdefault(alias, [])
                if column and column[0].shape != found.shape:
                    raise invalid(f"Expecting tensor size: {column[0].size} but got: {found.size}")
                column.append(found)
        except ServingError as error:
            raise invalid(
                f"Failed to process element: {i} of '{ROW}' list. "
                f"Error: {error.code.name}: {error.message}"
            ) from None
    if any(len(column) != len(instances) for column in columns.values()):
        raise invalid(f"not every element of the '{ROW}' list has the same inputs")
    return signature.defaults | {alias: np.stack(column) for alias, column in columns.items()}


def _check_names(given, signature, where):
    for alias in given:
        if alias not in signature.inputs:
            raise invalid(f"JSON object: does not have named input: {alias}")
    for alias in signature.inputs:
        if alias not in given and alias not in signature.defaults:
            raise invalid(f"Missing named input: {alias} {where}")


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
                raise invalid(f"JSON Value: {_shown(leaf)} found at incorrect level: {len(shape)}")
            if len(leaf) != size:
                raise invalid(
                    f"Encountered list at unexpected size: {len(leaf)} at level: {len(shape)} "
                    f"expected size: {size}"
                )
        shape.append(size)
        if len(shape) > 64:
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
    if not _is_binary(leaf):
        raise invalid(f"JSON Value: {_shown(leaf)} not formatted correctly for base64 data")
    try:
        return base64.b64decode(leaf["b64"], validate=True)
    except (binascii.Error, ValueError):
        raise invalid("Unable to base64 decode") from None


def _is_binary(value):
    return isinstance(value, dict) and value.keys() == {"b64"} and isinstance(value["b64"], str)


KINDS = {str: "String", dict: "Object", list: "Array", bool: "Bool", type(None): "Null"}


def _type_error(leaf, number):
    kind = "True" if leaf is True else "False" if leaf is False else KINDS.get(type(leaf), "Number")
    return invalid(
        f"JSON Value: {_shown(leaf)} Type: {kind} is not of expected type: "
        f"{tensors.type_name(number)}"
    )


def _lossy(leaf, number):
    return invalid(
        f"Cannot convert JSON value: {_shown(leaf)} to {tensors.type_name(number)} "
        f"without loss of precision."
    )


def _shown(value):
    """The value pretty-printed, as far as anybody reads."""
    try:
        text = json.dumps(value, indent=4)
    except (RecursionError, ValueError):
        text = "<deeply nested>"
    return text if len(text) <= 256 else text[:256] + "…"


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
        _bare_or_named({alias: dumps(value[i], alias) for alias, value in found.items()})
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
