"""gRPC over ASGI: services registered by generated code, behind any server of HTTP/2 trailers."""

import asyncio
import collections
import time
import urllib.parse

from export.server.errors import ServingError
from export.server.errors import from_exception
from export.server.frames import Frames
from export.server.frames import Left

Method = collections.namedtuple("Method", "method")
HEADERS = [
    (b"content-type", b"application/grpc"),
    (b"grpc-accept-encoding", b"identity,deflate,gzip"),
]
UNITS = {"H": 3600, "M": 60, "S": 1, "m": 1e-3, "u": 1e-6, "n": 1e-9}
# Characters of a message that HTTP takes as they are; "%" is written %25.
PLAIN = "".join(map(chr, range(0x20, 0x7F))).replace("%", "")
# Callers who leave are noticed after one to two times this. Most calls are answered sooner, and to
# wait for each caller to leave takes time.
WATCH_AFTER = 0.05  # seconds


class Call:
    """One call, as a handler sees it: the part of `grpc.aio.ServicerContext` that is used.

    As a context it ends its block with DEADLINE_EXCEEDED at the caller's deadline, and with `Left`
    if it is watched and the caller leaves.
    """

    __slots__ = ("end", "send", "serialize", "done", "receive", "task", "timer", "why", "sweeps")

    def __init__(self, timeout, receive, send, serialize):
        self.end = None if timeout is None else time.monotonic() + timeout
        self.receive, self.send, self.serialize = receive, send, serialize
        self.done = []
        self.task = self.timer = self.why = None
        self.sweeps = 0  # of `Grpc`, since it began

    def time_remaining(self) -> float | None:
        """Seconds to the caller's deadline; None if there is none."""
        return None if self.end is None else self.end - time.monotonic()

    def add_done_callback(self, callback) -> None:
        self.done.append(callback)

    async def abort(self, code, details: str = ""):
        """Raises ServingError, which ends the call with this status."""
        raise ServingError(code.name, details)

    async def write(self, message) -> None:
        """Send one message of a stream."""
        await self.send(body(framed(self.serialize(message)), more=True))

    def __enter__(self):
        self.task = asyncio.current_task()
        if self.end is not None:
            loop = asyncio.get_running_loop()
            self.timer = loop.call_later(max(self.time_remaining(), 0), self._too_late)

    def __exit__(self, kind, error, _):
        self.task, task = None, self.task
        if self.timer:
            self.timer.cancel()
        # Also if the handler has caught the cancellation. That of someone else stays one.
        if self.why and not task.uncancel() and kind is asyncio.CancelledError:
            raise self.why from None

    def _too_late(self):
        self._cancel(ServingError("DEADLINE_EXCEEDED", "Deadline Exceeded"))

    def _cancel(self, why):
        if self.task and not self.why:
            self.why = why
            self.task.cancel()

    def watch(self) -> None:
        """From now on, notice if the caller leaves."""
        # Never cancelled: pyvoy prints an error if what it has to answer is cancelled.
        asyncio.ensure_future(self.receive()).add_done_callback(self._received)

    def _received(self, future):
        if future.cancelled() or future.exception() or not self.task:
            return
        if future.result()["type"] == "http.disconnect":
            self._cancel(Left())
        else:
            self.watch()


