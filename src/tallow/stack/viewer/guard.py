"""Check Host and Origin of every request (DNS rebinding, other sites); add strict response headers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
CONTENT_SECURITY_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        # The hash of an empty text: the page creates empty style elements and inserts rules into them.
        "style-src 'self' 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='",
        "img-src 'self' data: blob:",
        "font-src 'self'",
        "connect-src 'self'",
        "worker-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS: Final = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",  # with no-referrer, browsers post forms with "Origin: null"
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
HEALTH_PATH: Final = "/healthz"


class RequestGuard:
    """ASGI middleware.

    Args:
        hosts: accepted host names besides those of this machine.
        unknown_host_message: the response to a request with another host name.
        on_refusal: called with the scope of every refused request.
    """

    def __init__(
        self,
        app: ASGIApp,
        hosts: Iterable[str] = (),
        unknown_host_message: str = "the viewer does not accept this host name; start it with --allow-host",
        on_refusal: Callable[[Scope], None] | None = None,
    ) -> None:
        self._app = app
        self._unknown_host_message = unknown_host_message
        self._on_refusal = on_refusal
        self._hosts = LOOPBACK | {host.lower().strip("[]") for host in hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
            await send(message)

        refusal = self._refusal(scope)
        if refusal is not None and self._on_refusal is not None:
            self._on_refusal(scope)
        response = self._app if refusal is None else PlainTextResponse(refusal + "\n", 403)
        await response(scope, receive, with_headers)

    def _refusal(self, scope: Scope) -> str | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if scope["path"] != HEALTH_PATH and _name(host) not in self._hosts:
            return self._unknown_host_message
        origin = headers.get("origin")
        if origin is not None and origin.lower() != f"{scope['scheme']}://{host.lower()}":
            return "this request comes from another origin"
        navigates = headers.get("sec-fetch-mode", "navigate") == "navigate" and scope["method"] == "GET"
        if headers.get("sec-fetch-site") in {"cross-site", "same-site"} and not navigates:
            return "this request comes from another site"
        return None


def _name(host: str) -> str | None:
    """The host name without its port; None if the header is malformed."""
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None
