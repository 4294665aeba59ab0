"""Which frame must come next.

It looks at headers before they are known to be authentic, so as to say what is wrong with a frame: a forged
header that passes here fails at its tag.
"""

from __future__ import annotations

from tallow.app.crypto.errors import (
    MalformedError,
    ReorderedError,
    ReplayedError,
    SplicedError,
    TruncatedError,
)
from tallow.app.crypto.frames import NO_FILE, FrameHeader, FrameType


class FrameSequence:
    """Follows one direction: a document or a file at a time, each from its first byte to its last."""

    def __init__(self) -> None:
        self._wanted: FrameHeader | None = None
        self._size: int | None = None

    def expect(
        self, kind: FrameType, file: int = NO_FILE, position: int = 0, size: int | None = None
    ) -> None:
        """What comes next: a document, or a file of ``size`` bytes from ``position`` on."""
        self._wanted = FrameHeader(kind, file, position)
        self._size = size

    @property
    def complete(self) -> bool:
        """What was expected last is there to its end."""
        return self._wanted is None

    def check(self, header: FrameHeader, length: int) -> None:
        """Whether a frame with a payload of ``length`` bytes may come now.

        Raises:
            ProtocolError: SplicedError, ReplayedError, ReorderedError, TruncatedError or MalformedError.
        """
        if header.kind is FrameType.ABORT:
            return
        wanted = self._wanted
        if wanted is None:
            raise ReplayedError("a piece came after the end")
        if header.kind is not wanted.kind:
            raise TruncatedError if wanted.kind is FrameType.DATA else MalformedError
        if header.file != wanted.file:
            raise SplicedError
        if header.index != wanted.index:
            raise ReplayedError if header.index < wanted.index else ReorderedError
        if self._size is not None:
            left = self._size - header.index - length
            if left < 0 or (left == 0 and not header.final):
                raise MalformedError("a file is larger than was announced")
            if left > 0 and header.final:
                raise TruncatedError

    def advance(self, header: FrameHeader, length: int) -> None:
        """A frame that passed :meth:`check` was authentic."""
        if header.kind is not FrameType.ABORT:
            more = FrameHeader(header.kind, header.file, header.index + length)
            self._wanted = None if header.final else more

    def end(self) -> None:
        """Nothing more comes.

        Raises:
            TruncatedError: something is missing.
        """
        if not self.complete:
            raise TruncatedError
