"""How a client reaches its server: TLS, limits and retries of a gRPC channel."""

import json
import pathlib
import time

import grpc

from export.client import addresses
from export.client.errors import DeadlineExceeded

MOST_BYTES = 2**31 - 1
# The most attempts that gRPC makes.
MOST_ATTEMPTS = 5


def options(attempts: int, server: str) -> list:
    """The options of a channel that repeats an UNAVAILABLE call, up to `attempts` times in all.

    The proxy of the environment is not asked for a server on this machine.

    gRPC's own retries, from a service config: they respect the deadline of the call and the
    server's pushback, and both kinds of client have them. A loop around the calls would have to do
    all that again. Calls only read, so a call may be made twice.
    """
    found = [
        ("grpc.max_receive_message_length", MOST_BYTES),
        ("grpc.max_send_message_length", MOST_BYTES),
        # By default gRPC reconnects to a lost server after 1 s, 2 s, … and 2 minutes, and
        # fails all calls between.
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.max_reconnect_backoff_ms", 1000),
    ]
    if addresses.is_local(server):
        found.append(("grpc.enable_http_proxy", 0))
    if attempts == 1:
        return [*found, ("grpc.enable_retries", 0)]
    policy = {
        "maxAttempts": attempts,
        "initialBackoff": "0.2s",
        "backoffMultiplier": 2,
        "maxBackoff": "2s",
        "retryableStatusCodes": ["UNAVAILABLE"],
    }
    config = {"methodConfig": [{"name": [{}], "retryPolicy": policy}]}
    return [
        *found,
        ("grpc.service_config", json.dumps(config)),
        # A request that this buffer does not hold is not sent again; by default it has 256 KiB.
        ("grpc.per_rpc_retry_buffer_size", MOST_BYTES),
    ]


def credentials(tls: bool, ca, cert, key):
    """`grpc.ChannelCredentials`, or None for no TLS.

    Args:
        tls: use TLS, also without the files.
        ca, cert, key: path of a PEM file, or its bytes, or None.

    Raises:
        ValueError: one of cert and key is missing, or a file cannot be read.
    """
    if (cert is None) != (key is None):
        missing = "key" if key is None else "cert"
        raise ValueError(f"a client certificate needs both cert and key; {missing} is missing")
    if not (tls or ca is not None or cert is not None):
        return None
    return grpc.ssl_channel_credentials(_pem("ca", ca), _pem("key", key), _pem("cert", cert))


def _pem(what, given):
    if given is None:
        return None
    if not isinstance(given, bytes):
        try:
            given = pathlib.Path(given).read_bytes()
        except OSError as error:
            raise ValueError(f"{what}: {given} cannot be read: {error.strerror}") from None
    if b"-----BEGIN " not in given:
        raise ValueError(f"{what} is no PEM file")
    return given


class Deadline:
    """A deadline `seconds` from now."""

    def __init__(self, seconds: float):
        if not seconds > 0:
            raise ValueError(f"timeout must be above 0 seconds; got {seconds}")
        self.seconds = seconds
        self.end = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds until the end. Raises DeadlineExceeded if there are none."""
        left = self.end - time.monotonic()
        if left <= 0:
            raise DeadlineExceeded("DEADLINE_EXCEEDED", f"not done within {self.seconds:g} s")
        return left
