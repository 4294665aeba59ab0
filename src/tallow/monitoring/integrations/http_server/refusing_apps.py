"""Applications of a connection that refuse requests before the real one sees them."""

from __future__ import annotations

import math
from collections.abc import Awaitable

from tallow.monitoring.asgi_types import ASGIApp, Receive, Scope, Send
from tallow.monitoring.integrations.http_server.connection_table import Connection
from tallow.monitoring.integrations.http_server.limits import REQUEST_RATE, ConnectionLimits, RequestRate


class ReservedApp:
    """The application of a reserved connection: the operational endpoints, and 503 for everything else."""

    def __init__(self, app: ASGIApp, connection: Connection, paths: frozenset[str]) -> None:
        self._app = app
        self._connection = connection
        self._paths = paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] in self._paths:
            await self._app(scope, receive, send)
            return
        self._connection.refuse(self._connection.limit)
        body = b"the server has as many connections as it may; try again\n"
        await _refuse(send, 503, b"text/plain; charset=utf-8", body, 5)


class RateLimitedApp:
    """The application of a connection whose client may send requests at a limited rate.

    A request beyond it is answered 429 and ends the connection: a further one costs the client a connection,
    whose number is limited, too.
    """

    def __init__(self, app: ASGIApp, connection: Connection, limits: ConnectionLimits) -> None:
        self._app = app
        self._connection = connection
        self._limits = limits
        self._rate: RequestRate | None = None
        self._is_known = False

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Returns what the caller awaits: a coroutine of its own would be one more layer."""
        if not self._is_known:  # found with the first request: many connections send none
            self._rate = self._find_rate(scope)
            self._is_known = True
        wait = self._rate(scope["path"]) if self._rate is not None else 0
        return self._refuse(send, wait) if wait else self._app(scope, receive, send)

    def _find_rate(self, scope: Scope) -> RequestRate | None:
        client = scope.get("client")  # of the connection: the proxy's headers are read later
        host = client[0] if client else ""
        return None if self._limits.is_trusted_proxy(host) else self._limits.request_rate_of(host)

    async def _refuse(self, send: Send, wait: float) -> None:
        self._connection.refuse(REQUEST_RATE)
        body = b'{"error":"rate_limited","message":"too many requests of this address; try again later"}'
        await _refuse(send, 429, b"application/json", body, math.ceil(wait))


async def _refuse(send: Send, status: int, content_type: bytes, body: bytes, retry_after: int) -> None:
    """Answer with an error, and end the connection."""
    headers = [
        (b"content-type", content_type),
        (b"content-length", str(len(body)).encode()),
        (b"retry-after", str(retry_after).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
