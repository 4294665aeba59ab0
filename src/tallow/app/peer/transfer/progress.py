"""Progress of a transfer: bytes, speed and remaining time, reported at a bounded rate."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tallow.app.peer.events import EventHandler
from tallow.app.peer.transfer.manifest import Manifest

WINDOW_S: Final = 5.0
"""The displayed speed is the mean over this many seconds."""


class TransferProgress:
    """Counts transferred bytes and emits ``progress`` events.

    Args:
        every: minimum seconds between two events.
        clock: monotonic time in seconds.

    Attributes:
        completed_bytes: bytes at the receiver, including earlier connections.
        transferred_bytes: bytes transferred by this process.
    """

    def __init__(
        self, events: EventHandler, every: float = 0.25, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._events = events
        self._every = every
        self._clock = clock
        self._emitted_at = -every
        self._name = ""
        self._size = 0
        self._announced = self._is_text = False
        self._samples: deque[tuple[float, int]] = deque()
        self._started_at: float | None = None
        self.completed_bytes = 0
        self.transferred_bytes = 0

    @property
    def seconds(self) -> float:
        """Seconds since data started to flow; 0 before."""
        return self._clock() - self._started_at if self._started_at is not None else 0.0

    @property
    def started(self) -> bool:
        """Whether data flows or has flowed."""
        return self._started_at is not None

    def start(self) -> None:
        """Data flows from now on."""
        if self._started_at is None:
            self._started_at = self._clock()

    def announce(self, manifest: Manifest, *, listed: bool = False) -> None:
        """Emit the ``offer`` event, once per transfer.

        Args:
            listed: include the name and size of each file.
        """
        if not self._announced:
            self._announced = True
            self._is_text = manifest.is_text
            entries = [{"name": entry.name, "size": entry.size} for entry in manifest.files]
            more = {"entries": entries} if listed else {}
            self._events("offer", files=len(manifest.files), bytes=manifest.size, **more)
        self._size = manifest.size

    def warn(self, message: str) -> None:
        """Emit a ``warning`` event."""
        self._events("warning", message=message)

    def resume_at(self, done: int) -> None:
        """A connection starts; ``done`` bytes are at the receiver already."""
        self.completed_bytes = done
        self._samples.clear()

    def set_file(self, name: str) -> None:
        """Set the name of the current file."""
        self._name = name

    def add(self, size: int) -> None:
        """Count ``size`` transferred bytes."""
        self.completed_bytes += size
        self.transferred_bytes += size
        now = self._clock()
        if now - self._emitted_at >= self._every or self.completed_bytes == self._size:
            self._emitted_at = now
            self._emit(now)

    def file_complete(self, name: str, path: Path | None = None) -> None:
        """Emit the ``file`` event: a file is complete and verified. The file of a text is not kept."""
        self._events("file", name=name, **({"path": str(path)} if path and not self._is_text else {}))

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
