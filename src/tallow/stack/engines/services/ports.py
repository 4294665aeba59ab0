"""Check that ports are free, and name the program that has one."""

from __future__ import annotations

import errno
import socket
from collections.abc import Mapping
from contextlib import suppress

import psutil

from tallow.stack.engines.services.definitions import HOST


class PortTakenError(Exception):
    """Ports of the stack are in use. The text has one line per port, with the program that listens on it."""


def require_free(wanted: Mapping[str, int]) -> None:
    """Check that each port is free.

    Args:
        wanted: ports by the name of their service.

    Raises:
        PortTakenError: at least one is taken.
    """
    taken = [
        f"port {port} ({name}) is taken by {listener(port)}"
        for name, port in wanted.items()
        if is_taken(port)
    ]
    if taken:
        raise PortTakenError("\n".join([*taken, "stop that program, or move all ports: --port-offset 10000"]))


def is_taken(port: int) -> bool:
    """Whether a program listens on a port.

    Raises:
        PortTakenError: this user may not listen on the port, or there is no such port.
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
    """A description of the program that listens on a port."""
    with suppress(psutil.Error, OSError, NotImplementedError):
        for connection in psutil.net_connections("tcp"):
            address = connection.status == psutil.CONN_LISTEN and connection.laddr
            if address and address.port == port and connection.pid:
                return f"{psutil.Process(connection.pid).name()} (pid {connection.pid})"
    return "a process of another user"
