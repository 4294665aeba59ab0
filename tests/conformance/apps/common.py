"""What the applications of all frameworks share."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

release = asyncio.Event()
"""Set by ``GET /release``; the background task of ``GET /background`` waits for it."""


async def wait_for_release() -> None:
    """The background task."""
    await release.wait()


async def fail_after_response() -> None:
    """A background task that fails."""
    raise RuntimeError("the background task failed")


async def broken_stream() -> AsyncIterator[bytes]:
    """A body that breaks in the middle."""
    yield b"so far"
    await asyncio.sleep(0)
    raise RuntimeError("the stream broke")


async def endless_events() -> AsyncIterator[bytes]:
    """Server-sent events until ``GET /release``. Not every framework stops a stream whose client left."""
    release.clear()
    while not release.is_set():
        yield b"data: tick\n\n"
        await asyncio.sleep(0.02)
