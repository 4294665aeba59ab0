"""Limit the concurrent requests of one address behind a trusted proxy.

A proxy's connections carry many clients, so that they are not limited by address. What a client is called is
known only when a request's header has arrived.
"""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from tallow.app.server.context import ServerContext
from tallow.app.server.limits.rate_limit import ConcurrencyLimiter
from tallow.app.server.transport.refusals import log_refusal
from tallow.app.server.transport.responses import ApiError

LIMIT = "connections_per_address"


class ConcurrentRequestLimit:
    """ASGI middleware. WebSockets have a limit of their own.

    Args:
        context: of the server; its setting ``connections_per_address`` is the limit.
    """

    def __init__(self, app: ASGIApp, context: ServerContext) -> None:
        self._app = app
        self._context = context
        self._limiter = ConcurrencyLimiter(context.settings.connections_per_address)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        address = self._context.address_hasher.key(scope)
        if not self._limiter.acquire(address):
            self._context.metrics.record_limit_rejection(LIMIT)
            log_refusal("Request refused", endpoint="any", reason=LIMIT)
            refusal = ApiError(429, "rate_limited", "too many requests of this address at a time", 1)
            await refusal.response()(scope, receive, send)
            return
        try:
            await self._app(scope, receive, send)
        finally:
            self._limiter.release(address)
