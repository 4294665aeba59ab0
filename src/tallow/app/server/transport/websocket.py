"""What both WebSockets share: who may open one, how they are closed, and sends that cannot hang."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any, Final
from urllib.parse import urlsplit

import orjson
from starlette.requests import HTTPConnection
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from tallow.app.server.context import ServerContext
from tallow.app.server.transport.messages import WebSocketRefusedError
from tallow.app.wire import CLOSE_CODES, CloseReason

SEND_TIMEOUT_S: Final = 15


def is_same_origin(connection: HTTPConnection) -> bool:
    """Whether a request comes from our own page, or from no page at all (a browser always names its page's
    origin on WebSockets and POST; RFC 6455, section 10.2)."""
    origin = connection.headers.get("origin")
    return origin is None or urlsplit(origin).netloc.lower() == connection.headers.get("host", "").lower()


class TaskCanceller:
    """Lets others end a socket's task, whatever it waits for. The first code given is the one that counts.

    The task runs inside ``scope``, which then raises TimeoutError there.
    """

    def __init__(self) -> None:
        self.scope = asyncio.timeout(None)
        self.code: CloseReason | None = None

    def __call__(self, code: CloseReason) -> None:
        if self.code is None:
            self.code = code
            with suppress(RuntimeError):  # the task is past its scope: it ends by itself
                self.scope.reschedule(asyncio.get_running_loop().time())


class GuardedWebSocket:
    """A WebSocket whose sends and closes never raise and never hang: a peer that does not read is dropped."""

    def __init__(self, websocket: WebSocket) -> None:
        self._websocket = websocket
        self.scope = websocket.scope

    async def receive(self) -> dict[str, Any]:
        """The next message, its content under ``text`` or ``bytes``.

        Raises:
            WebSocketDisconnect: the socket is gone.
        """
        if self._websocket.client_state is not WebSocketState.CONNECTED:
            raise WebSocketDisconnect(1005)
        message = await self._websocket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code") or 1005)
        return dict(message)

    async def receive_text(self) -> str | None:
        """The next text message; None for a binary one.

        Raises:
            WebSocketDisconnect: the socket is gone.
        """
        text: str | None = (await self.receive()).get("text")
        return text

    async def send_text(self, text: str) -> None:
        """Hand over a text; returns when the socket's buffer has room for it.

        Raises:
            WebSocketDisconnect: the socket is gone.
        """
        if self._websocket.application_state is not WebSocketState.CONNECTED:
            raise WebSocketDisconnect(1005)
        await self._websocket.send_text(text)

    async def send_bytes(self, data: bytes) -> None:
        """Hand over binary data; returns when the socket's buffer has room for it.

        Raises:
            WebSocketDisconnect: the socket is gone.
        """
        if self._websocket.application_state is not WebSocketState.CONNECTED:
            raise WebSocketDisconnect(1005)
        await self._websocket.send_bytes(data)

    async def send(self, message: Mapping[str, object]) -> None:
        try:
            async with asyncio.timeout(SEND_TIMEOUT_S):
                await self._websocket.send_text(orjson.dumps(message).decode())
        except (TimeoutError, RuntimeError, WebSocketDisconnect):
            await self.close(CLOSE_CODES["timeout"], "not reading")

    async def close(self, code: int, reason: str) -> None:
        if self._websocket.application_state is not WebSocketState.CONNECTED:
            return
        try:
            async with asyncio.timeout(SEND_TIMEOUT_S):
                await self._websocket.close(code, reason)
        except (TimeoutError, RuntimeError, WebSocketDisconnect):
            pass  # it is gone already, or its keep-alive will end it

    async def refuse(self, refusal: WebSocketRefusedError) -> None:
        """Say why and close."""
        await self.send(refusal.as_message())
        await self.close(CLOSE_CODES[refusal.code], refusal.code)


@asynccontextmanager
async def accept_websocket(
    websocket: WebSocket, context: ServerContext
) -> AsyncIterator[GuardedWebSocket | None]:
    """Accept a WebSocket from our own origin, within its address's share; None if it was turned away."""
    address = context.address_hasher.key(websocket.scope)
    if not is_same_origin(websocket) or not context.socket_limiter.acquire(address):
        await websocket.close()
        yield None
        return
    try:
        await websocket.accept()
        yield GuardedWebSocket(websocket)
    finally:
        context.socket_limiter.release(address)
