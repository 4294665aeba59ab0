"""Listening sockets, and uvicorn's configuration for the server."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any, Final

import uvicorn

from tallow.app.server.settings import BadSettingError, ServerSettings
from tallow.app.server.transport.framed_websocket import FramedWebSocket
from tallow.app.wire import MAX_RELAY_MESSAGE_BYTES
from tallow.monitoring.http.uvicorn_records import limit_connection_records
from tallow.monitoring.integrations.uvicorn_config import uvicorn_config

BACKLOG: Final = 2048


def server_config(app: Any, settings: ServerSettings, **options: Any) -> uvicorn.Config:
    """uvicorn's configuration for the server: bounded WebSockets without compression, trusted proxies.

    Args:
        options: further options of :class:`uvicorn.Config`.
    """
    limit_connection_records()
    return uvicorn_config(
        app,
        ws=FramedWebSocket,
        ws_max_size=MAX_RELAY_MESSAGE_BYTES,
        ws_per_message_deflate=False,
        ws_ping_interval=settings.ping_interval,
        ws_ping_timeout=settings.ping_timeout,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        **options,
    )


def listen(host: str, port: int) -> socket.socket:
    """A listening TCP socket.

    Raises:
        BadSettingError: the address is not available.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)  # before the address is printed: clients may connect at once
    except OSError as error:
        raise BadSettingError(f"cannot listen on {host}:{port}: {error.strerror or error}") from None
    return listener


def listen_unix(path: Path) -> socket.socket:
    """A listening Unix socket; replaces the file that an exited process left."""
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen(BACKLOG)
    return listener
