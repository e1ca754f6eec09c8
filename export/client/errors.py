"""Errors of a server, as exceptions that are also Python's own."""

import os
import socket

from export.client import addresses


class ServerError(Exception):
    """A call that ended with a status; its subclasses are also Python's own exceptions.

    Attributes:
        code: name of the gRPC status code, such as "INTERNAL".
        words: the server's message, or gRPC's if no server was reached.
        rows: (first, one after the last) of the rows that the failed part of a large batch held;
            a row that the server names counts from the first. None if there was one part.
    """

    def __init__(self, code: str, words: str, rows: tuple | None = None):
        super().__init__(code, words, rows)
        self.code, self.words, self.rows = code, words, rows

    def __str__(self):
        part = "" if self.rows is None else f" (rows {self.rows[0]} to {self.rows[1] - 1})"
        return f"{self.code}{part}: {self.words}"


class InvalidInput(ServerError, ValueError):
    """INVALID_ARGUMENT, FAILED_PRECONDITION or OUT_OF_RANGE: another input may work."""


class NotFound(ServerError, LookupError):
    """NOT_FOUND: no such model, or no such version of it."""


class DeadlineExceeded(ServerError, TimeoutError):
    """DEADLINE_EXCEEDED: the time limit has passed. Never retried automatically."""


class Unavailable(ServerError, ConnectionError):
    """UNAVAILABLE: no server was reached, after all retries."""


# As gRPC looks for it.
PROXIES = ("grpc_proxy", "https_proxy", "http_proxy")


def _why(server, words):
    """Likely cause why a server was not reached, "" if unknown."""
    proxy = next((name for name in PROXIES if os.environ.get(name)), None)
    host = server.rpartition(":")[0]
    passed = (os.environ.get("no_grpc_proxy") or os.environ.get("no_proxy") or "").split(",")
    if (
        proxy
        and not addresses.is_local(server)
        and not any(host.endswith(end.strip()) for end in passed if end.strip())
    ):
        return (
            f"; the proxy that the environment variable {proxy} names was asked: to go past it, "
            f"set no_proxy={host}"
        )
    if "refused" in words or _refused(server):
        return f"; nothing listens on {server}: start python -m export.server, or give its address"
    return ""


def _refused(server):
    """Whether this machine refuses connections to `server`; False if that is not known at once."""
    if not addresses.is_local(server) or server.startswith("unix:"):
        return False
    host, _, port = server.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=1).close()
    except ConnectionRefusedError:
        return True
    except OSError:
        return False
    return False


_BY_CODE = {
    "INVALID_ARGUMENT": InvalidInput,
    "FAILED_PRECONDITION": InvalidInput,
    "OUT_OF_RANGE": InvalidInput,
    "NOT_FOUND": NotFound,
    "DEADLINE_EXCEEDED": DeadlineExceeded,
    "UNAVAILABLE": Unavailable,
}


def from_rpc(error, server: str, seconds: float, rows: tuple | None = None) -> ServerError:
    """The exception for a `grpc.RpcError` of a call to `server`, part of one of `seconds`."""
    code, words = error.code().name, error.details() or "no details"
    if code == "DEADLINE_EXCEEDED":
        words += f" (timeout {seconds:g} s)"
    # A deadline may pass before the last of the attempts to connect has failed.
    if code in ("UNAVAILABLE", "DEADLINE_EXCEEDED"):
        words += _why(server, words)
    return _BY_CODE.get(code, ServerError)(code, words, rows)
