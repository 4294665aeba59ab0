"""A peer's client of the server: HTTP requests and WebSockets."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import InvalidHandshake, InvalidURI

from tallow import __version__
from tallow.app.peer.errors import PeerError, ServerConnectionError, ServerRefusedError
from tallow.app.wire import ROOMS_PATH, TELEMETRY_PATH
from tallow.monitoring import correlation
from tallow.monitoring.integrations.http_client import async_client
from tallow.monitoring.integrations.request_errors import (
    describe_response,
    failed_proxy,
    is_untrusted,
    proxy_suffix,
)
from tallow.monitoring.integrations.websocket_client import connect_websocket

AGENT: Final = f"tallow/{__version__}"
TIMEOUT_S: Final = 15


def tls_context(ca: Path | None = None) -> ssl.SSLContext:
    """The TLS settings: the system's authorities, or those of SSL_CERT_FILE, and those of ``ca``.

    Raises:
        PeerError: the file holds no certificate.
    """
    context = ssl.create_default_context()
    if ca is not None:
        try:
            context.load_verify_locations(ca)
        except (OSError, ssl.SSLError):
            raise PeerError("the file of --ca holds no certificate in PEM form", "validation") from None
    return context


@dataclass(frozen=True, slots=True)
class CreatedRoom:
    """A new room, which expires in ``expires_in`` seconds."""

    room: str
    expires_in: int


class ServerClient:
    """A client of one Tallow server.

    Args:
        origin: ``https://host[:port]``.
        context: trusted certificates.
        do_not_track: whether the server is asked to leave this peer out of usage statistics.
    """

    def __init__(self, origin: str, context: ssl.SSLContext, *, do_not_track: bool = False) -> None:
        self.origin = origin
        self.do_not_track = do_not_track
        self._privacy: Final = {"DNT": "1"} if do_not_track else {}
        self._context = context
        self._http = async_client(
            base_url=origin,
            transport={"verify": context},
            timeout=TIMEOUT_S,
            headers={"user-agent": AGENT, **self._privacy},
            event_hooks={"request": [_add_correlation_id]},
        )

    async def __aenter__(self) -> ServerClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def create_room(self, token_hash: str, receivers: int = 1) -> CreatedRoom:
        """Create the room of a link. The server gets only the hash of the join token.

        Args:
            receivers: of the link; for several, the other rooms follow from the id of this one.

        Raises:
            PeerError: the room was not created.
        """
        try:
            body: dict[str, str | int] = {"token_hash": token_hash}
            if receivers > 1:
                body["receivers"] = receivers
            answer = await self._http.post(ROOMS_PATH, json=body)
            if answer.status_code == 429:
                raise ServerRefusedError("rate_limited")
            if answer.status_code == 201:
                room = answer.json()
                return CreatedRoom(str(room["room"]), int(room["expires_in"]))
        except httpx.HTTPError as error:
            raise ServerConnectionError(self._describe_failure(error)) from None
        except (ValueError, KeyError, TypeError):
            pass  # not a Tallow server's answer
        if answer.status_code >= 500:
            raise ServerConnectionError(
                f"the server {self.origin} cannot create rooms now{_proxy_status(answer)}"
            )
        raise PeerError(f"{self.origin}{proxy_suffix(answer)} is not a Tallow server", "signaling")

    async def post_report(self, token: str, body: dict[str, Any]) -> httpx.Response:
        """Send a telemetry report.

        Raises:
            httpx.HTTPError: the server cannot be reached.
        """
        headers = {"authorization": f"Bearer {token}"}
        return await self._http.post(TELEMETRY_PATH, json=body, headers=headers)

    async def open_websocket(self, path: str, **options: Any) -> ClientConnection:
        """Open a WebSocket without compression: encrypted data does not compress.

        Raises:
            ServerConnectionError: it cannot be opened.
        """
        headers = {"X-Request-ID": correlation.current() or correlation.new_id(), **self._privacy}
        secure = self.origin.startswith("https")
        try:
            return await connect_websocket(
                self.origin.replace("http", "ws", 1) + path,
                compression=None,
                ssl=self._context if secure else None,
                user_agent_header=AGENT,
                additional_headers=headers,
                open_timeout=TIMEOUT_S,
                close_timeout=2,
                **options,
            )
        except (OSError, InvalidHandshake, InvalidURI) as error:
            raise ServerConnectionError(self._describe_failure(error)) from None

    def _describe_failure(self, error: Exception) -> str:
        """Why a request failed, in one line that names the server."""
        proxy = failed_proxy(error)
        if is_untrusted(error):
            text = proxy or "the server's certificate is not trusted here"
            return f"{text}; name its authority with --ca ({self.origin})"
        text = f"the server cannot be reached at {self.origin}"
        return f"{text}: {proxy}" if proxy else text


def _proxy_status(answer: httpx.Response) -> str:
    """How a proxy answered, in brackets; empty without a proxy."""
    return f" (it {describe_response(answer)})" if proxy_suffix(answer) else ""


async def _add_correlation_id(request: httpx.Request) -> None:
    current = correlation.current()
    if current is not None:
        request.headers[correlation.HEADER] = current
