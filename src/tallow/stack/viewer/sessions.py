"""Sessions in memory, and the password check with its rate limit."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

LIFETIME_S: Final = 12 * 3600
MAX_SESSIONS: Final = 1000
FREE_FAILURES: Final = 5
FAILURE_RECOVERY_S: Final = 30.0
MAX_ADDRESSES: Final = 10_000

Clock = Callable[[], float]


class Sessions:
    """Sessions by the hash of their token, so that memory contains no valid token."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._ends: OrderedDict[bytes, float] = OrderedDict()

    def open(self) -> str:
        """Start a session; returns its token of 256 random bits. Above the limit the oldest session ends."""
        token = secrets.token_urlsafe(32)
        self._ends[_hash(token)] = self._clock() + LIFETIME_S
        if len(self._ends) > MAX_SESSIONS:
            self._ends.popitem(last=False)
        return token

    def is_open(self, token: str | None) -> bool:
        """Whether a token belongs to a session that has not ended."""
        if not token:
            return False
        key = _hash(token)
        ends = self._ends.get(key)
        if ends is None or ends > self._clock():
            return ends is not None
        del self._ends[key]
        return False

    def close(self, token: str | None) -> None:
        """End a session, if there is one."""
        if token:
            self._ends.pop(_hash(token), None)


class PasswordCheck:
    """Compares passwords and limits the attempts of each address.

    An address has :data:`FREE_FAILURES` attempts and regains one every :data:`FAILURE_RECOVERY_S`. Without
    an attempt left, its passwords are not compared.
    """

    def __init__(self, password: str, clock: Clock = time.monotonic) -> None:
        self._hash = _hash(password)
        self._clock = clock
        self._blocked_until: OrderedDict[str, float] = OrderedDict()

    def seconds_to_wait(self, address: str) -> float:
        """Seconds until an address may try again; 0: now."""
        remaining = self._blocked_until.get(address, 0.0) - self._clock()
        return max(0.0, remaining - (FREE_FAILURES - 1) * FAILURE_RECOVERY_S)

    def check(self, address: str, password: str) -> bool:
        """Whether the password is right; a wrong one counts against the address."""
        if hmac.compare_digest(self._hash, _hash(password)):
            self._blocked_until.pop(address, None)
            return True
        start = max(self._blocked_until.get(address, 0.0), self._clock())
        self._blocked_until[address] = start + FAILURE_RECOVERY_S
        self._blocked_until.move_to_end(address)
        if len(self._blocked_until) > MAX_ADDRESSES:
            self._blocked_until.popitem(last=False)
        return False


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode(errors="surrogatepass")).digest()
