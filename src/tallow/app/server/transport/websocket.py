"""WebSockets as the endpoints use them: limits on opening, sends and closes that cannot hang."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, MutableMapping
from contextlib import suppress
from typing import Any, Final

import orjson
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from tallow.app.server.limits.rate_limit import ConcurrencyLimiter
from tallow.app.server.transport.framed_websocket import ForwardingHooks, frame_protocol
from tallow.app.server.transport.messages import WebSocketRefusedError
from tallow.app.server.transport.origin import is_same_origin
from tallow.app.server.transport.refusals import log_refusal
from tallow.app.wire import CLOSE_CODES, RELAY_PATH, CloseReason
from tallow.monitoring.metrics import Metrics

SEND_TIMEOUT_S: Final = 15
TOO_MANY_SOCKETS: Final = "too_many_sockets"
NO_STATUS_RECEIVED: Final = 1005
"""RFC 6455, section 7.4.1."""


class TaskCanceller:
    """Lets other tasks end the task of a socket, with a reason. The first reason is kept.

    The task runs inside ``scope``, which then raises TimeoutError there.
    """

    __slots__ = ("reason", "scope")

    def __init__(self) -> None:
        self.scope = asyncio.timeout(None)
        self.reason: CloseReason | None = None

    def __call__(self, reason: CloseReason) -> None:
        if self.reason is None:
            self.reason = reason
            with suppress(RuntimeError):  # the task has left its scope and ends by itself
                self.scope.reschedule(asyncio.get_running_loop().time())


class GuardedWebSocket:
    """A WebSocket whose peer cannot block the server: a peer that does not read is disconnected."""

    __slots__ = ("_websocket", "scope")

    def __init__(self, websocket: WebSocket) -> None:
        self._websocket = websocket
        self.scope = websocket.scope

    async def receive(self) -> dict[str, Any]:
        """The next message, its content under ``text`` or ``bytes``.

        Raises:
            WebSocketDisconnect: the socket is closed.
        """
        self._require_open()
        return _content(await self._websocket.receive())

    async def receive_text(self) -> str | None:
        """The next text message; None for a binary one.

        Raises:
            WebSocketDisconnect: the socket is closed.
        """
        self._require_open()
        # Not receive(): one more coroutine would wait as long as the socket is idle.
        text: str | None = _content(await self._websocket.receive()).get("text")
        return text

    async def send_text(self, text: str) -> None:
        """Send text; returns when the socket's buffer has room for it.

        Raises:
            WebSocketDisconnect: the socket is closed.
        """
        self._require_connected()
        await self._websocket.send_text(text)

    async def send_bytes(self, data: bytes) -> None:
        """Send binary data; returns when the socket's buffer has room for it.

        Raises:
            WebSocketDisconnect: the socket is closed.
        """
        self._require_connected()
        await self._websocket.send_bytes(data)

    def forget_headers(self) -> None:
        """Free the request's headers: an idle socket would keep them as long as it is open."""
        self.scope["headers"] = []

    def forward_to(self, other: GuardedWebSocket, hooks: ForwardingHooks) -> bool:
        """Copy binary messages to another socket without :meth:`receive`.

        Returns:
            False if the HTTP server cannot do that, or messages wait already: they must be copied one by one.
        """
        source, target = frame_protocol(self.scope), frame_protocol(other.scope)
        return source is not None and target is not None and source.forward_to(target, hooks)

    def stop_forwarding(self) -> None:
        """End :meth:`forward_to`. Does nothing if it was not called."""
        source = frame_protocol(self.scope)
        if source is not None:
            source.stop_forwarding()

    async def send(self, message: Mapping[str, object]) -> None:
        """Send a message as JSON. Never raises; a peer that does not read it in time is disconnected."""
        try:
            async with asyncio.timeout(SEND_TIMEOUT_S):
                await self._websocket.send_text(orjson.dumps(message).decode())
        except (TimeoutError, RuntimeError, WebSocketDisconnect):
            await self.close(CLOSE_CODES["timeout"], "not reading")

    async def close(self, code: int, reason: str) -> None:
        """Close the socket. Never raises; a closed socket stays as it is."""
        if self._websocket.application_state is not WebSocketState.CONNECTED:
            return
        # A socket that cannot be closed in time is ended by its keep-alive.
        with suppress(TimeoutError, RuntimeError, WebSocketDisconnect):
            async with asyncio.timeout(SEND_TIMEOUT_S):
                await self._websocket.close(code, reason)

    async def close_with(self, reason: CloseReason, text: str | None = None) -> None:
        """Close the socket with a code of the protocol. Never raises."""
        await self.close(CLOSE_CODES[reason], text or reason)

    async def refuse_late_join(self, metrics: Metrics, endpoint: str) -> None:
        """Close the socket because its first message did not arrive in time. Never raises.

        Args:
            metrics: where it is counted.
            endpoint: ``signal`` or ``relay``.
        """
        metrics.record_limit_rejection("join_timeout")
        log_refusal("Socket refused", endpoint=endpoint, reason="timeout")
        await self.close_with("timeout", "no first message in time")

    async def refuse(self, refusal: WebSocketRefusedError) -> None:
        """Send the error and close the socket. Never raises."""
        await self.send(refusal.as_message())
        await self.close_with(refusal.code)

    def _require_open(self) -> None:
        if self._websocket.client_state is not WebSocketState.CONNECTED:
            raise WebSocketDisconnect(NO_STATUS_RECEIVED)

    def _require_connected(self) -> None:
        if self._websocket.application_state is not WebSocketState.CONNECTED:
            raise WebSocketDisconnect(NO_STATUS_RECEIVED)


def _content(message: MutableMapping[str, Any]) -> dict[str, Any]:
    """A message of the client.

    Raises:
        WebSocketDisconnect: the socket is closed.
    """
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code") or NO_STATUS_RECEIVED)
    return dict(message)


async def accept_websocket(
    websocket: WebSocket, address: bytes, limiter: ConcurrencyLimiter, metrics: Metrics
) -> GuardedWebSocket | None:
    """Accept a WebSocket; None if it is refused: another site's page, or too many from one address.

    A socket that is accepted counts for its address until the caller calls ``limiter.release(address)``.

    Args:
        address: hash of the client's address.
        limiter: counts the sockets of each address.
        metrics: where a refusal by the limiter is counted.
    """
    reason = _refusal(websocket, address, limiter)
    if reason is not None:
        endpoint = "relay" if websocket.scope["path"].endswith(RELAY_PATH) else "signal"
        if reason == TOO_MANY_SOCKETS:
            metrics.record_limit_rejection("sockets_per_address")
        log_refusal("Socket refused", endpoint=endpoint, reason=reason)
        await websocket.close()
        return None
    try:
        await websocket.accept()
    except BaseException:
        limiter.release(address)
        raise
    return GuardedWebSocket(websocket)


def _refusal(websocket: WebSocket, address: bytes, limiter: ConcurrencyLimiter) -> str | None:
    """Why a socket is not accepted. If it is accepted, it has been counted."""
    if not is_same_origin(websocket):
        return "bad_origin"
    return None if limiter.acquire(address) else TOO_MANY_SOCKETS
