"""The messages of gRPC in the body of a request of ASGI."""

import zlib

from export.server.errors import ServingError


class Left(Exception):
    """The caller has left, and no answer can be sent."""


class Frames:
    """The messages in the body of a request.

    Args:
        receive: of ASGI.
        encoding: of messages that are compressed.
        most_bytes: limit of a message.
    """

    def __init__(self, receive, encoding: bytes, most_bytes: int):
        self.receive, self.encoding, self.most_bytes = receive, encoding, most_bytes
        self.data, self.whole = bytearray(), False

    async def until_left(self) -> None:
        """Returns when the caller has left."""
        while (await self.receive())["type"] != "http.disconnect":
            pass

    async def _more(self):
        message = await self.receive()
        if message["type"] == "http.disconnect":
            raise Left
        self.data += message["body"]
        self.whole = not message["more_body"]

    async def next(self) -> bytes | None:
        """The next message; None after the last.

        Raises:
            ServingError: it is larger than the limit, or the body ends inside it.
            Left: the caller has left.
        """
        while len(self.data) < 5 and not self.whole:
            await self._more()
        if not self.data and self.whole:
            return None
        size = int.from_bytes(self.data[1:5], "big")
        if size > self.most_bytes:
            raise self._too_large(size)
        while len(self.data) < 5 + size and not self.whole:
            await self._more()
        if len(self.data) < 5 + size:
            raise ServingError("INTERNAL", "the body ends inside a message")
        packed, message = self.data[0], bytes(memoryview(self.data)[5 : 5 + size])
        del self.data[: 5 + size]
        return self._unpacked(message) if packed else message

    async def only(self) -> bytes:
        """The message of a call that takes one."""
        message = await self.next()
        if message is None or not (self.whole or await self.next() is None) or self.data:
            raise ServingError("INTERNAL", "the call takes exactly one message")
        return message

    async def messages(self, parse):
        """Every message, parsed."""
        while (message := await self.next()) is not None:
            yield parse(message)

    def _too_large(self, size):
        return ServingError(
            "RESOURCE_EXHAUSTED", f"the message has {size} bytes, and at most {self.most_bytes}"
        )

    def _unpacked(self, message):
        if self.encoding not in (b"gzip", b"deflate"):
            raise ServingError("UNIMPLEMENTED", f"compression {self.encoding!r} is not known")
        # 47: of gzip or of zlib, whichever it is.
        unpack = zlib.decompressobj(47)
        try:
            found = unpack.decompress(message, self.most_bytes + 1)
        except zlib.error as error:
            raise ServingError("INTERNAL", f"the message cannot be unpacked: {error}") from None
        if len(found) > self.most_bytes:
            raise self._too_large(len(found))
        if not unpack.eof:
            raise ServingError("INTERNAL", "the message cannot be unpacked: it is cut short")
        return found
