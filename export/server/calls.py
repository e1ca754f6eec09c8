"""Open gRPC calls: counted for shutdown, and answered if their bytes are no message."""

import asyncio

import grpc

from export.server.errors import ServingError
from export.server.errors import parsed

LAST_WORDS = 0.1  # seconds in which a stream may write its last message at shutdown


class Calls:
    """Calls under way. Streams are not waited for: their callers decide when they end."""

    def __init__(self):
        self.open = 0
        self.none_open = asyncio.Event()
        self.none_open.set()
        self.ended = asyncio.Event()

    def begin(self, context) -> None:
        """Count a call until its answer has been sent."""
        self.open += 1
        self.none_open.clear()
        context.add_done_callback(self._end)

    def _end(self, _):
        self.open -= 1
        if not self.open:
            self.none_open.set()

    def end_streams(self) -> None:
        """End every stream that is open, and each that begins, with status OK."""
        self.ended.set()


class Checked(grpc.GenericRpcHandler):
    """A service that returns INTERNAL with a message if a request cannot be parsed.

    grpc.aio answers UNKNOWN and prints a traceback; gRPC's own table of codes has INTERNAL.
    """

    def __init__(self, service: grpc.GenericRpcHandler, calls: Calls):
        self._service = service
        self._calls = calls
        self._checked = {}

    def service(self, handler_call_details):
        method = handler_call_details.method
        if method not in self._checked:
            handler = self._service.service(handler_call_details)
            if handler is None:
                return None
            self._checked[method] = _checked(handler, self._calls)
        return self._checked[method]


def _checked(handler, calls):
    if handler.request_deserializer is None:  # the method takes bytes
        return handler._replace(unary_unary=_counted(handler.unary_unary, calls))

    def parse(data):
        try:
            return parsed(handler.request_deserializer, data)
        except ServingError as error:
            return error

    async def check(request, context):
        if isinstance(request, ServingError):
            await context.abort(request.code, request.message)

    async def unary(request, context):
        await check(request, context)
        return await handler.unary_unary(request, context)

    async def watch(request, context):
        await check(request, context)
        work = asyncio.ensure_future(handler.unary_stream(request, context))
        try:
            await _first(work, calls.ended)
            await asyncio.wait({work}, timeout=LAST_WORDS)
            if work.done():
                work.result()
        finally:
            work.cancel()

    async def until_end(requests, context):
        while True:
            request = asyncio.ensure_future(anext(requests, None))
            try:
                await _first(request, calls.ended)
                if not request.done() or request.result() is None:
                    return
            finally:
                request.cancel()
            await check(request.result(), context)
            yield request.result()

    async def stream(requests, context):
        async for answer in handler.stream_stream(until_end(aiter(requests), context), context):
            yield answer

    kinds = {"unary_unary": _counted(unary, calls), "unary_stream": watch, "stream_stream": stream}
    given = {kind: answer for kind, answer in kinds.items() if getattr(handler, kind)}
    return handler._replace(request_deserializer=parse, **given)


def _counted(unary, calls):
    async def begun(request, context):
        calls.begin(context)
        return await unary(request, context)

    return begun


async def _first(work, event):
    waiting = asyncio.ensure_future(event.wait())
    try:
        await asyncio.wait({work, waiting}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()


class Registrar:
    """Stands in for the server to generated code: registers a service on it as `Checked`."""

    def __init__(self, server: grpc.aio.Server, calls: Calls):
        self.server = server
        self.calls = calls

    def add_generic_rpc_handlers(self, handlers):
        self.server.add_generic_rpc_handlers(tuple(Checked(h, self.calls) for h in handlers))

    def add_registered_method_handlers(self, service, handlers):
        """Does nothing: grpc.aio has no registered methods, only generic ones."""


async def before(event, work):
    """Whether `work` was done before `event`."""
    work, ended = asyncio.ensure_future(work), asyncio.ensure_future(event.wait())
    await asyncio.wait({work, ended}, return_when=asyncio.FIRST_COMPLETED)
    ended.cancel()
    if not work.done():
        work.cancel()
        return False
    work.result()
    return True
