"""What the operating system tells: listening sockets, TLS on them, and the state of the clock."""

from __future__ import annotations

import ctypes
import ipaddress
import socket
import ssl
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import psutil

from tallow.stack.engines.state.state_dir import StateDir
from tallow.stack.engines.supervisor import state_files

TIMEOUT_S: Final = 2.0
_TIME_ERROR: Final = 5
"""``adjtimex`` returns it while the clock is not synchronised (Linux, ``timex.h``)."""
_TIMEX_BYTES: Final = 256
"""More than the size of ``struct timex``; zeros request the state and change nothing."""


@dataclass(frozen=True, slots=True)
class Listener:
    """A socket on which a service listens."""

    service: str
    host: str
    port: int

    @property
    def is_exposed(self) -> bool:
        """Whether other machines reach it: its address is not one of loopback."""
        return not ipaddress.ip_address(self.host).is_loopback

    def has_tls(self) -> bool:
        """Whether it answers a TLS handshake. The certificate is not checked."""
        host = "localhost" if ipaddress.ip_address(self.host).is_unspecified else self.host
        try:
            with (
                socket.create_connection((host, self.port), TIMEOUT_S) as connection,
                unverified_tls().wrap_socket(connection, server_hostname=host),
            ):
                return True
        except OSError:  # ssl.SSLError is one
            return False


def unverified_tls() -> ssl.SSLContext:
    """A context that accepts every certificate: a check looks at the certificate, or only for encryption."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def listeners(home: StateDir) -> list[Listener]:
    """The sockets of the stack's processes and their children. Those of a process that has ended are left
    out."""
    found = set()
    for name, status in state_files.read_status(home).services.items():
        process = status.process()
        try:
            family = [process, *process.children(recursive=True)] if process else []
            for one in family:
                found |= {(name, *address) for address in _listening(one)}
        except psutil.Error:
            continue
    return [Listener(*each) for each in sorted(found)]


def is_clock_synchronised() -> bool | None:
    """Whether the kernel's clock is disciplined by NTP or PTP; None on systems other than Linux."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
    except (OSError, AttributeError):
        return None
    return None if state < 0 else bool(state != _TIME_ERROR)


def _listening(process: psutil.Process) -> Iterator[tuple[str, int]]:
    """The addresses on which one process listens."""
    for connection in process.net_connections(kind="tcp"):
        if connection.status == psutil.CONN_LISTEN:
            yield connection.laddr[0], connection.laddr[1]
