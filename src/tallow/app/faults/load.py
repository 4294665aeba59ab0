"""Faults of the process: CPU and memory use."""

from __future__ import annotations

import hashlib
import threading
import time
from typing import Final

PERIOD_S: Final = 0.1
ROUNDS: Final = 30_000
"""PBKDF2 iterations: about 10 ms of work."""
PAGE: Final = 4096


class BurnCpu:
    """Keeps threads busy for a share of the time: 2.5 is two and a half cores.

    PBKDF2 releases the interpreter lock, so that the event loop keeps running.
    """

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    def set(self, cores: float) -> None:
        """Burn this many cores from now on; 0 stops."""
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self._stop = threading.Event()
        shares = [min(1.0, cores - core) for core in range(64) if cores > core]
        self._threads = [
            threading.Thread(target=_burn, args=(share, self._stop), daemon=True, name="fault")
            for share in shares
        ]
        for thread in self._threads:
            thread.start()


class HoldMemory:
    """Holds memory and writes to every page, so that it is resident."""

    def __init__(self) -> None:
        self._held: list[bytearray] = []

    def set(self, size: float) -> None:
        """Hold this many bytes; 0 frees them."""
        while self._held and sum(map(len, self._held)) > size:
            self._held.pop()
        added = bytearray(int(size) - sum(map(len, self._held)))
        added[::PAGE] = b"\x01" * len(range(0, len(added), PAGE))
        self._held.append(added)


def _burn(share: float, stop: threading.Event) -> None:
    while not stop.is_set():
        end = time.monotonic() + PERIOD_S * share
        while time.monotonic() < end:
            hashlib.pbkdf2_hmac("sha256", b"fault", b"salt", ROUNDS)
        stop.wait(PERIOD_S * (1 - share))