class Grpc:
    """An ASGI application. Generated code registers services on it, as on a `grpc.aio.Server`.

    Args:
        most_bytes: limit of a message, also once it is unpacked.
    """

    def __init__(self, most_bytes: int):
        self.most_bytes = most_bytes
        self.services = []
        self.methods = {}  # path → handler
        self.running = set()  # calls that take one message and have not been answered
        self.sweeping = None
        self.ended = False

    def add_generic_rpc_handlers(self, handlers) -> None:
        self.services += handlers

    def end(self) -> None:
        """Refuse new calls with UNAVAILABLE."""
        self.ended = True

    def _method(self, path):
        if path not in self.methods:
            found = (service.service(Method(path)) for service in self.services)
            handler = next((handler for handler in found if handler), None)
            if handler is None:
                raise ServingError("UNIMPLEMENTED", "Method not found!")
            self.methods[path] = handler
        return self.methods[path]

    async def __call__(self, scope, receive, send) -> None:
        headers = dict(scope["headers"])
        if not headers.get(b"content-type", b"").startswith(b"application/grpc"):
            return await _refuse(send)
        call, started = None, False
        try:
            if self.ended:
                raise ServingError("UNAVAILABLE", "the server is stopping")
            handler = self._method(scope["path"])
            timeout = headers.get(b"grpc-timeout")
            timeout = _seconds(timeout) if timeout else None
            call = Call(timeout, receive, send, handler.response_serializer or bytes)
            if handler.stream_stream:
                receive = _uncancelled(receive)
            frames = Frames(receive, headers.get(b"grpc-encoding", b"identity"), self.most_bytes)
            if handler.unary_unary:
                answer = await self._unary(handler, frames, call)
                started = True
                await send(START)
                await send(body(framed(answer), more=False))
            else:
                started = True
                await send(START)
                await self._stream(handler, frames, call)
                await send(body(b"", more=False))
            await send(OK)
        except Left:
            pass
        except Exception as error:
            await _fail(send, from_exception(error), started)
        finally:
            for callback in call.done if call else ():
                callback(call)

    async def _unary(self, handler, frames, call):
        request = (handler.request_deserializer or bytes)(await frames.only())
        self.running.add(call)
        if not self.sweeping:
            self._sweep()
        try:
            with call:
                return call.serialize(await handler.unary_unary(request, call))
        finally:
            self.running.discard(call)

    def _sweep(self):
        """Watch the calls that have been running for a while."""
        for call in list(self.running):
            call.sweeps += 1
            if call.sweeps == 2:
                call.watch()
        loop = asyncio.get_running_loop()
        self.sweeping = loop.call_later(WATCH_AFTER, self._sweep) if self.running else None

    async def _stream(self, handler, frames, call):
        if handler.unary_stream:
            request = handler.request_deserializer(await frames.only())
            with call:
                call.watch()
                await handler.unary_stream(request, call)
        else:
            requests = frames.messages(handler.request_deserializer)
            with call:
                async for answer in handler.stream_stream(requests, call):
                    await call.write(answer)


START = {"type": "http.response.start", "status": 200, "headers": HEADERS, "trailers": True}
OK = {
    "type": "http.response.trailers",
    "headers": [(b"grpc-status", b"0")],
    "more_trailers": False,
}


def body(data: bytes, more: bool) -> dict:
    return {"type": "http.response.body", "body": data, "more_body": more}


def framed(message: bytes) -> bytes:
    """A message as gRPC sends it: not compressed, and with its length."""
    return b"\0" + len(message).to_bytes(4, "big") + message


async def _refuse(send):
    """Answer a request that is not gRPC."""
    head = {"type": "http.response.start", "status": 415}
    await send(head | {"headers": [(b"content-type", b"text/plain")]})
    await send(body(b"this port speaks gRPC\n", more=False))


async def _fail(send, error, started):
    if not started:
        await send(START)
    await send(body(b"", more=False))
    status = [(b"grpc-status", str(error.code.value[0]).encode())]
    if error.message:
        status.append((b"grpc-message", urllib.parse.quote(error.message, safe=PLAIN).encode()))
    await send(OK | {"headers": status})


def _seconds(timeout):
    text = timeout.decode("ascii", "replace")
    if not (text[:-1].isdigit() and len(text) <= 9 and text[-1] in UNITS):
        raise ServingError("INTERNAL", f"grpc-timeout must be a number and a unit; got {text!r}")
    return int(text[:-1]) * UNITS[text[-1]]


def _uncancelled(receive):
    """`receive`, whose own work goes on if the caller of it is cancelled."""

    async def received():
        return await asyncio.shield(asyncio.ensure_future(receive()))

    return received
