"""Limits on how much a key may do in any window of a fixed length."""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable

from tallow.app.server.limits.rate_limit import MAX_KEYS


class SlidingWindowLimiter:
    """At most ``limit`` units of a key in any ``window`` seconds, wherever the window begins.

    The time of each admitted unit is kept, hence limits must be small numbers. Above
    :data:`~tallow.app.server.limits.rate_limit.MAX_KEYS` keys the least recently used one is forgotten.

    Args:
        window: seconds.
        clock: monotonic seconds.
    """

    def __init__(self, window: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._window = window
        self._clock = clock
        self._admitted: OrderedDict[Hashable, deque[float]] = OrderedDict()

    def take(self, key: Hashable, amount: int, limit: int) -> bool:
        """Admit ``amount`` units of a key; False, and none is admitted, if the limit does not allow all."""
        times = self._admitted.get(key)
        if times is None:
            times = self._admitted[key] = deque()
        self._admitted.move_to_end(key)
        now = self._clock()
        while times and times[0] <= now - self._window:
            times.popleft()
        fits = len(times) + amount <= limit
        if fits:
            times.extend([now] * amount)
        self._forget(now)
        return fits

    def _forget(self, now: float) -> None:
        """Forget the least recently used keys: those that admit everything again, and those too many."""
        while self._admitted:
            key, times = next(iter(self._admitted.items()))
            if len(self._admitted) <= MAX_KEYS and times and times[-1] > now - self._window:
                return
            del self._admitted[key]

    def __len__(self) -> int:
        return len(self._admitted)
