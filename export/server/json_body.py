"""The JSON body of a REST call → arrays, checked against the signature before it is converted."""

import bisect
import json

from export.server import json_tensors
from export.server.errors import ServingError
from export.server.errors import invalid

ROW, COLUMN = "instances", "inputs"


def parse_body(text: bytes) -> dict:
    """The JSON object in the body of a request.

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
        raise invalid(f"JSON Value: {json_tensors.shown(body)} Is not object")
    if not isinstance(body.get("signature_name", ""), str):
        raise invalid(
            f"JSON Value: {json_tensors.shown(body)} not formatted correctly. "
            f"'signature_name' key must be a string value."
        )
    if ROW in body and COLUMN in body:
        raise invalid(
            f"JSON Value: {json_tensors.shown(body)} Not formatted correctly expecting only one of "
            f"'{COLUMN}' or '{ROW}' keys to exist"
        )
    if ROW not in body and COLUMN not in body:
        raise invalid(f"JSON Value: {json_tensors.shown(body)} Missing '{COLUMN}' or '{ROW}' key")
    return body


def feeds(body: dict, signature, check=lambda alias, shape: None) -> dict:
    """alias → array of a parsed body, with the types of the signature.

    Args:
        body: result of `parse_body`.
        signature: `signatures.Signature`.
        check: called with the name and the shape of every input before any is converted. The
            shape is that of the first element of each list; conversion checks the others.

    Raises:
        ServingError: INVALID_ARGUMENT, or an error of `check`.
    """
    if ROW in body:
        columns = _columns(body[ROW], signature, body)
        read = _column
    else:
        columns = _named(body[COLUMN], signature, f"in '{COLUMN}' object.")
        read = json_tensors.array
    for alias, values in columns.items():
        check(alias, outline(values))
    return signature.defaults | {a: read(v, signature.inputs[a][0]) for a, v in columns.items()}


def outline(value) -> tuple:
    """The shape of nested lists, if they are not ragged."""
    shape = []
    while isinstance(value, list):
        shape.append(len(value))
        value = value[0] if value else None
    return tuple(shape)


def _named(given, signature, where):
    """alias → JSON value, of an object or of the value of the only input."""
    if not isinstance(given, dict) or json_tensors.is_binary(given):
        if len(signature.inputs) != 1:
            what = "Is not object" if COLUMN in where else "is not an object"
            raise invalid(f"JSON Value: {json_tensors.shown(given)} {what} of named inputs")
        given = dict.fromkeys(signature.inputs, given)
    _check_names(given, signature, where)
    return given


def _columns(instances, signature, body):
    """alias → list of the values of all rows."""
    if not isinstance(instances, list):
        raise invalid(
            f"JSON Value: {json_tensors.shown(body)} Expecting '{ROW}' to be an list/array"
        )
    if not instances:
        raise invalid(f"JSON Value: {json_tensors.shown(body)} No values in '{ROW}' array")
    if len(signature.inputs) == 1 and dict not in set(map(type, instances)):
        return dict.fromkeys(signature.inputs, instances)
    columns = {}
    for i, instance in enumerate(instances):
        try:
            for alias, value in _named(instance, signature, f"in '{ROW}' object.").items():
                columns.setdefault(alias, []).append(value)
        except ServingError as error:
            raise _in_element(i, error) from None
    if any(len(column) != len(instances) for column in columns.values()):
        raise invalid(f"not every element of the '{ROW}' list has the same inputs")
    return columns


def _in_element(i, error):
    return invalid(
        f"Failed to process element: {i} of '{ROW}' list. Error: {error.code.name}: {error.message}"
    )


def _column(values, number):
    """The array of all rows; the error names the first row that is wrong."""
    try:
        return json_tensors.array(values, number)
    except ServingError as error:
        whole = error

    def fails(rows):
        try:
            json_tensors.array(values[:rows], number)
        except ServingError:
            return True
        return False

    # One by one, 100,000 numbers would take a second.
    i = bisect.bisect_left(range(1, len(values) + 1), True, key=fails)
    if i == len(values):
        raise whole
    try:
        first, found = (json_tensors.array(values[row], number) for row in (0, i))
        if first.shape == found.shape:
            raise whole
        raise invalid(f"Expecting tensor size: {first.size} but got: {found.size}")
    except ServingError as error:
        raise _in_element(i, error) from None


def _check_names(given, signature, where):
    for alias in given:
        if alias not in signature.inputs:
            raise invalid(f"JSON object: does not have named input: {alias}")
    for alias in signature.inputs:
        if alias not in given and alias not in signature.defaults:
            raise invalid(f"Missing named input: {alias} {where}")
