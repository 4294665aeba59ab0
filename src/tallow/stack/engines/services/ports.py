"""Ports that are wanted and taken, and who has them."""

from __future__ import annotations

import errno
import socket
from collections.abc import Mapping
from contextlib import suppress

import psutil

from tallow.stack.engines.services.definitions import HOST


class PortTakenError(Exception):
    """Ports that the stack wants are taken: one line each, naming the port and who holds it."""


def require_free(wanted: Mapping[str, int]) -> None:
    """See that each port can be listened on; service name to port.

    Raises:
        PortTakenError: at least one is taken.
    """
    taken = [
        f"port {port} ({name}) is taken by {listener(port)}"
        for name, port in wanted.items()
        if is_taken(port)
    ]
    if taken:
        raise PortTakenError(
            "\n".join([*taken, "stop what holds it, or move all ports: --port-offset 10000"])
        )


def is_taken(port: int) -> bool:
    """Whether the port cannot be listened on.

    Raises:
        PortTakenError: this user may not listen there at all, or there is no such port.
    """
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((HOST, port))
        except (PermissionError, OverflowError):
            raise PortTakenError(f"port {port} cannot be used; choose another --port-offset") from None
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return True
            raise PortTakenError(f"port {port} cannot be used: {error.strerror}") from None
    return False


def listener(port: int) -> str:
    """Who listens on a port, in words."""
    with suppress(psutil.Error, OSError, NotImplementedError):
        for connection in psutil.net_connections("tcp"):
            listens = connection.status == psutil.CONN_LISTEN and connection.laddr
            if listens and listens.port == port and connection.pid:
                return f"{psutil.Process(connection.pid).name()} (pid {connection.pid})"
    return "a process this user may not look at"
