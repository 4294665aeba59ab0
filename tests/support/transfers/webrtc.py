"""Two WebRTC endpoints in this process, with in-memory signaling."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal

from tallow.app.channels.webrtc import WebRtcChannel, connect

Kind = Literal["offer", "answer", "candidate"]


class InMemorySignaling:
    """One end of an in-memory signaling channel."""

    def __init__(self) -> None:
        self.inbox: asyncio.Queue[tuple[Kind, dict[str, object]]] = asyncio.Queue()
        self.other: InMemorySignaling = self
        self.sent: list[tuple[Kind, dict[str, object]]] = []

    async def send(self, kind: Kind, data: dict[str, object]) -> None:
        self.sent.append((kind, data))
        await self.other.inbox.put((kind, data))

    async def receive(self) -> tuple[Kind, dict[str, object]]:
        return await self.inbox.get()


def signaling_pair() -> tuple[InMemorySignaling, InMemorySignaling]:
    one, two = InMemorySignaling(), InMemorySignaling()
    one.other, two.other = two, one
    return one, two


async def pair(*ice: dict[str, Any], **options: Any) -> tuple[WebRtcChannel, WebRtcChannel]:
    one, two = signaling_pair()
    both = await asyncio.gather(
        connect("sender", one, list(ice), **options), connect("receiver", two, list(ice), **options)
    )
    return both[0], both[1]


@asynccontextmanager
async def connected(
    *ice: dict[str, Any], **options: Any
) -> AsyncIterator[tuple[WebRtcChannel, WebRtcChannel]]:
    sender, receiver = await pair(*ice, **options)
    try:
        yield sender, receiver
    finally:
        await asyncio.gather(sender.close(), receiver.close())
