"""A TCP proxy between a peer and a server that can limit the rate and abort connections."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit


class ThrottlingProxy:
    """A TCP proxy in front of a server.

    Attributes:
        url: the proxy's URL.
        bytes_carried: bytes forwarded in both directions.
        rate: limit in bytes per second for each direction of each connection, or None.
        down: whether new connections are refused.
    """

    def __init__(self, target: str) -> None:
        self._writers: set[asyncio.StreamWriter] = set()
        self.target(target)
        self.down = False
        self.url = ""
        self.bytes_carried = 0
        self.rate: float | None = None

    def target(self, url: str) -> None:
        """Forward new connections to another server."""
        parts = urlsplit(url)
        self._host, self._port = parts.hostname, parts.port

    def abort_connections(self) -> None:
        """Abort all connections without a closing handshake, as a network failure does."""
        for writer in list(self._writers):
            writer.transport.abort()

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if self.down:
                raise ConnectionRefusedError
            out_reader, out_writer = await asyncio.open_connection(self._host, self._port)
        except ConnectionError:
            writer.transport.abort()
            return
        for one in (writer, out_writer):
            self._writers.add(one)
        await asyncio.gather(self._pump(reader, out_writer), self._pump(out_reader, writer))

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(ConnectionError):
                while data := await reader.read(65536):
                    self.bytes_carried += len(data)
                    writer.write(data)
                    await writer.drain()
                    if self.rate is not None:
                        await asyncio.sleep(len(data) / self.rate)
        finally:
            self._writers.discard(writer)
            writer.close()


@asynccontextmanager
async def throttling_proxy(target: str) -> AsyncIterator[ThrottlingProxy]:
    """A proxy in front of the server at ``target``."""
    proxy = ThrottlingProxy(target)
    listening = await asyncio.start_server(proxy.accept, "127.0.0.1", 0)
    proxy.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    try:
        yield proxy
    finally:
        listening.close()
        proxy.abort_connections()
        await asyncio.sleep(0)
