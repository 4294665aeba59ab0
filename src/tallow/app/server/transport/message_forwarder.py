"""Copies the binary messages of one WebSocket to another, from buffer to buffer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from tallow.app.server.transport.frames import BINARY, CONTINUATION, FIN, FrameBounds, binary_header, frame_at

try:
    from websockets.speedups import apply_mask
except ImportError:  # websockets without its compiled part
    from websockets.utils import apply_mask

MAX_FRAGMENTS: Final = 1024
_WHOLE_BINARY: Final = FIN | BINARY
_FIRST_FRAGMENT: Final = BINARY
_LAST_FRAGMENT: Final = FIN | CONTINUATION
_JOINED_BYTES: Final = 64 * 1024
"""Up to this size, one copy into a common buffer costs less than handing each part to the transport."""


class MessageTooLargeError(Exception):
    """A message has too many bytes or fragments."""


class MessageForwarder:
    """Unmasks binary messages and frames them again. Fragments are joined: a message arrives as one frame.

    Args:
        max_message: bytes of a message.
        write: takes the frames for the other peer, and how many bytes of messages they carry.
    """

    __slots__ = ("_fragments", "_max_message", "_size", "_write")

    def __init__(self, max_message: int, write: Callable[[list[bytes], int], None]) -> None:
        self._max_message = max_message
        self._write = write
        self._fragments: list[bytes] = []
        self._size = 0

    def forward(self, buffer: bytes | bytearray, start: int) -> int:
        """Forward all whole messages that begin at an index.

        Returns:
            The index of the first frame that was not taken. It is incomplete, or none that can be forwarded:
            a control frame, text, or one that breaks the protocol.

        Raises:
            MessageTooLargeError: in fragments; what came before is forwarded.
        """
        parts: list[bytes] = []
        moved = 0
        try:
            with memoryview(buffer) as view:
                while (frame := frame_at(buffer, start, self._max_message)) is not None:
                    if frame.first != _WHOLE_BINARY or self._fragments:
                        if not self._is_fragment(frame.first):
                            break
                        data = self._join(frame, _unmasked(view, frame))
                    else:
                        data = _unmasked(view, frame)
                    start = frame.end
                    if data is not None:
                        parts += (binary_header(len(data)), data)
                        moved += len(data)
        finally:
            if parts:
                self._write([b"".join(parts)] if moved <= _JOINED_BYTES else parts, moved)
        return start

    def _is_fragment(self, first: int | None) -> bool:
        return first in ((CONTINUATION, _LAST_FRAGMENT) if self._fragments else (_FIRST_FRAGMENT,))

    def _join(self, frame: FrameBounds, data: bytes) -> bytes | None:
        """Add a fragment; the message if it was the last one."""
        self._fragments.append(data)
        self._size += len(data)
        if self._size > self._max_message or len(self._fragments) > MAX_FRAGMENTS:
            raise MessageTooLargeError
        if frame.first != _LAST_FRAGMENT:
            return None
        message = b"".join(self._fragments)
        self._fragments, self._size = [], 0
        return message


def _unmasked(view: memoryview, frame: FrameBounds) -> bytes:
    with view[frame.payload : frame.end] as masked:
        return apply_mask(masked, bytes(view[frame.payload - 4 : frame.payload]))
