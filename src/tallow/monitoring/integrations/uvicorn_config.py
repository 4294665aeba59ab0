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

import uvicorn

SHUTDOWN_S: Final = 5
MAX_HEADER_BYTES: Final = 32 * 1024


def uvicorn_config(app: Any, **options: Any) -> uvicorn.Config:
    """uvicorn's configuration with this project's defaults.

    Requests are parsed by h11, which limits the size of headers. There is no access log, which would hold
    client addresses, and no ``Server`` header. WebSockets and proxy headers are off. Log records go to the
    process's own handlers. A stop waits at most 5 seconds for open requests.

    Args:
        app: the ASGI application.
        options: options of :class:`uvicorn.Config`; they replace the defaults.

    Example::

        server = uvicorn.Server(uvicorn_config(app, port=8000))
    """
    logging.getLogger("uvicorn.error").addFilter(_has_no_client_address)
    defaults: dict[str, Any] = {
        "http": "h11",
        "h11_max_incomplete_event_size": MAX_HEADER_BYTES,
        "ws": "none",
        "proxy_headers": False,
        "server_header": False,
        "access_log": False,
        "log_config": None,
        "timeout_graceful_shutdown": SHUTDOWN_S,
    }
    return uvicorn.Config(app, **(defaults | options))


def _has_no_client_address(record: logging.LogRecord) -> bool:
    """uvicorn logs each WebSocket with its client's address; it has no option against that."""
    return '"WebSocket %s"' not in str(record.msg)


class EmbeddedServer(uvicorn.Server):
    """A server in a process that handles signals itself."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def run_server(config: uvicorn.Config, listener: socket.socket) -> int:
    """Serve until SIGINT or SIGTERM.

    Returns:
        The exit status: 0, or 1 if the application did not start.
    """
    server = uvicorn.Server(config)
    for number in (signal.SIGINT, signal.SIGTERM):
        # uvicorn stops gracefully and then raises the signal again: this handler makes the status 0.
        signal.signal(number, lambda _signal, _frame: None)
    server.run(sockets=[listener])
    return 0 if server.started else 1
