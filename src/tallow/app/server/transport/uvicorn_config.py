"""Listening: sockets, and uvicorn set up for Tallow."""

from __future__ import annotations

import contextlib
import logging
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import uvicorn

from tallow.app.server.settings import BadSettingError, ServerSettings
from tallow.app.server.transport.uvicorn_websocket import BoundedWebSocket
from tallow.app.wire import MAX_RELAY_MESSAGE_BYTES

BACKLOG: Final = 2048
SHUTDOWN_S: Final = 5


def server_config(app: Any, settings: ServerSettings, **options: Any) -> uvicorn.Config:
    """uvicorn, set up for Tallow: h11 (it bounds the size of headers), bounded WebSockets without
    compression, no access log (it would hold addresses). Further options are uvicorn's own."""
    logging.getLogger("uvicorn.error").addFilter(_holds_no_address)
    return uvicorn.Config(
        app,
        http="h11",
        h11_max_incomplete_event_size=32 * 1024,
        ws=BoundedWebSocket,
        ws_max_size=MAX_RELAY_MESSAGE_BYTES,
        ws_per_message_deflate=False,
        ws_ping_interval=settings.ping_interval,
        ws_ping_timeout=settings.ping_timeout,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=SHUTDOWN_S,
        **options,
    )


def _holds_no_address(record: logging.LogRecord) -> bool:
    """Whether to keep a record: uvicorn logs every WebSocket with its client's address, and no option of its
    own stops that."""
    return '"WebSocket %s"' not in str(record.msg)


class InnerServer(uvicorn.Server):
    """A server beside the one that owns the process: it leaves signals alone."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def listen(host: str, port: int) -> socket.socket:
    """A listening TCP socket.

    Raises:
        BadSettingError: the address cannot be had.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)  # whoever reads the line we print may connect at once
    except OSError as error:
        raise BadSettingError(f"cannot listen on {host}:{port}: {error.strerror or error}") from None
    return listener


def listen_unix(path: Path) -> socket.socket:
    """A listening Unix socket, in the place of one that a dead process left."""
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen(BACKLOG)
    return listener
