"""Limit the requests of one address behind a trusted proxy.

A proxy's connections carry many clients, so that they are not limited by address. What a client is called is
known only when a request's header has arrived.
"""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from tallow.app.server.context import ServerContext
from tallow.app.server.limits.client_address import client_host
from tallow.app.server.limits.rate_limit import ConcurrencyLimiter
from tallow.app.server.limits.request_rate import LIMIT as RATE
from tallow.app.server.limits.request_rate import ClientRequestRates
from tallow.app.server.transport.refusals import log_refusal
from tallow.app.server.transport.responses import ApiError

CONCURRENCY = "connections_per_address"


class ProxiedRequestLimits:
    """ASGI middleware: how many requests an address sends in a minute, and at a time.

    WebSockets have limits of their own. The connection stays open after a refusal: it carries other clients.

    Args:
        context: of the server, with the settings ``requests_per_minute`` and ``connections_per_address``.
    """

    def __init__(self, app: ASGIApp, context: ServerContext) -> None:
        self._app = app
        self._context = context
        self._rates = ClientRequestRates(context.settings.requests_per_minute)
        self._limiter = ConcurrencyLimiter(context.settings.connections_per_address)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        rate = self._rates.of(client_host(scope))
        if rate is not None and (wait := rate(scope["path"])):
            refusal = ApiError(429, "rate_limited", "too many requests of this address", wait, limit=RATE)
            await self._refuse(refusal)(scope, receive, send)
            return
        address = self._context.address_hasher.key(scope)
        if not self._limiter.acquire(address):
            message = "too many requests of this address at a time"
            refusal = ApiError(429, "rate_limited", message, 1, limit=CONCURRENCY)
            await self._refuse(refusal)(scope, receive, send)
            return
        try:
            await self._app(scope, receive, send)
        finally:
            self._limiter.release(address)

    def _refuse(self, refusal: ApiError) -> ASGIApp:
        assert refusal.limit is not None
        self._context.metrics.record_limit_rejection(refusal.limit)
        log_refusal("Request refused", endpoint="any", reason=refusal.limit)
        return refusal.response()
