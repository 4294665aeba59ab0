"""A malicious server: it reads, and can change, everything that passes between its peers."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tallow.app.server.transport.framed_websocket import CONNECTION
from tallow.monitoring.asgi_types import Message, Receive

Change = Callable[[bytes], list[bytes]]
Rewrite = Callable[[dict[str, Any]], dict[str, Any]]


class MaliciousServer:
    """An ASGI middleware around the server's application.

    Attributes:
        seen: every byte received: HTTP bodies, paths and headers, signaling, relayed messages.
        from_sender: returns the messages to relay for each message of the sender.
        from_receiver: returns the messages to relay for each message of the receiver.
        signaling: returns the signaling message to pass on.
    """

    def __init__(self) -> None:
        self.seen: list[bytes] = []
        self.from_sender: Change = lambda message: [message]
        self.from_receiver: Change = lambda message: [message]
        self.signaling: Rewrite = lambda message: message

    def wrap(self, app: Any) -> Any:
        """Put this middleware around an application."""

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
            if relay:  # without the protocol's own copying every message passes through here
                kept = {name: value for name, value in scope["extensions"].items() if name != CONNECTION}
                scope = dict(scope) | {"extensions": kept}
            take = _Relay(self, receive) if relay else _HttpAndSignaling(self, receive)
            await app(scope, take, send)

        return wrapped


class _HttpAndSignaling:
    """Records HTTP bodies; records and rewrites signaling messages."""

    def __init__(self, server: MaliciousServer, receive: Receive) -> None:
        self._server = server
        self._receive = receive

    async def __call__(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self._server.seen.append(bytes(message["body"]))
        text = message.get("text")
        if text is not None:
            self._server.seen.append(text.encode())
            message = dict(message) | {"text": json.dumps(self._server.signaling(json.loads(text)))}
        return message


class _Relay:
    """One side of the relay. The first byte of the first message shows whether it is the sender's (hello)."""

    def __init__(self, server: MaliciousServer, receive: Receive) -> None:
        self._server = server
        self._receive = receive
        self._change: Change | None = None
        self._pending: list[bytes] = []

    async def __call__(self) -> Message:
        while not self._pending:
            message = await self._receive()
            data = message.get("bytes")
            if data is None:
                return message
            self._server.seen.append(bytes(data))
            if self._change is None:
                server = self._server
                self._change = server.from_sender if data[0] == 1 else server.from_receiver
            self._pending += self._change(bytes(data))
        return {"type": "websocket.receive", "bytes": self._pending.pop(0), "text": None}
