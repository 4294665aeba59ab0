"""The order of received frames.

Headers are checked before decryption, so that an error can name what is wrong with a frame. A forged header
that passes is rejected at decryption.
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
    """Tracks one direction: one document or file at a time, each from its first byte to its last."""

    def __init__(self) -> None:
        self._wanted: FrameHeader | None = None
        self._size: int | None = None

    def expect(
        self, kind: FrameType, file: int = NO_FILE, position: int = 0, size: int | None = None
    ) -> None:
        """Set what comes next: a document, or a file.

        Args:
            position: first byte of the file that is expected.
            size: bytes of the whole file.
        """
        self._wanted = FrameHeader(kind, file, position)
        self._size = size

    @property
    def complete(self) -> bool:
        """Whether the expected document or file was received to its end."""
        return self._wanted is None

    def check(self, header: FrameHeader, length: int) -> None:
        """Check whether a frame with a payload of ``length`` bytes may come now.

        Raises:
            ProtocolError: SplicedError, ReplayedError, ReorderedError, TruncatedError or MalformedError.
        """
        if header.kind is FrameType.ABORT:
            return
        wanted = self._wanted
        if wanted is None:
            raise ReplayedError("a frame was received after the end")
        _check_position(header, wanted)
        if self._size is not None:
            _check_end(header, self._size - header.index - length)

    def advance(self, header: FrameHeader, length: int) -> None:
        """Move on after a frame that passed :meth:`check` and was decrypted."""
        if header.kind is not FrameType.ABORT:
            more = FrameHeader(header.kind, header.file, header.index + length)
            self._wanted = None if header.final else more


def _check_position(header: FrameHeader, wanted: FrameHeader) -> None:
    if header.kind is not wanted.kind:
        raise TruncatedError if wanted.kind is FrameType.DATA else MalformedError
    if header.file != wanted.file:
        raise SplicedError
    if header.index != wanted.index:
        raise ReplayedError if header.index < wanted.index else ReorderedError


def _check_end(header: FrameHeader, remaining: int) -> None:
    """Compare the final flag with the number of bytes that are missing after this frame."""
    if remaining < 0 or (remaining == 0 and not header.final):
        raise MalformedError("a file is larger than announced")
    if remaining > 0 and header.final:
        raise TruncatedError
