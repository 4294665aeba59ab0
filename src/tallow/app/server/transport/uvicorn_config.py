"""Listening sockets, and uvicorn's configuration for the server."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from tallow.app.server.limits.connection_rate import ConnectionRate
from tallow.app.server.limits.request_rate import OPERATIONAL_PATHS, ClientRequestRates
from tallow.app.server.settings import BadSettingError, ServerSettings
from tallow.app.server.transport.movable_websocket import MovableWebSocket
from tallow.app.server.transport.refusals import ConnectionRefusals
from tallow.app.wire import MAX_RELAY_MESSAGE_BYTES
from tallow.monitoring.http.uvicorn_records import limit_connection_records
from tallow.monitoring.integrations.http_server.limits import ConnectionLimits
from tallow.monitoring.integrations.http_server.server import LimitedConfig
from tallow.monitoring.integrations.uvicorn_config import uvicorn_config
from tallow.monitoring.metrics import Metrics

BACKLOG: Final = 2048


def server_config(
    app: Any,
    settings: ServerSettings,
    *,
    metrics: Metrics | None = None,
    is_internal: bool = False,
    **options: Any,
) -> LimitedConfig:
    """uvicorn's configuration for the server: bounded WebSockets without compression, trusted proxies.

    Args:
        metrics: where refused connections are counted; by default those of the process.
        is_internal: whether the clients are this server's other processes, which may connect as often as they
            like.
        options: further options of :class:`uvicorn.Config`.
    """
    limit_connection_records()
    is_forwarding = options.get("workers", 1) > 1 or settings.cluster_secret is not None
    limits = connection_limits(settings, ConnectionRefusals(metrics), is_forwarding=is_forwarding)
    if not is_internal:
        limits = replace(
            limits,
            refused_by=ConnectionRate(settings.connections_per_minute),
            request_rate_of=ClientRequestRates(settings.requests_per_minute).of,
        )
    return uvicorn_config(
        app,
        limits,
        ws=MovableWebSocket,
        ws_max_size=MAX_RELAY_MESSAGE_BYTES,
        ws_per_message_deflate=False,
        ws_ping_interval=settings.ping_interval,
        ws_ping_timeout=settings.ping_timeout,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        **options,
    )


def connection_limits(
    settings: ServerSettings, on_refusal: Callable[[str], None], *, is_forwarding: bool = False
) -> ConnectionLimits:
    """The settings' limits on connections.

    Args:
        on_refusal: called for each refused connection.
        is_forwarding: whether a WebSocket may need a second descriptor, for the process that owns its room.
    """
    return ConnectionLimits(
        header_timeout=settings.header_timeout,
        body_timeout=settings.body_timeout,
        write_timeout=settings.write_timeout,
        keep_alive_timeout=settings.keep_alive_timeout,
        max_header_bytes=settings.max_header_bytes,
        connections_per_address=settings.connections_per_address,
        max_connections=settings.max_connections,
        reserved_descriptors=settings.reserved_descriptors,
        descriptors_per_connection=2 if is_forwarding else 1,
        trusted_proxies=tuple(map(ipaddress.ip_network, settings.trusted_proxies)),
        operational_paths=OPERATIONAL_PATHS,
        on_refusal=on_refusal,
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
