"""The endpoints an instrumented application answers beside its own: who may read them, and their answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

from tallow.monitoring import access, scrape
from tallow.monitoring.metrics import Metrics

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

METHODS: Final = frozenset({"GET", "HEAD"})
_PLAIN: Final = "text/plain; charset=utf-8"


class Endpoints:
    """``/metrics`` of one application.

    Args:
        metrics_token: bearer token for /metrics; without one, ``METRICS_TOKEN`` of the settings.
    """

    def __init__(self, metrics: Metrics, metrics_token: str | None) -> None:
        self._metrics = metrics
        self._metrics_token = metrics_token
        self.paths = frozenset(scrape.PATHS)
        for path in self.paths:
            metrics.register_route(path)

    def take(self, scope: Scope) -> bool:
        """Whether a request is for one of these endpoints."""
        return scope["path"] in self.paths and scope["method"] in METHODS

    def load(self) -> str | None:
        """Read the settings before the application starts: None, or one line saying which is bad."""
        from tallow.monitoring.settings import BadSettingError, current_settings  # pydantic takes a while

        try:
            current_settings()
        except BadSettingError as error:
            return str(error)
        return None

    async def answer(self, scope: Scope, send: Send) -> None:
        """Answer a request that :meth:`take` took."""
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        if self.load() is not None:  # an application without lifespan learns of it here, its peers do not
            await say(send, 503, b"the monitoring settings cannot be used\n")
            return
        await self._scraped(scope, headers, send)

    async def _scraped(self, scope: Scope, headers: dict[str, str], send: Send) -> None:
        from tallow.monitoring.settings import current_settings

        token = self._metrics_token or current_settings().metrics_bearer
        if not access.allowed(token, headers, scope.get("client")):
            await say(send, 401, b"metrics need a bearer token or a direct request from this machine\n")
            return
        content_type, compress = scrape.negotiate(headers)
        extra = [(b"vary", b"accept, accept-encoding")]
        if compress:
            extra.append((b"content-encoding", b"gzip"))
        await start(send, 200, content_type, extra)
        if scope["method"] == "GET":
            async for piece in scrape.body(self._metrics.registry, content_type, compress):
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


async def start(send: Send, status: int, content_type: str, extra: list[tuple[bytes, bytes]]) -> None:
    """Begin an answer that nobody keeps."""
    headers = [(b"content-type", content_type.encode()), (b"cache-control", b"no-store"), *extra]
    await send({"type": "http.response.start", "status": status, "headers": headers})


async def say(send: Send, status: int, line: bytes) -> None:
    """Answer with one line of text."""
    extra = [(b"www-authenticate", b"Bearer")] if status == 401 else []
    await start(send, status, _PLAIN, [*extra, (b"content-length", str(len(line)).encode())])
    await send({"type": "http.response.body", "body": line})
