"""The operational endpoints of an instrumented application: ``/metrics`` and ``/api/health``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from tallow.monitoring.asgi_types import Scope, Send
from tallow.monitoring.exposition import scrape
from tallow.monitoring.exposition.negotiation import negotiate
from tallow.monitoring.health import Health, responses
from tallow.monitoring.health.draining import DRAINING
from tallow.monitoring.http import auth
from tallow.monitoring.http.endpoint_paths import METRICS_PATH, EndpointPaths
from tallow.monitoring.metrics import Metrics
from tallow.monitoring.settings import BadSettingError, current_settings

if TYPE_CHECKING:
    from tallow.monitoring.settings.monitoring_settings import MonitoringSettings

METHODS: Final = frozenset({"GET", "HEAD"})
_PROTECTED: Final = frozenset({METRICS_PATH, responses.DETAILED})
_ERROR_CODES: Final = ("401", "503")
"""What these endpoints respond if access is refused, settings are invalid or a check fails."""
_PLAIN: Final = "text/plain; charset=utf-8"


class Endpoints:
    """Responds to the operational endpoints of one application.

    Args:
        metrics: what ``/metrics`` exposes.
        health: the checks behind ``/api/health``.
        metrics_token: bearer token for /metrics; by default the setting ``METRICS_TOKEN``.
        health_token: bearer token for /api/health/detailed; by default ``HEALTH_CHECK_TOKEN``.
        paths: where they are served.
        settings: returns the settings; by default those of the process.
    """

    def __init__(
        self,
        metrics: Metrics,
        health: Health,
        metrics_token: str | None,
        health_token: str | None,
        paths: EndpointPaths,
        settings: Callable[[], MonitoringSettings] = current_settings,
    ) -> None:
        self._metrics = metrics
        self._health = health
        self._responses = responses.HealthResponses(health, metrics)
        self._metrics_token = metrics_token
        self._health_token = health_token
        self._settings = settings
        self._is_open = False
        self.paths = paths
        for path in paths.endpoints:
            # Without sizes and most errors at 0: 120 lines for requests that only probes and scrapers send.
            metrics.register_route(path, methods=(), error_codes=_ERROR_CODES)

    async def open(self) -> None:
        """Run the checks once and handle SIGTERM, before the server accepts requests.

        The first probe has a result, and a check that blocks the event loop is found where it delays only the
        start.
        """
        DRAINING.open(self._settings().drain_seconds)
        self._is_open = True
        await self._health.warm_up()

    def close(self) -> None:
        """Give SIGTERM back to the server. Closing twice is allowed."""
        if self._is_open:
            self._is_open = False
            DRAINING.close()

    def settings_problem(self) -> str | None:
        """Read the settings; return one line about an invalid one, None if all are valid."""
        try:
            self._settings()
        except BadSettingError as error:
            return str(error)
        return None

    async def respond(self, path: str, scope: Scope, send: Send) -> None:
        """Respond to a request for one of ``paths``."""
        path = self.paths.endpoints[path]
        if scope["method"] not in METHODS:
            await send_text(send, 405, b"accepted methods: GET and HEAD\n", [(b"allow", b"GET, HEAD")])
        elif path not in _PROTECTED:
            await self._send_health(path, scope, send)
        elif (
            self.settings_problem() is not None
        ):  # the reason is not for clients; an application without lifespan learns of it here
            await send_text(send, 503, b"the monitoring settings are invalid\n")
        elif path == responses.DETAILED:
            if await _check_access(self._health_token or self._settings().health_bearer, scope, send):
                await self._send_health(path, scope, send)
        else:
            await self._send_metrics(scope, send)

    async def _send_health(self, path: str, scope: Scope, send: Send) -> None:
        import orjson  # only loaded when needed

        valid = self.settings_problem() is None
        # For a server without lifespan, or one that installs its handlers after it.
        DRAINING.install(self._settings().drain_seconds if valid else None)
        status, content = await self._responses.respond(path)
        body = orjson.dumps(content)
        await start_response(send, status, "application/json", [(b"content-length", str(len(body)).encode())])
        await send({"type": "http.response.body", "body": body if scope["method"] == "GET" else b""})

    async def _send_metrics(self, scope: Scope, send: Send) -> None:
        if not await _check_access(self._metrics_token or self._settings().metrics_bearer, scope, send):
            return
        headers = _headers(scope)
        content_type, compress, escaping = negotiate(headers)
        extra = [(b"vary", b"accept, accept-encoding")]
        if compress:
            extra.append((b"content-encoding", b"gzip"))
        await start_response(send, 200, content_type, extra)
        if scope["method"] == "GET":
            async for piece in scrape.body(self._metrics.registry, content_type, compress, escaping):
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


async def _check_access(token: str | None, scope: Scope, send: Send) -> bool:
    """Whether a request is allowed; if not, the response has been sent."""
    if auth.is_allowed(token, _headers(scope), scope.get("client")):
        return True
    await send_text(
        send,
        401,
        b"accepted: a bearer token, or a direct request from this machine\n",
        [(b"www-authenticate", b"Bearer")],
    )
    return False


def _headers(scope: Scope) -> dict[str, str]:
    """Return headers by lower-case name; repeated ones are joined as a list (RFC 9110, section 5.3)."""
    found: dict[str, str] = {}
    for name, value in scope["headers"]:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        found[key] = f"{found[key]}, {text}" if key in found else text
    return found


async def start_response(
    send: Send, status: int, content_type: str, extra: list[tuple[bytes, bytes]]
) -> None:
    """Send the start of a response that must not be cached."""
    headers = [(b"content-type", content_type.encode()), (b"cache-control", b"no-store"), *extra]
    await send({"type": "http.response.start", "status": status, "headers": headers})


async def send_text(
    send: Send, status: int, line: bytes, extra: list[tuple[bytes, bytes]] | None = None
) -> None:
    """Send a response of one line of text."""
    await start_response(send, status, _PLAIN, [*(extra or []), (b"content-length", str(len(line)).encode())])
    await send({"type": "http.response.body", "body": line})
