"""The listening end: one ephemeral port for each address family, for the time of one connection attempt."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from tallow.app.channels.tcp.addresses import Endpoint, IPAddress, local_addresses
from tallow.app.channels.tcp.proof import PROOF_BYTES, ConnectionProof
from tallow.monitoring.logging import connection_logger

PROOF_S: Final = 5.0
"""Seconds that a connection may take to send its proof."""
MAX_UNPROVEN: Final = 16
"""Connections that may be proving themselves at the same time; others are closed at once."""
MAX_ACCEPTED: Final = 256
"""Connections of one attempt; after as many the port is closed."""

READ_LIMIT: Final = 1 << 20
"""Bytes that a proven connection reads ahead."""

_LOOPBACK: Final = ("127.0.0.1", "::1")
_ANY: Final = ("0.0.0.0", "::")  # the other peer is on another machine; --bind restricts it

Proven = Callable[[asyncio.StreamReader, asyncio.StreamWriter], None]
"""Gets a connection whose proof was verified and answered."""


class Listener:
    """Accepts the other peer's connections and nobody else's.

    Args:
        bind: the address to listen on; None for all addresses.
        loopback: listen on the loopback addresses only.
        on_proven: gets each proven connection.

    Raises:
        OSError: the address cannot be listened on.
    """

    def __init__(self, bind: str | None, *, loopback: bool, on_proven: Proven) -> None:
        self._on_proven = on_proven
        self._proof: ConnectionProof | None = None
        self._servers: list[asyncio.Server] = []
        self._proving: set[asyncio.Task[None]] = set()
        self._accepted = 0
        chosen = (bind,) if bind else _LOOPBACK if loopback else _ANY
        self._sockets = _listening_sockets(chosen, required=bind is not None)

    @property
    def endpoints(self) -> list[Endpoint]:
        """The addresses at which this side can be dialled."""
        found = []
        for listening in self._sockets:
            bound = ipaddress.ip_address(listening.getsockname()[0])
            port = listening.getsockname()[1]
            offered = _of_family(local_addresses(), bound.version) if bound.is_unspecified else [bound]
            found += [Endpoint(address, port) for address in offered]
        return found

    @property
    def ipv4_port(self) -> int | None:
        """The port on all IPv4 addresses, or on the one of ``bind``; None on loopback, or without IPv4."""
        for listening in self._sockets:
            if listening.family == socket.AF_INET:
                address, port = listening.getsockname()
                return None if ipaddress.ip_address(address).is_loopback else int(port)
        return None

    async def start(self, proof: ConnectionProof) -> None:
        """Accept connections that show the proof. Connections before this call wait."""
        self._proof = proof
        for listening in self._sockets:
            self._servers.append(await asyncio.start_server(self._accept, sock=listening, limit=READ_LIMIT))

    def close(self) -> None:
        """Close the port, and the connections that are not proven."""
        for server in self._servers:
            server.close()
        for listening in self._sockets:
            listening.close()
        for task in self._proving:
            task.cancel()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._accepted += 1
        if self._accepted >= MAX_ACCEPTED:
            self._stop_accepting()
        if len(self._proving) >= MAX_UNPROVEN:
            writer.transport.abort()
            return
        task = asyncio.current_task()
        assert task is not None
        self._proving.add(task)
        task.add_done_callback(self._proving.discard)
        proven = False
        try:
            # Only close() cancels. asyncio 3.11 prints a traceback if the task of a connection is cancelled.
            with suppress(asyncio.CancelledError):
                proven = await self._verify(reader, writer)
        finally:
            if not proven:
                writer.transport.abort()
        if proven:
            self._on_proven(reader, writer)

    async def _verify(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Give a connection its one chance. Nothing is sent unless it shows the proof."""
        assert self._proof is not None
        with suppress(OSError, asyncio.IncompleteReadError, TimeoutError):
            async with asyncio.timeout(PROOF_S):
                answer = self._proof.answer(await reader.readexactly(PROOF_BYTES))
                if answer is not None:
                    writer.write(answer)
                    await writer.drain()
                    return True
        connection_logger.debug("A connection without the link's proof was closed")
        return False

    def _stop_accepting(self) -> None:
        for server in self._servers:
            server.close()


def _listening_sockets(addresses: tuple[str, ...], *, required: bool) -> list[socket.socket]:
    """A listening socket for each address. A family that the machine does not have is left out."""
    found = []
    for address in addresses:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        listening = socket.socket(family, socket.SOCK_STREAM)
        try:
            if family == socket.AF_INET6:
                listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            listening.bind((address, 0))
            listening.listen(MAX_UNPROVEN)
            listening.setblocking(False)
        except OSError:
            listening.close()
            if required:
                raise
        else:
            found.append(listening)
    return found


def _of_family(addresses: list[IPAddress], version: int) -> list[IPAddress]:
    return [address for address in addresses if address.version == version]
