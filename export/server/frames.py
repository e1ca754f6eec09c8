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
        self.parts, self.size, self.whole = [], 0, False  # what has come and not been taken

    async def _more(self):
        message = await self.receive()
        if message["type"] == "http.disconnect":
            raise Left
        self.whole = not message["more_body"]
        if message["body"]:
            self.parts.append(message["body"])
            self.size += len(message["body"])

    async def next(self) -> bytes | None:
        """The next message; None after the last.

        Raises:
            ServingError: it is larger than the limit, or the body ends inside it.
            Left: the caller has left.
        """
        while self.size < 5 and not self.whole:
            await self._more()
        if not self.size:
            return None
        head = self._taken(5)
        size = int.from_bytes(head[1:], "big")
        if size > self.most_bytes:
            raise self._too_large(size)
        while self.size < size and not self.whole:
            await self._more()
        if len(head) < 5 or self.size < size:
            raise ServingError("INTERNAL", "the body ends inside a message")
        message = self._taken(size)
        return self._unpacked(message) if head[0] else message

    def _taken(self, size):
        """The next bytes, as many as there are; a message in many parts is copied once."""
        if not self.parts or len(self.parts[0]) < size:
            self.parts = [b"".join(self.parts)]
        first = self.parts[0]
        taken, self.parts[0] = first[:size], first[size:]
        if not self.parts[0]:
            del self.parts[0]
        self.size -= len(taken)
        return taken

    async def only(self) -> bytes:
        """The message of a call that takes one."""
        message = await self.next()
        if message is None or not (self.whole or await self.next() is None) or self.size:
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
