"""Errors of requests and loads, with the codes and messages of TensorFlow Serving."""

import re

import grpc
from google.protobuf.message import DecodeError

EAGER = re.compile(r"^\{\{function_node [^}]*\}\} | \[Op:\w+\]( name: )?$")
LONGEST = 1024  # bytes of a message; longer ones are cut, as in TensorFlow Serving

HTTP = {
    "INVALID_ARGUMENT": 400,
    "FAILED_PRECONDITION": 400,
    "OUT_OF_RANGE": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "ALREADY_EXISTS": 409,
    "ABORTED": 409,
    "RESOURCE_EXHAUSTED": 429,
    "CANCELLED": 499,
    "UNKNOWN": 500,
    "INTERNAL": 500,
    "DATA_LOSS": 500,
    "UNIMPLEMENTED": 501,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
}
BY_NUMBER = {code.value[0]: code for code in grpc.StatusCode}


class ServingError(Exception):
    """A request, or a load, that ends with a status.

    Args:
        code: name of a gRPC status code, such as "NOT_FOUND".
        message: text for the caller; cut at 1024 bytes, between two characters.
    """

    def __init__(self, code: str, message: str):
        super().__init__(message)
        self.code = grpc.StatusCode[code]
        # In bytes, up to four for a character: gRPC writes each as three characters in a header of
        # limited length, beyond which the caller reads RESOURCE_EXHAUSTED instead.
        raw = message.encode(errors="replace")
        if len(raw) > LONGEST:
            message = raw[:LONGEST].decode(errors="ignore") + "...TRUNCATED"
        self.message = message

    @property
    def http_status(self) -> int:
        return HTTP[self.code.name]


def invalid(message: str) -> ServingError:
    """INVALID_ARGUMENT, the code of nearly every bad request."""
    return ServingError("INVALID_ARGUMENT", message)


def parsed(parse, data: bytes):
    """`parse(data)`; raises ServingError, INTERNAL as in gRPC's own table, if it is no message."""
    try:
        return parse(data)
    except DecodeError as error:
        raise ServingError("INTERNAL", f"no message: {error}") from None


def from_exception(error: Exception) -> ServingError:
    """The status of any exception: TensorFlow's own code if it has one, else INTERNAL."""
    if isinstance(error, ServingError):
        return error
    number = getattr(error, "error_code", None)  # tf.errors.OpError
    if number in BY_NUMBER and number != 0:
        # The nodes of the graph and their Python stack follow the error.
        message = str(getattr(error, "message", error)).partition("\n\t [[")[0]
        # Names of operations that the eager calls of the server itself add, not a graph's.
        message = EAGER.sub("", message)
        return ServingError(BY_NUMBER[number].name, message.partition("\n\nOriginal stack")[0])
    return ServingError("INTERNAL", f"{type(error).__name__}: {error}")
