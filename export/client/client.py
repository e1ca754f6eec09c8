"""`Client` and `AsyncClient`: two ways to take the same steps."""

import asyncio
import collections
import time

import grpc

from export.client import channels
from export.client.errors import ServerError
from export.client.errors import from_rpc
from export.client.methods import Methods


class Client(Methods):
    """A client that waits for its answers; several threads may share one."""

    def _start(self):
        # Opened here: threads that share a client must not each open a channel.
        self._open(grpc)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    def close(self) -> None:
        self._channel.close()

    def _run(self, steps, timeout):
        deadline = channels.Deadline(self.timeout if timeout is None else timeout)
        try:
            step = next(steps)
            while True:
                try:
                    step = steps.send(self._take(step, deadline))
                except ServerError as error:
                    # Steps that have ended with this error raise it again.
                    step = steps.throw(error)
        except StopIteration as end:
            return end.value

    def _take(self, step, deadline):
        if isinstance(step, float):
            return time.sleep(min(step, deadline.left()))
        replies, under_way = [], collections.deque()
        try:
            for call in step:
                if len(under_way) == self.concurrency:
                    replies.append(self._reply(under_way, deadline))
                future = self._calls[call.method].future(call.request, timeout=deadline.left())
                under_way.append((call.rows, future))
            while under_way:
                replies.append(self._reply(under_way, deadline))
        finally:
            for _, future in under_way:
                future.cancel()
        return replies

    def _reply(self, under_way, deadline):
        rows, future = under_way.popleft()
        try:
            return future.result()
        except grpc.RpcError as error:
            raise from_rpc(error, self.server, deadline.seconds, rows) from None


class AsyncClient(Methods):
    """A client whose methods are awaited; it belongs to the event loop of its first call."""

    async def __aenter__(self):
        return self

    async def __aexit__(self, *exception):
        await self.close()

    async def close(self) -> None:
        if self._channel is not None:
            await self._channel.close()

    async def _run(self, steps, timeout):
        if self._channel is None:
            # Opened once a loop runs: gRPC ties a channel to the running loop.
            self._open(grpc.aio)
        deadline = channels.Deadline(self.timeout if timeout is None else timeout)
        try:
            step = next(steps)
            while True:
                try:
                    step = steps.send(await self._take(step, deadline))
                except ServerError as error:
                    # Steps that have ended with this error raise it again.
                    step = steps.throw(error)
        except StopIteration as end:
            return end.value

    async def _take(self, step, deadline):
        if isinstance(step, float):
            return await asyncio.sleep(min(step, deadline.left()))
        replies, under_way = [], collections.deque()
        try:
            for call in step:
                if len(under_way) == self.concurrency:
                    replies.append(await self._reply(under_way, deadline))
                future = self._calls[call.method](call.request, timeout=deadline.left())
                under_way.append((call.rows, future))
            while under_way:
                replies.append(await self._reply(under_way, deadline))
        finally:
            for _, future in under_way:
                future.cancel()
        return replies

    async def _reply(self, under_way, deadline):
        rows, future = under_way.popleft()
        try:
            return await future
        except grpc.aio.AioRpcError as error:
            raise from_rpc(error, self.server, deadline.seconds, rows) from None
