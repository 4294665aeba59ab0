"""uvicorn as every HTTP server of this project configures it.

Needs ``uvicorn``, which the extras ``app`` and ``stack`` install.
"""

from __future__ import annotations

import logging
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from tallow.monitoring.integrations.http_server.limits import ConnectionLimits
from tallow.monitoring.integrations.http_server.protocol import LimitedHttpProtocol
from tallow.monitoring.integrations.http_server.server import LimitedConfig, LimitedServer

SHUTDOWN_S: Final = 5


def uvicorn_config(app: Any, limits: ConnectionLimits | None = None, **options: Any) -> LimitedConfig:
    """uvicorn's configuration with this project's defaults.

    Connections are limited in number and time. There is no access log, which would hold client addresses,
    and no ``Server`` header. WebSockets and proxy headers are off. Log records go to the process's own
    handlers. A stop waits at most 5 seconds for open requests.

    Args:
        app: the ASGI application.
        limits: on connections.
        options: options of :class:`uvicorn.Config`; they replace the defaults.

    Example::

        server = LimitedServer(uvicorn_config(app, port=8000))
    """
    limits = limits or ConnectionLimits()
    logging.getLogger("uvicorn.error").addFilter(_has_no_client_address)
    defaults: dict[str, Any] = {
        "http": LimitedHttpProtocol,
        "h11_max_incomplete_event_size": limits.max_header_bytes,
        "timeout_keep_alive": limits.keep_alive_timeout,
        "ws": "none",
        "proxy_headers": False,
        "server_header": False,
        "access_log": False,
        "log_config": None,
        "timeout_graceful_shutdown": SHUTDOWN_S,
    }
    return LimitedConfig(app, limits, **(defaults | options))


def _has_no_client_address(record: logging.LogRecord) -> bool:
    """uvicorn logs each WebSocket with its client's address; it has no option against that."""
    return '"WebSocket %s"' not in str(record.msg)


class EmbeddedServer(LimitedServer):
    """A server in a process that handles signals itself."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def run_server(config: LimitedConfig, listener: socket.socket | None = None) -> int:
    """Serve until SIGINT or SIGTERM.

    Args:
        listener: a listening socket; by default the address of the configuration is bound.

    Returns:
        The exit status: 0, or 1 if the application did not start.
    """
    server = LimitedServer(config)
    for number in (signal.SIGINT, signal.SIGTERM):
        # uvicorn stops gracefully and then raises the signal again: this handler makes the status 0.
        signal.signal(number, lambda _signal, _frame: None)
    server.run(sockets=None if listener is None else [listener])
    return 0 if server.started else 1
