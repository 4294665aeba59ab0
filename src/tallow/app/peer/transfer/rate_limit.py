"""Limits the rate of a transfer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

BURST_S: Final = 0.25
"""Seconds of the rate that may be sent at once."""


class RateLimit:
    """Lets bytes pass at a rate.

    Args:
        bytes_per_second: None for no limit.
        clock: seconds.
    """

    def __init__(self, bytes_per_second: int | None, clock: Callable[[], float] | None = None) -> None:
        self._rate = bytes_per_second
        self._clock = clock
        self._free_at = 0.0

    async def wait(self, size: int) -> None:
        """Wait until ``size`` more bytes may be sent."""
        if self._rate is None:
            return
        now = self._clock() if self._clock is not None else asyncio.get_running_loop().time()
        self._free_at = max(self._free_at, now - BURST_S) + size / self._rate
        if self._free_at > now:
            await asyncio.sleep(self._free_at - now)
