"""The dialling end: dials the addresses that the other peer offered."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from tallow.app.channels.tcp.addresses import Endpoint
from tallow.app.channels.tcp.listener import READ_LIMIT, Proven
from tallow.app.channels.tcp.proof import MAC_BYTES, ConnectionProof

STAGGER_S: Final = 0.1
"""Seconds between two dials: the next does not wait until one has failed (RFC 8305, section 5)."""
CONNECT_S: Final = 5.0
"""Seconds that a dial may take, the proof included."""


async def dial_all(
    endpoints: Sequence[Endpoint], proof: ConnectionProof, on_proven: Proven, bind: str | None = None
) -> None:
    """Dial all endpoints, each once, and return when every dial has ended.

    Args:
        endpoints: in the order of their likelihood.
        on_proven: gets each connection whose other end proved that it has the link.
        bind: the address to dial from; None for any. Endpoints of the other family are left out.
    """
    usable = [each for each in endpoints if bind is None or (":" in each.text) == (":" in bind)]
    dials = (
        _dial(endpoint, number * STAGGER_S, proof, on_proven, bind) for number, endpoint in enumerate(usable)
    )
    await asyncio.gather(*dials)


async def _dial(
    endpoint: Endpoint, delay: float, proof: ConnectionProof, on_proven: Proven, bind: str | None
) -> None:
    await asyncio.sleep(delay)
    source = None if bind is None else (bind, 0)
    writer: asyncio.StreamWriter | None = None
    proven = False
    try:
        with suppress(OSError, asyncio.IncompleteReadError, TimeoutError):
            async with asyncio.timeout(CONNECT_S):
                reader, writer = await asyncio.open_connection(
                    endpoint.text, endpoint.port, limit=READ_LIMIT, local_addr=source
                )
                dialled = proof.dial()
                writer.write(dialled)
                proven = proof.is_answer(dialled, await reader.readexactly(MAC_BYTES))
    finally:
        if writer is not None and not proven:
            writer.transport.abort()
    if proven and writer is not None:
        on_proven(reader, writer)
