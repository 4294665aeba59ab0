"""How far a transfer is: bytes, speed and what remains, told at a bounded rate."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Protocol

from tallow.app.peer.transfer.manifest import Manifest

WINDOW_S: Final = 5.0
"""The speed shown is the mean over so many seconds."""


class EventHandler(Protocol):
    """Told what happens, for a terminal or a script; see docs/peers.md for the events."""

    def __call__(self, event: str, /, **details: Any) -> None: ...


class Progress:
    """Counts what has crossed, and tells it at most every ``every`` seconds.

    Attributes:
        done: bytes that are at the receiver, earlier connections' included.
        moved: bytes that crossed while this process watched.
    """

    def __init__(
        self, events: EventHandler, every: float = 0.25, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._events = events
        self._every = every
        self._clock = clock
        self._told = -every
        self._name = ""
        self._size = 0
        self._told_total = False
        self._samples: deque[tuple[float, int]] = deque()
        self._first: float | None = None
        self.completed_bytes = 0
        self.transferred_bytes = 0

    @property
    def seconds(self) -> float:
        """Since the first byte of a file; 0 before it."""
        return self._clock() - self._first if self._first is not None else 0.0

    @property
    def started(self) -> bool:
        """Data flows, or has flowed."""
        return self._first is not None

    def start(self) -> None:
        """Data flows from now on."""
        if self._first is None:
            self._first = self._clock()

    def announce(self, manifest: Manifest, *, listed: bool = False) -> None:
        """What the whole is; told once, with the name and size of each file if ``listed``."""
        if not self._told_total:
            self._told_total = True
            entries = [{"name": entry.name, "size": entry.size} for entry in manifest.files]
            more = {"entries": entries} if listed else {}
            self._events("offer", files=len(manifest.files), bytes=manifest.size, **more)
        self._size = manifest.size

    def resume_at(self, done: int) -> None:
        """A connection begins, and ``done`` bytes are there already."""
        self.completed_bytes = done
        self._samples.clear()

    def set_file(self, name: str) -> None:
        """A file is next."""
        self._name = name

    def add(self, size: int) -> None:
        """``size`` more bytes have crossed."""
        self.completed_bytes += size
        self.transferred_bytes += size
        now = self._clock()
        if now - self._told >= self._every or self.completed_bytes == self._size:
            self._told = now
            self._emit(now)

    def file_complete(self, name: str, path: Path | None = None) -> None:
        """A file is there and verified."""
        self._events("file", name=name, **({"path": str(path)} if path else {}))

    def _emit(self, now: float) -> None:
        samples = self._samples
        samples.append((now, self.completed_bytes))
        while len(samples) > 2 and now - samples[0][0] > WINDOW_S:
            samples.popleft()
        took, moved = now - samples[0][0], self.completed_bytes - samples[0][1]
        speed = moved / took if took > 0 else 0.0
        remaining = (self._size - self.completed_bytes) / speed if speed > 0 else None
        self._events(
            "progress",
            name=self._name,
            bytes=self.completed_bytes,
            total=self._size,
            bytes_per_second=round(speed),
            remaining_seconds=round(remaining, 1) if remaining is not None else None,
        )
