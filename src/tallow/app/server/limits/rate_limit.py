"""Rate and concurrency limits by key."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from typing import Final

MAX_KEYS: Final = 20_000
"""Bounds the memory that many client addresses can take."""

NETWORK_FACTORS: Final = (1, 4, 16)
"""How many times the rate of a client its wider networks may have: IPv4 /24; IPv6 /48 and /40."""


class TokenBucket:
    """A token bucket, full at first.

    Args:
        rate: tokens added per second.
        burst: capacity.
        clock: monotonic seconds.
    """

    __slots__ = ("_at", "_clock", "_tokens", "burst", "rate")

    def __init__(self, rate: float, burst: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.rate = rate
        self.burst = burst
        self._clock = clock
        self._tokens = burst
        self._at = clock()

    def take(self, amount: float = 1) -> float:
        """Take tokens and return 0; if there are too few, take none and return the seconds to wait."""
        self._refill()
        if self._tokens >= amount:
            self._tokens -= amount
            return 0.0
        return (amount - self._tokens) / self.rate

    def wait(self, amount: float = 1) -> float:
        """The seconds until there are enough tokens."""
        self._refill()
        return max(0.0, amount - self._tokens) / self.rate

    def borrow(self, amount: float) -> float:
        """Take tokens even if there are too few; return the seconds to wait until the debt is paid."""
        self._refill()
        self._tokens -= amount
        return max(0.0, -self._tokens / self.rate)

    def _refill(self) -> None:
        now = self._clock()
        self._tokens = min(self.burst, self._tokens + max(0.0, now - self._at) * self.rate)
        self._at = now


class KeyedRateLimiter:
    """One token bucket per key. Above :data:`MAX_KEYS` the least recently used bucket is dropped."""

    def __init__(self, per_minute: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_minute = per_minute
        self._clock = clock
        self._buckets: OrderedDict[Hashable, TokenBucket] = OrderedDict()

    def take(self, key: Hashable) -> float:
        """Take one token of a key and return 0, or return the seconds to wait."""
        return self._bucket(key).take()

    def take_from_networks(self, networks: Sequence[Hashable], amount: int = 1) -> float:
        """Take tokens of each network of a client and return 0; if one has too few, take none and return the
        seconds to wait.

        Args:
            networks: from the narrowest to the widest, whose rates are :data:`NETWORK_FACTORS` times the rate
                of the narrowest.
            amount: tokens; at most as many as a full bucket has.
        """
        pairs = zip(networks, NETWORK_FACTORS, strict=False)
        buckets = [self._bucket(network, factor) for network, factor in pairs]
        wait = max(bucket.wait(min(amount, bucket.burst)) for bucket in buckets)
        if not wait:
            for bucket in buckets:
                bucket.take(min(amount, bucket.burst))
        return wait

    def _bucket(self, key: Hashable, factor: float = 1) -> TokenBucket:
        bucket = self._buckets.get(key)
        if bucket is None:
            per_minute = self._per_minute * factor
            bucket = self._buckets[key] = TokenBucket(per_minute / 60, per_minute, self._clock)
            if len(self._buckets) > MAX_KEYS:
                self._buckets.popitem(last=False)
        self._buckets.move_to_end(key)
        return bucket

    def __len__(self) -> int:
        return len(self._buckets)


class ConcurrencyLimiter:
    """Limits how many resources (rooms, sockets) each key holds at a time."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held: dict[Hashable, int] = {}

    def acquire(self, key: Hashable) -> bool:
        """Count one more resource of a key; False if it has reached the limit."""
        held = self._held.get(key, 0)
        if held >= self._limit:
            return False
        self._held[key] = held + 1
        return True

    def release(self, key: Hashable) -> None:
        """Count one resource of a key less."""
        held = self._held.get(key, 0) - 1
        if held > 0:
            self._held[key] = held
        else:
            self._held.pop(key, None)
