"""Accepts the connections of a listening socket within the limits of a connection table."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from tallow.monitoring.integrations.http_server.connection_table import Connection, ConnectionTable

BATCH: Final = 16
"""Connections that are accepted before others get their turn."""
RETRY_S: Final = 0.1
"""Pause after the system could not accept a connection."""
OUT_OF_RESOURCES: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})

ProtocolFactory = Callable[[Connection], asyncio.Protocol]


class Acceptor:
    """Accepts connections until it is closed. It has the methods of a server that uvicorn uses.

    asyncio's own servers count nothing before a TLS handshake has ended, and stop accepting for a second, or
    log an error for each attempt, when the process has no descriptor left.

    Args:
        listener: a listening socket.
        table: makes room for each connection.
        factory: makes the protocol of a connection.
        tls: the TLS configuration; None for plain connections.
    """

    def __init__(
        self,
        listener: socket.socket,
        table: ConnectionTable,
        factory: ProtocolFactory,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._listener = listener
        self._table = table
        self._factory = factory
        self._tls = tls
        self._loop = asyncio.get_running_loop()
        self._opening: set[asyncio.Task[None]] = set()
        self._retry: asyncio.TimerHandle | None = None
        self._spare = _open_spare()
        self._closed = False
        listener.setblocking(False)
        self._listen()

    @property
    def sockets(self) -> tuple[socket.socket, ...]:
        """The listening socket."""
        return (self._listener,)

    def close(self) -> None:
        """Close the listening socket."""
        if self._closed:
            return
        self._closed = True
        if self._retry is not None:
            self._retry.cancel()
        self._loop.remove_reader(self._listener)
        self._listener.close()
        for task in self._opening:
            task.cancel()
        self._close_spare()

    async def wait_closed(self) -> None:
        """Wait until the last connection that was being opened is open or closed."""
        if self._opening:
            await asyncio.wait(self._opening)

    def _listen(self) -> None:
        self._retry = None
        self._loop.add_reader(self._listener, self._accept_waiting)

    def _accept_waiting(self) -> None:
        for _ in range(BATCH):
            try:
                accepted, address = self._listener.accept()
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:
                if error.errno in OUT_OF_RESOURCES:
                    self._refuse_without_descriptor()
                    return
                continue  # the client has gone, or its network failed: accept(2), "Error handling"
            self._open(accepted, address)

    def _open(self, accepted: socket.socket, address: object) -> None:
        host = str(address[0]) if isinstance(address, tuple) else ""
        if not self._table.admits(host):
            accepted.close()
            return
        accepted.setblocking(False)
        if accepted.family in {socket.AF_INET, socket.AF_INET6}:
            with suppress(OSError):
                accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = self._table.open(host)
        task = self._loop.create_task(self._connect(accepted, connection))
        connection.abort = _canceller(task)  # until it has a transport
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)

    async def _connect(self, accepted: socket.socket, connection: Connection) -> None:
        timeout = None if self._tls is None else self._table.limits.header_timeout
        try:
            await self._loop.connect_accepted_socket(
                lambda: self._factory(connection), accepted, ssl=self._tls, ssl_handshake_timeout=timeout
            )
        except (OSError, asyncio.CancelledError):
            # The handshake failed, or was not completed in time. ssl.SSLError is an OSError.
            connection.release()
            with suppress(OSError):
                accepted.close()

    def _refuse_without_descriptor(self) -> None:
        """Close the first waiting connection with the spare descriptor, and accept again after a pause.

        Without the pause the loop would spin: the listening socket stays readable.
        """
        self._table.lower_total()
        self._close_spare()
        with suppress(OSError):
            self._listener.accept()[0].close()
        self._spare = _open_spare()
        self._loop.remove_reader(self._listener)
        self._retry = self._loop.call_later(RETRY_S, self._listen)

    def _close_spare(self) -> None:
        if self._spare is not None:
            os.close(self._spare)
            self._spare = None


def _canceller(task: asyncio.Task[None]) -> Callable[[], None]:
    def cancel() -> None:
        task.cancel()

    return cancel


def _open_spare() -> int | None:
    with suppress(OSError):
        return os.open(os.devnull, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
    return None
