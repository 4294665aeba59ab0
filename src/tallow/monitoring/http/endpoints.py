"""The endpoints an instrumented application answers beside its own: who may read them, and their answers."""

from __future__ import annotations

from typing import Final

from tallow.monitoring.asgi_types import Scope, Send
from tallow.monitoring.exposition import scrape
from tallow.monitoring.exposition.negotiation import negotiate
from tallow.monitoring.health import Health, responses
from tallow.monitoring.http import auth
from tallow.monitoring.metrics import Metrics

METHODS: Final = frozenset({"GET", "HEAD"})
_GUARDED: Final = frozenset({*scrape.PATHS, responses.DETAILED})
_PLAIN: Final = "text/plain; charset=utf-8"


class Endpoints:
    """``/metrics`` and ``/api/health`` of one application.

    Args:
        metrics_token: bearer token for /metrics; without one, ``METRICS_TOKEN`` of the settings.
        health_token: bearer token for /api/health/detailed; without one, ``HEALTH_CHECK_TOKEN``.
    """

    def __init__(
        self, metrics: Metrics, health: Health, metrics_token: str | None, health_token: str | None
    ) -> None:
        self._metrics = metrics
        self._answers = responses.HealthResponses(health, metrics)
        self._metrics_token = metrics_token
        self._health_token = health_token
        self.paths = frozenset({*scrape.PATHS, *responses.PATHS})
        for path in self.paths:
            metrics.register_route(path)

    def load(self) -> str | None:
        """Read the settings before the application starts: None, or one line saying which is bad."""
        from tallow.monitoring.settings import BadSettingError, current_settings  # pydantic takes a while

        try:
            current_settings()
        except BadSettingError as error:
            return str(error)
        return None

    async def answer(self, path: str, scope: Scope, send: Send) -> None:
        """Answer a request for one of ``paths``."""
        if scope["method"] not in METHODS:
            await send_text(send, 405, b"this endpoint answers GET and HEAD\n", [(b"allow", b"GET, HEAD")])
        elif path not in _GUARDED:
            await self._healthy(path, scope, send)
        elif self.load() is not None:  # an application without lifespan learns of it here, its clients do not
            await send_text(send, 503, b"the monitoring settings cannot be used\n")
        elif path == responses.DETAILED:
            from tallow.monitoring.settings import current_settings

            if await _admitted(self._health_token or current_settings().health_bearer, scope, send):
                await self._healthy(path, scope, send)
        else:
            await self._scraped(scope, send)

    async def _healthy(self, path: str, scope: Scope, send: Send) -> None:
        import orjson  # not before it is needed

        status, content = await self._answers.respond(path)
        body = orjson.dumps(content)
        await start_response(send, status, "application/json", [(b"content-length", str(len(body)).encode())])
        await send({"type": "http.response.body", "body": body if scope["method"] == "GET" else b""})

    async def _scraped(self, scope: Scope, send: Send) -> None:
        from tallow.monitoring.settings import current_settings

        if not await _admitted(self._metrics_token or current_settings().metrics_bearer, scope, send):
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


async def _admitted(token: str | None, scope: Scope, send: Send) -> bool:
    """Whether a request may pass; it has been refused otherwise."""
    if auth.is_allowed(token, _headers(scope), scope.get("client")):
        return True
    await send_text(
        send,
        401,
        b"this needs a bearer token or a direct request from this machine\n",
        [(b"www-authenticate", b"Bearer")],
    )
    return False


def _headers(scope: Scope) -> dict[str, str]:
    """By name in lower case; a list that came in several headers is one list (RFC 9110, section 5.3)."""
    found: dict[str, str] = {}
    for name, value in scope["headers"]:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        found[key] = f"{found[key]}, {text}" if key in found else text
    return found


async def start_response(
    send: Send, status: int, content_type: str, extra: list[tuple[bytes, bytes]]
) -> None:
    """Begin an answer that nobody keeps."""
    headers = [(b"content-type", content_type.encode()), (b"cache-control", b"no-store"), *extra]
    await send({"type": "http.response.start", "status": status, "headers": headers})


async def send_text(
    send: Send, status: int, line: bytes, extra: list[tuple[bytes, bytes]] | None = None
) -> None:
    """Answer with one line of text."""
    await start_response(send, status, _PLAIN, [*(extra or []), (b"content-length", str(len(line)).encode())])
    await send({"type": "http.response.body", "body": line})
