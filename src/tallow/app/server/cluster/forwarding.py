"""Handing a socket or a report to the process where its room lives.

The process that accepted a WebSocket opens one of its own to the room's home and carries messages both ways,
one at a time, so that a slow reader is felt at the other end. Only a shared secret (or a Unix socket in a
private folder) opens the other process's inner door; through it comes the client's address, for the limits.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any, Final

import httpx
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from tallow.app.server.cluster.room_directory import NodeAddress
from tallow.app.server.transport.responses import ApiError
from tallow.app.wire import CLOSE_CODES
from tallow.monitoring import correlation
from tallow.monitoring.integrations.http_client import TransportOptions, async_client
from tallow.monitoring.integrations.websocket_client import connect_unix_websocket, connect_websocket

if TYPE_CHECKING:
    from tallow.app.server.transport.websocket import GuardedWebSocket

CLIENT_HEADER: Final = "x-tallow-client"
SECRET_HEADER: Final = "x-tallow-cluster"  # noqa: S105 - the header's name
FORWARDED: Final = "tallow.handed"
TIMEOUT_S: Final = 10


class InternalGateway:
    """The application for other processes: a request tells its client's address and must show the secret."""

    def __init__(self, app: ASGIApp, secret: str) -> None:
        self._app = app
        self._secret = secret.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        if not hmac.compare_digest(headers.get(SECRET_HEADER.encode(), b""), self._secret):
            await _turn_away(scope, send)
            return
        scope["client"] = (headers.get(CLIENT_HEADER.encode(), b"").decode("latin-1"), 0)
        scope[FORWARDED] = True
        with correlation.bind(correlation.parse(_id(headers)) or correlation.new_id()):
            await self._app(scope, receive, send)


def is_forwarded(scope: MutableMapping[str, Any]) -> bool:
    """Whether a request came through the inner door: it is not handed on again."""
    return bool(scope.get(FORWARDED))


class RequestForwarder:
    """Opens other processes' inner doors.

    Args:
        secret: what they ask for.
    """

    def __init__(self, secret: str = "") -> None:
        self._secret = secret

    async def proxy_websocket(self, socket: GuardedWebSocket, place: NodeAddress, first: str) -> None:
        """Carry a WebSocket's messages to and from its room's home until one side ends it."""
        path = socket.scope["path"]
        try:
            home = await self._connect(place, path, socket.scope)
        except (OSError, TimeoutError, InvalidHandshake):
            await socket.close(CLOSE_CODES["internal"], "the room's server cannot be reached")
            return
        async with home:
            await home.send(first)
            ways = {asyncio.create_task(_inward(socket, home)), asyncio.create_task(_outward(home, socket))}
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in ways:
                    way.cancel()
                await asyncio.gather(*ways, return_exceptions=True)
        await socket.close(home.close_code or CLOSE_CODES["internal"], home.close_reason or "")

    async def forward_request(self, request: Request, body: bytes, place: NodeAddress) -> Response:
        """Ask a room's home and give its answer.

        Raises:
            ApiError: 503, it cannot be reached.
        """
        transport: TransportOptions = {} if place.socket_path is None else {"uds": place.socket_path}
        headers = self._headers(request.scope)
        if "authorization" in request.headers:
            headers["authorization"] = request.headers["authorization"]
        url = f"http://{place.host_port or 'worker'}{request.scope['path']}"
        try:
            async with async_client(direct=True, transport=transport, timeout=TIMEOUT_S) as client:
                answer = await client.post(url, content=body, headers=headers)
        except httpx.HTTPError:
            raise ApiError(503, "internal", "the room's server cannot be reached; try again", 1) from None
        kept = {name: answer.headers[name] for name in _ANSWER_HEADERS if name in answer.headers}
        return Response(answer.content, answer.status_code, kept)

    async def _connect(
        self, place: NodeAddress, path: str, scope: MutableMapping[str, Any]
    ) -> ClientConnection:
        options: dict[str, Any] = {
            "additional_headers": self._headers(scope),
            "compression": None,
            "max_size": None,  # the home's own limits hold
            "max_queue": 4,
            "ping_interval": None,
            "open_timeout": TIMEOUT_S,
        }
        if place.socket_path is not None:
            return await connect_unix_websocket(place.socket_path, f"ws://worker{path}", **options)
        return await connect_websocket(f"ws://{place.host_port}{path}", direct=True, **options)

    def _headers(self, scope: MutableMapping[str, Any]) -> dict[str, str]:
        client = scope.get("client")
        headers = {SECRET_HEADER: self._secret, CLIENT_HEADER: client[0] if client else ""}
        current = correlation.current()
        return headers | ({correlation.HEADER: current} if current else {})


_ANSWER_HEADERS: Final = ("content-type", "cache-control", "retry-after", "www-authenticate")


async def _inward(socket: GuardedWebSocket, home: ClientConnection) -> None:
    """From the client to the home."""
    while True:
        message = await socket.receive()
        text = message.get("text")
        await home.send(message["bytes"] if text is None else text)


async def _outward(home: ClientConnection, socket: GuardedWebSocket) -> None:
    """From the home to the client."""
    try:
        while True:
            message = await home.recv()
            if isinstance(message, str):
                await socket.send_text(message)
            else:
                await socket.send_bytes(message)
    except ConnectionClosed:
        pass


def _id(headers: dict[bytes, bytes]) -> str:
    return headers.get(correlation.HEADER.lower().encode(), b"").decode("latin-1")


async def _turn_away(scope: Scope, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": ""})
    elif scope["type"] == "http":
        await Response("other processes of this server only\n", 403)(scope, _nothing, send)


async def _nothing() -> Any:
    return {"type": "http.disconnect"}
