"""A server that changes what it relays, in a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

from support.transfers.malicious_server import MaliciousServer
from support.transfers.server import serving


@contextlib.contextmanager
def tampering_server(folder: Path) -> Iterator[tuple[str, MaliciousServer]]:
    """Its address, and what it does: a test changes that."""
    folder.mkdir(exist_ok=True)
    malicious = MaliciousServer()
    started = threading.Event()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()
    address: list[str] = []

    async def run() -> None:
        async with serving(folder, wrap=malicious.wrap) as server:
            address.append(server.url)
            started.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(run()))
    thread.start()
    try:
        assert started.wait(60)
        yield address[0], malicious
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()
