"""The viewer's metrics and their endpoint.

The catalogue of :mod:`tallow.monitoring.catalog` does not contain them; it lists the metrics of the server.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from tallow.monitoring.catalog.declaration import counter
from tallow.monitoring.catalog.model import NAMESPACE
from tallow.monitoring.exposition import scrape
from tallow.monitoring.exposition.negotiation import negotiate
from tallow.monitoring.http.auth import is_allowed
from tallow.monitoring.http.uvicorn_records import log_refused_connection
from tallow.monitoring.integrations.http_server.limits import REFUSALS
from tallow.monitoring.metrics.registry import Registry

METRICS_PATH: Final = "/metrics"
LOGIN_FAILURE_REASONS: Final = ("wrong_password", "rate_limited", "malformed", "untrusted_origin")
LOGIN_FAILURES: Final = counter(
    "viewer_login_failures_total",
    "Login attempts that the viewer refused.",
    {"reason": LOGIN_FAILURE_REASONS},
)
REFUSED_CONNECTIONS: Final = counter(
    "viewer_connections_refused_total",
    "Connections and requests that a limit of the viewer refused.",
    {"limit": REFUSALS},
)


def viewer_registry() -> Registry:
    """A registry with the viewer's metrics, every counter at 0."""
    return Registry((LOGIN_FAILURES, REFUSED_CONNECTIONS), namespace=NAMESPACE)


def refusal_recorder(registry: Registry) -> Callable[[str], None]:
    """Counts and logs what a limit on connections refuses, for ``ConnectionLimits.on_refusal``.

    Args:
        registry: of :func:`viewer_registry`.
    """
    refused = registry.families[REFUSED_CONNECTIONS.name]

    def record(limit: str) -> None:
        registry.add(refused, (limit,))
        log_refused_connection(limit)

    return record


def metrics_endpoint(registry: Registry, token: str | None) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint that exposes ``registry``.

    Args:
        registry: the metrics to expose.
        token: the bearer token that a request needs; without one, only direct requests from this machine are
            accepted.
    """

    async def metrics(request: Request) -> Response:
        client = request.client
        if not is_allowed(token, request.headers, (client.host, client.port) if client else None):
            return PlainTextResponse(
                "this needs a bearer token or a direct request from this machine\n",
                401,
                {"www-authenticate": "Bearer", "cache-control": "no-store"},
            )
        content_type, compress, escaping = negotiate(request.headers)
        headers = {
            "cache-control": "no-store",
            "content-type": content_type,
            "vary": "accept, accept-encoding",
        }
        if compress:
            headers["content-encoding"] = "gzip"
        return StreamingResponse(scrape.body(registry, content_type, compress, escaping), headers=headers)

    return metrics
