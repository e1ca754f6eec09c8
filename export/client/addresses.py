"""Addresses of servers."""

import ipaddress


def check_address(server: str) -> str:
    """`server` itself. Raises ValueError unless it is host:port, or unix:path."""
    if server.startswith("unix:"):
        return server
    host, colon, port = server.rpartition(":")
    if "://" in server or not (host and colon and port.isdigit() and 0 < int(port) < 65536):
        raise ValueError(
            f"server must be host:port of gRPC, such as localhost:8500, or unix:path; "
            f"got {server!r}"
        )
    return server


def is_local(server: str) -> bool:
    """Whether `server`, host:port or unix:path, is on this machine."""
    host = server.rpartition(":")[0].strip("[]")
    if server.startswith("unix:") or host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:  # a name
        return False
