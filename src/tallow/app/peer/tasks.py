"""Work in a thread that ends when whoever waits for it is cancelled."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


async def run_interruptible(work: Callable[[Callable[[], bool]], T]) -> T:
    """Run ``work`` in a thread and return its result.

    Args:
        work: is given a function that returns true as soon as the result is not wanted any more, and must ask
            it often.

    Raises:
        CancelledError: the caller was cancelled. The work has ended by then, so that what it used (a
            temporary folder) can be removed.
        Exception: whatever ``work`` raises.
    """
    unwanted = threading.Event()
    running = asyncio.ensure_future(asyncio.to_thread(work, unwanted.is_set))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        unwanted.set()
        await asyncio.wait({running})
        if not running.cancelled():
            running.exception()  # retrieved: how it ended interests nobody
        raise
