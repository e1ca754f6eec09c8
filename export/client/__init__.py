"""A client of TensorFlow Serving's protocol, for NumPy arrays; it needs no TensorFlow.

    from export.client import Client

    with Client("localhost:8500", model="bigan") as client:
        codes = client.encode(images)  # (n, h, w, c) in [-1, 1] → (n, d)

`AsyncClient` has the same methods, to be awaited. NumPy, grpcio and protobuf are all that either
imports (tested from 2.0, 1.66 and 5.29 on). The package asks for TensorFlow, which training needs;
to install the client alone:

    pip install numpy grpcio protobuf
    pip install --no-deps .         # in a checkout of this repository

For the shell, with a server on this machine: `python -m export.client encode --image cat.png`.
"""

import importlib
import typing

if typing.TYPE_CHECKING:
    from export.client.client import AsyncClient as AsyncClient
    from export.client.client import Client as Client
    from export.client.errors import DeadlineExceeded as DeadlineExceeded
    from export.client.errors import InvalidInput as InvalidInput
    from export.client.errors import NotFound as NotFound
    from export.client.errors import ServerError as ServerError
    from export.client.errors import Unavailable as Unavailable
    from export.client.signatures import Metadata as Metadata
    from export.client.signatures import Signature as Signature
    from export.client.signatures import Tensor as Tensor
    from export.client.steps import VersionStatus as VersionStatus

# Imported when they are used: without grpcio the command says what to install.
_MODULES = {
    "client": ("AsyncClient", "Client"),
    "errors": ("DeadlineExceeded", "InvalidInput", "NotFound", "ServerError", "Unavailable"),
    "signatures": ("Metadata", "Signature", "Tensor"),
    "steps": ("VersionStatus",),
}

__all__ = sorted(name for names in _MODULES.values() for name in names)


def __getattr__(name: str):
    for module, names in _MODULES.items():
        if name in names:
            return getattr(importlib.import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list:
    return sorted({*globals(), *__all__})
