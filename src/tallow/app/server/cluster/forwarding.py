"""Forwarding of WebSockets and telemetry reports to the process that owns the room.

Among the workers of one server an open WebSocket moves to the owner
(:mod:`tallow.app.server.cluster.socket_handoff`). Where that is not possible, the process that accepted a
WebSocket opens another one to the owner and copies messages in both directions, one at a time, so that a slow
reader slows the writer. The owner accepts only processes that know the shared secret, or, among the workers
of one server, those that reach its Unix socket in a private folder. The forwarding process names the client's
address, on which limits depend.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import MutableMapping
from typing import Any, Final

import httpx
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from tallow.app.server.cluster.room_directory import NodeAddress
from tallow.app.server.cluster.socket_handoff import WorkerSockets, hand_over
from tallow.app.server.transport.movable_websocket import is_adopted, movable
from tallow.app.server.transport.responses import ApiError
from tallow.app.server.transport.websocket import GuardedWebSocket
from tallow.app.wire import CLOSE_CODES
from tallow.monitoring import correlation
from tallow.monitoring.errors import report_error
from tallow.monitoring.integrations.http_client import TransportOptions, async_client
from tallow.monitoring.integrations.websocket_client import connect_unix_websocket, connect_websocket
from tallow.monitoring.logging import connection_logger

CLIENT_HEADER: Final = "x-tallow-client"
SECRET_HEADER: Final = "x-tallow-cluster"  # noqa: S105 - the header's name
FORWARDED: Final = "tallow.forwarded"
TIMEOUT_S: Final = 10
POLICY_VIOLATION: Final = 1008
"""RFC 6455, section 7.4.1."""
_COPIED_HEADERS: Final = ("content-type", "cache-control", "retry-after", "www-authenticate")


class InternalGateway:
    """The application for requests that other processes forward.

    Args:
        app: for forwarded requests, which the process that forwards them has counted.
        public_app: for WebSockets that another worker has passed on; they are counted here.
        secret: a forwarded request must have it in its header.
    """

    def __init__(self, app: ASGIApp, public_app: ASGIApp, secret: str) -> None:
        self._app = app
        self._public_app = public_app
        self._secret = secret.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if is_adopted(scope):
            scope[FORWARDED] = True
            await self._public_app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        if not hmac.compare_digest(headers.get(SECRET_HEADER.encode(), b""), self._secret):
            await _refuse(scope, send)
            return
        scope["client"] = (_header(headers, CLIENT_HEADER), 0)
        scope[FORWARDED] = True
        request_id = correlation.parse(_header(headers, correlation.HEADER.lower()))
        with correlation.bind(request_id or correlation.new_id()):
            await self._app(scope, receive, send)


def is_forwarded(scope: MutableMapping[str, Any]) -> bool:
    """Whether another process forwarded this request. It is not forwarded again."""
    return bool(scope.get(FORWARDED))


class RequestForwarder:
    """Forwards requests to other processes.

    Args:
        secret: the one that their :class:`InternalGateway` requires.
        workers: the other workers of this server, if there are any.
    """

    def __init__(self, secret: str = "", workers: WorkerSockets | None = None) -> None:
        self._secret = secret
        self._workers = workers

    async def forward_websocket(self, client: GuardedWebSocket, node: NodeAddress, first: str) -> None:
        """Move a WebSocket to the owner of its room, or copy its messages until one of them closes.

        Args:
            first: the client's first message, which was read already.
        """
        path = None if self._workers is None else self._workers.find(node)
        connection = movable(client.scope)
        if path is None or connection is None or not await hand_over(connection, path, first):
            await self.proxy_websocket(client, node, first)

    async def proxy_websocket(self, client: GuardedWebSocket, node: NodeAddress, first: str) -> None:
        """Copy messages between a client and the owner of its room until one of them closes.

        Args:
            first: the client's first message, which was read already.
        """
        try:
            owner = await self._connect(node, client.scope)
        except (OSError, TimeoutError, InvalidHandshake) as error:
            _report_unreachable(error)
            await client.close_with("internal", "the room's server cannot be reached")
            return
        async with owner:
            await owner.send(first)
            copies = {
                asyncio.create_task(_copy_to_owner(client, owner)),
                asyncio.create_task(_copy_to_client(owner, client)),
            }
            try:
                await asyncio.wait(copies, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for copy in copies:
                    copy.cancel()
                await asyncio.gather(*copies, return_exceptions=True)
        await client.close(owner.close_code or CLOSE_CODES["internal"], owner.close_reason or "")

    async def forward_request(self, request: Request, body: bytes, node: NodeAddress) -> Response:
        """Send a request to another process and return its response.

        Raises:
            ApiError: 503, the process cannot be reached.
        """
        transport: TransportOptions = {} if node.socket_path is None else {"uds": node.socket_path}
        headers = self._headers(request.scope)
        if "authorization" in request.headers:
            headers["authorization"] = request.headers["authorization"]
        url = f"http://{node.host_port or 'worker'}{request.scope['path']}"
        try:
            async with async_client(direct=True, transport=transport, timeout=TIMEOUT_S) as client:
                response = await client.post(url, content=body, headers=headers)
        except httpx.HTTPError as error:
            _report_unreachable(error)
            raise ApiError(503, "internal", "the room's server cannot be reached; try again", 1) from None
        copied = {name: response.headers[name] for name in _COPIED_HEADERS if name in response.headers}
        return Response(response.content, response.status_code, copied)

    async def _connect(self, node: NodeAddress, scope: MutableMapping[str, Any]) -> ClientConnection:
        options: dict[str, Any] = {
            "additional_headers": self._headers(scope),
            "compression": None,
            "max_size": None,  # the owner applies the protocol's limits
            "max_queue": 4,
            "ping_interval": None,
            "open_timeout": TIMEOUT_S,
        }
        path = scope["path"]
        if node.socket_path is not None:
            return await connect_unix_websocket(node.socket_path, f"ws://worker{path}", **options)
        return await connect_websocket(f"ws://{node.host_port}{path}", direct=True, **options)

    def _headers(self, scope: MutableMapping[str, Any]) -> dict[str, str]:
        client = scope.get("client")
        headers = {SECRET_HEADER: self._secret, CLIENT_HEADER: client[0] if client else ""}
        current = correlation.current()
        return headers | ({correlation.HEADER: current} if current else {})


async def _copy_to_owner(client: GuardedWebSocket, owner: ClientConnection) -> None:
    while True:
        message = await client.receive()
        text = message.get("text")
        await owner.send(message["bytes"] if text is None else text)


async def _copy_to_client(owner: ClientConnection, client: GuardedWebSocket) -> None:
    try:
        while True:
            message = await owner.recv()
            if isinstance(message, str):
                await client.send_text(message)
            else:
                await client.send_bytes(message)
    except ConnectionClosed:
        pass


def _report_unreachable(error: Exception) -> None:
    report_error(
        "network", "high", "Another server process cannot be reached", error=error, log=connection_logger
    )


def _header(headers: dict[bytes, bytes], name: str) -> str:
    return headers.get(name.encode(), b"").decode("latin-1")


async def _refuse(scope: Scope, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": POLICY_VIOLATION, "reason": ""})
    elif scope["type"] == "http":
        await Response("other processes of this server only\n", 403)(scope, _receive_disconnect, send)


async def _receive_disconnect() -> Any:
    return {"type": "http.disconnect"}
