"""A limit on what a key may do in any window, common to the workers of one server.

One file of the workers holds the times of the last admitted units in a fixed table. Its size does not depend
on the number of keys. Two keys whose hashes meet share a limit, which is improbable (1 in 65,536) and admits
less, never more. The clock is the machine's monotonic one, which all processes share.

The file is read and written, not mapped: a write into a mapped hole on a full disk would end the process.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

ENTRIES: Final = 65_536
UNITS: Final = 32
"""The largest limit that can be common to the workers."""
_ENTRY: Final = struct.Struct(f"{UNITS}d")
LOCK_ATTEMPTS: Final = 1_000


class SharedWindowLimiter:
    """At most ``limit`` units of a key in any ``window`` seconds, counted over all processes with one file.

    Args:
        path: of the file, in a folder that only this user can read. It is created if it is missing.
        window: seconds.
        clock: seconds of a clock that all processes share.
    """

    def __init__(self, path: Path, window: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._window = window
        self._clock = clock
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        os.ftruncate(self._file, ENTRIES * _ENTRY.size)  # a file with holes: what nobody uses takes no space

    def take(self, key: tuple[str, int], amount: int, limit: int) -> bool:
        """Admit ``amount`` units of a key; False, and none is admitted, if the limit does not allow all.

        None is admitted either if the file cannot be written.

        Args:
            limit: at most :data:`UNITS`.
        """
        if not self._lock():
            return False
        try:
            return self._take(_offset(key), amount, limit)
        except OSError:
            return False
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)

    def _take(self, offset: int, amount: int, limit: int) -> bool:
        now = self._clock()
        oldest = now - self._window
        times = [
            at
            for at in _ENTRY.unpack(os.pread(self._file, _ENTRY.size, offset))
            if max(0, oldest) < at <= now
        ]
        if len(times) + amount > limit:
            return False
        times += [now] * amount
        entry = _ENTRY.pack(*times, *[0.0] * (UNITS - len(times)))
        return os.pwrite(self._file, entry, offset) == len(entry)

    def _lock(self) -> bool:
        """Lock the file. A worker that is stopped while it has the lock must not stop the others."""
        for _ in range(LOCK_ATTEMPTS):
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.sched_yield()
            else:
                return True
        return False

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)


def _offset(key: tuple[str, int]) -> int:
    digest = hashlib.blake2b(f"{key[0]} {key[1]}".encode(), digest_size=2).digest()
    return int.from_bytes(digest) * _ENTRY.size
