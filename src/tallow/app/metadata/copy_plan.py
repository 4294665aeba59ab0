"""The plan of a stripped copy: ranges of the picture to copy, and bytes to write."""

from __future__ import annotations

from collections.abc import Iterator

from tallow.app.metadata.reader import ImageReader

Piece = bytes | tuple[int, int]
"""Bytes to write, or a range (start, end) of the picture."""


class CopyPlan:
    """Pieces in the order of the copy. Adjacent ranges are merged: a picture that loses nothing is one piece.

    Attributes:
        size: bytes of the copy.
    """

    def __init__(self) -> None:
        self.size = 0
        self._pieces: list[Piece] = []

    def write(self, content: bytes) -> None:
        """Add bytes."""
        if content:
            self._pieces.append(content)
            self.size += len(content)

    def copy(self, start: int, end: int) -> None:
        """Add a range of the picture."""
        last = self._pieces[-1] if self._pieces else b""
        if isinstance(last, tuple) and last[1] == start:
            self._pieces[-1] = (last[0], end)
        else:
            self._pieces.append((start, end))
        self.size += end - start

    def append(self, other: CopyPlan) -> None:
        """Add the pieces of another plan."""
        for piece in other._pieces:
            if isinstance(piece, tuple):
                self.copy(*piece)
            else:
                self.write(piece)

    def is_whole(self, image: ImageReader) -> bool:
        """Whether the copy is identical to the picture."""
        at = 0
        for piece in self._pieces:
            if isinstance(piece, tuple):
                start, end = piece
                if start != at:
                    return False
                at = end
            else:
                end = at + len(piece)
                if end > image.size or image.read_range(at, end) != piece:
                    return False
                at = end
        return at == image.size

    def contents(self, image: ImageReader) -> Iterator[bytes]:
        """The bytes of the copy, in blocks."""
        for piece in self._pieces:
            if isinstance(piece, tuple):
                yield from image.blocks(*piece)
            else:
                yield piece
