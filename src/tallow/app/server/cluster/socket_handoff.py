"""Moves open WebSockets between the workers of one server.

A client's connection is accepted by any worker, and only its first message says which room it belongs to. The
worker that read it passes the connection's descriptor to the worker that owns the room (SCM_RIGHTS, unix(7)),
which serves it from then on. Bulk data and memory then cost what they cost with a single process.

The exchange on a Unix socket in the workers' private folder:

1. The accepting worker stops reading, and sends the descriptor and the state of the connection.
2. The owner answers :data:`READY` when it has both.
3. The accepting worker sends :data:`GO` and closes its descriptor. Only now does the owner read.

Whatever fails before the third step leaves the connection where it was; the accepting worker then copies its
messages, as it does for owners on other machines.
"""

from __future__ import annotations

import asyncio
import contextvars
import os
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

import orjson

from tallow.app.server.cluster.room_directory import NodeAddress
from tallow.app.server.transport.movable_websocket import MovableWebSocket
from tallow.monitoring.logging import connection_logger
from tallow.monitoring.logging.repeats import REPEATS

TIMEOUT_S: Final = 2
"""For each side. A client waits for its ``joined`` message meanwhile."""
READY: Final = b"r"
GO: Final = b"g"
MAX_STATE_BYTES: Final = 8 * 1024 * 1024
"""A message, and what one read brings, in the longest notation."""
_LENGTH_BYTES: Final = 4
_SUFFIX: Final = ".handoff"


class WorkerSockets:
    """The Unix sockets on which the workers of one server take over connections.

    Args:
        folder: private to the server.
        own: this process's address.
    """

    def __init__(self, folder: Path, own: NodeAddress) -> None:
        self._folder = folder
        self._own = own

    @property
    def path(self) -> Path:
        """The socket of this process."""
        return self._path_of(self._own)

    def find(self, node: NodeAddress) -> Path | None:
        """The socket of another worker of this server; None if the process is not one."""
        if _host(node) != _host(self._own):
            return None
        path = self._path_of(node)
        return path if path.exists() else None

    def _path_of(self, node: NodeAddress) -> Path:
        """Slots have a file each; servers that share a Redis have a port each."""
        if node.socket_path is not None:
            return Path(node.socket_path).with_suffix(_SUFFIX)
        return self._folder / (node.host_port.rpartition(":")[2] + _SUFFIX)


def _host(node: NodeAddress) -> str:
    return node.host_port.rpartition(":")[0]


async def hand_over(connection: MovableWebSocket, path: Path, first: str) -> bool:
    """Move a connection to the worker that listens on ``path``.

    Args:
        first: the message that was received from the client.

    Returns:
        False if that is not possible; the connection is as it was.
    """
    if not connection.detach():
        return False
    moved = False
    try:
        async with asyncio.timeout(TIMEOUT_S):
            moved = await _offer(path, connection, orjson.dumps(connection.state(first)))
    except OSError:  # and TimeoutError: the owner exits, starts, or is busy
        pass
    finally:
        if moved:
            connection.abandon()
        else:
            connection.reattach()
    return moved


async def _offer(path: Path, connection: MovableWebSocket, state: bytes) -> bool:
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_UNIX) as owner:
        owner.setblocking(False)
        await loop.sock_connect(owner, str(path))
        descriptor = connection.descriptor  # after the last await: a number may be used again
        if descriptor is None:
            return False
        socket.send_fds(owner, [len(state).to_bytes(_LENGTH_BYTES)], [descriptor])
        await loop.sock_sendall(owner, state)
        if await loop.sock_recv(owner, 1) != READY:
            return False
        return owner.send(GO) == len(GO)  # no await between this and the caller's abandon()


class HandoffListener:
    """Takes over the connections that other workers pass on.

    Args:
        listener: a listening Unix socket.
        protocol: creates the protocol of a connection; None if the server has as many as it may.
    """

    def __init__(self, listener: socket.socket, protocol: Callable[[], MovableWebSocket | None]) -> None:
        self._listener = listener
        self._protocol = protocol
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.get_running_loop()
        listener.setblocking(False)
        self._loop.add_reader(listener.fileno(), self._accept)

    async def close(self) -> None:
        """Stop listening. What is half taken over stays with the other worker."""
        self._loop.remove_reader(self._listener.fileno())
        self._listener.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _accept(self) -> None:
        with suppress(OSError):
            worker, _ = self._listener.accept()
            worker.setblocking(False)
            # In a context of its own: nothing of this process's other requests belongs to the connection.
            task = self._loop.create_task(self._take_over(worker), context=contextvars.Context())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _take_over(self, worker: socket.socket) -> None:
        protocol = self._protocol()
        try:
            with worker:
                client = None if protocol is None else await self._receive_client(worker, protocol)
            if protocol is not None and client is not None:
                client.setblocking(False)
                await self._loop.connect_accepted_socket(lambda: protocol, client)
                return
        except (OSError, ValueError) as error:  # and TimeoutError: the worker has kept the connection
            REPEATS.log(
                connection_logger, "warning", "A connection was not taken over", reason=type(error).__name__
            )
        if protocol is not None:
            protocol.discard()

    async def _receive_client(
        self, worker: socket.socket, protocol: MovableWebSocket
    ) -> socket.socket | None:
        """The client's socket; its state is given to the protocol. None if the worker keeps it."""
        async with asyncio.timeout(TIMEOUT_S):
            size, descriptor = await self._receive_descriptor(worker)
            client: socket.socket | None = socket.socket(fileno=descriptor)
            try:
                protocol.adopted = orjson.loads(await self._receive(worker, size))
                await self._loop.sock_sendall(worker, READY)
                if await self._loop.sock_recv(worker, 1) == GO:
                    taken, client = client, None
                    return taken
            finally:
                if client is not None:
                    client.close()
        return None

    async def _receive_descriptor(self, worker: socket.socket) -> tuple[int, int]:
        """The size of the state, and the descriptor that comes with it."""
        await self._wait_readable(worker)
        head, descriptors, _, _ = socket.recv_fds(worker, _LENGTH_BYTES, 1)
        if len(descriptors) != 1 or len(head) != _LENGTH_BYTES:
            for descriptor in descriptors:
                os.close(descriptor)
            raise ValueError("no descriptor")
        return int.from_bytes(head), descriptors[0]

    async def _receive(self, worker: socket.socket, size: int) -> bytes:
        if size > MAX_STATE_BYTES:
            raise ValueError("the state is too large")
        parts = bytearray()
        while len(parts) < size:
            part = await self._loop.sock_recv(worker, size - len(parts))
            if not part:
                raise ConnectionError
            parts += part
        return bytes(parts)

    async def _wait_readable(self, worker: socket.socket) -> None:
        readable = asyncio.Event()
        self._loop.add_reader(worker.fileno(), readable.set)
        try:
            await readable.wait()
        finally:
            self._loop.remove_reader(worker.fileno())
