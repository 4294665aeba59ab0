"""Bounded reads of a picture: one block in memory, every step counted, and a check for cancellation per
block."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

from tallow.app.files.errors import StoppedError
from tallow.app.metadata.errors import BrokenImageError, ImageLimitError

BLOCK: Final = 1 << 20
"""Bytes read at a time: a few milliseconds of work between two checks of ``stopped``."""

MAX_PARTS: Final = 200_000
"""Segments or chunks of one picture. A PNG of 256 MiB in libpng's chunks of 8 KiB has 32,768."""


class ImageReader:
    """Reads a picture from its beginning to its end.

    Args:
        read: returns ``length`` bytes from ``offset``, such as ``SourceFile.read``.
        size: bytes of the picture.
        stopped: whether the caller was cancelled; asked before each block.

    Attributes:
        bytes_read: bytes read so far.
        bytes_searched: bytes that :meth:`find` searched so far.
        parts: segments or chunks so far.
    """

    def __init__(
        self, read: Callable[[int, int], bytes], size: int, stopped: Callable[[], bool] = lambda: False
    ) -> None:
        self.size = size
        self.bytes_read = self.bytes_searched = self.parts = 0
        self._read = read
        self._stopped = stopped
        self._block = b""
        self._block_start = 0

    def read_range(self, start: int, end: int) -> bytes:
        """The bytes from ``start`` to ``end``. The caller limits their number.

        Raises:
            BrokenImageError: the picture is shorter.
            StoppedError: the caller was cancelled.
        """
        if end > self.size:
            raise BrokenImageError("it ends too early")
        if not self._holds(start, end):
            aligned = start - start % BLOCK
            if end > aligned + BLOCK:
                return self._load(start, end - start)
            self._move(aligned)
        return self._block[start - self._block_start : end - self._block_start]

    def blocks(self, start: int, end: int) -> Iterator[bytes]:
        """The bytes from ``start`` to ``end``, in blocks. Raises as :meth:`read_range`."""
        while start < end:
            stop = min(end, start + BLOCK)
            yield self.read_range(start, stop)
            start = stop

    def find(self, pair: re.Pattern[bytes], start: int) -> int | None:
        """The position of two bytes that match ``pair``, from ``start`` on; None if there are none.

        Takes linear time for all input, if ``pair`` matches exactly two bytes.
        """
        while start < self.size:
            aligned = start - start % BLOCK
            if self._block_start != aligned or not self._block:
                self._move(aligned)
            found = pair.search(self._block, start - aligned)
            end = found.end() if found else len(self._block)
            self.bytes_searched += end - (start - aligned)
            if found:
                return aligned + found.start()
            start = aligned + BLOCK
        return None

    def count_part(self) -> None:
        """Count a segment or chunk.

        Raises:
            ImageLimitError: there are more than :data:`MAX_PARTS`.
        """
        self.parts += 1
        if self.parts > MAX_PARTS:
            raise ImageLimitError(f"it has more than {MAX_PARTS} parts")

    def _holds(self, start: int, end: int) -> bool:
        return self._block_start <= start and end <= self._block_start + len(self._block)

    def _move(self, aligned: int) -> None:
        # One byte more than a block: a pair may cross the boundary.
        self._block = self._load(aligned, BLOCK + 1)
        self._block_start = aligned

    def _load(self, start: int, length: int) -> bytes:
        if self._stopped():
            raise StoppedError
        data = self._read(start, min(length, self.size - start))
        self.bytes_read += len(data)
        return data
