"""A malicious server: it sees, and may change, all that passes between its peers."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Change = Callable[[bytes], list[bytes]]
Rewrite = Callable[[dict[str, Any]], dict[str, Any]]


class MaliciousServer:
    """An ASGI application around the server's.

    Attributes:
        seen: every byte that came in: HTTP bodies, paths and headers, signaling, relayed messages.
        from_sender: what becomes of each message of the sender on the relay.
        from_receiver: likewise.
        signaling: what becomes of each signaling message.
    """

    def __init__(self) -> None:
        self.seen: list[bytes] = []
        self.from_sender: Change = lambda message: [message]
        self.from_receiver: Change = lambda message: [message]
        self.signaling: Rewrite = lambda message: message

    def wrap(self, app: Any) -> Any:
        """The server as this one lets its peers see it."""

        async def wrapped(scope: Message, receive: Receive, send: Any) -> None:
            if scope["type"] == "lifespan":
                await app(scope, receive, send)
                return
            self.seen += [
                scope["raw_path"],
                scope["query_string"],
                *(part for pair in scope["headers"] for part in pair),
            ]
            relay = scope["type"] == "websocket" and scope["path"] == "/api/relay"
            take = _Relay(self, receive) if relay else _Other(self, receive)
            await app(scope, take, send)

        return wrapped


class _Other:
    """HTTP and signaling."""

    def __init__(self, meddler: MaliciousServer, receive: Receive) -> None:
        self._meddler = meddler
        self._receive = receive

    async def __call__(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self._meddler.seen.append(bytes(message["body"]))
        text = message.get("text")
        if text is not None:
            self._meddler.seen.append(text.encode())
            message = dict(message) | {"text": json.dumps(self._meddler.signaling(json.loads(text)))}
        return message


class _Relay:
    """One side of the relay: the sender is who says hello."""

    def __init__(self, meddler: MaliciousServer, receive: Receive) -> None:
        self._meddler = meddler
        self._receive = receive
        self._change: Change | None = None
        self._waiting: list[bytes] = []

    async def __call__(self) -> Message:
        while not self._waiting:
            message = await self._receive()
            data = message.get("bytes")
            if data is None:
                return message
            self._meddler.seen.append(bytes(data))
            if self._change is None:
                meddler = self._meddler
                self._change = meddler.from_sender if data[0] == 1 else meddler.from_receiver
            self._waiting += self._change(bytes(data))
        return {"type": "websocket.receive", "bytes": self._waiting.pop(0), "text": None}
