"""WebSocket frames of RFC 6455, section 5.2, found in a buffer without being parsed."""

from __future__ import annotations

from typing import Final, NamedTuple

CONTINUATION: Final = 0x0
TEXT: Final = 0x1
BINARY: Final = 0x2
FIN: Final = 0x80
_MASK: Final = 0x80
_TWO_BYTES: Final = 126
_EIGHT_BYTES: Final = 127
MAX_HEADER_BYTES: Final = 14


class FrameBounds(NamedTuple):
    """Where a frame of a client is in a buffer.

    Attributes:
        first: its first byte: FIN, three reserved bits, and the opcode. None: it cannot be read, because it
            is not masked or too long; ``end`` is the end of the buffer then.
        payload: index of the payload; the mask is in the four bytes before it.
        end: index after the payload.
    """

    first: int | None
    payload: int
    end: int


def frame_at(buffer: bytes | bytearray, start: int, max_payload: int) -> FrameBounds | None:
    """The frame that begins at an index; None if the buffer does not hold all of it yet.

    >>> frame_at(bytes([0x82, 0x82, 0, 0, 0, 0, 7, 7]), 0, 100)
    FrameBounds(first=130, payload=6, end=8)
    """
    size = len(buffer)
    if size - start < 2:
        return None
    second = buffer[start + 1]
    length = second & 0x7F
    payload = start + 6
    if length >= _TWO_BYTES:
        extra = 2 if length == _TWO_BYTES else 8
        if size - start < 2 + extra:
            return None
        length = int.from_bytes(buffer[start + 2 : start + 2 + extra])
        payload += extra
    if not second & _MASK or length > max_payload:
        return FrameBounds(None, start, size)
    end = payload + length
    return FrameBounds(buffer[start], payload, end) if end <= size else None


def binary_header(length: int) -> bytes:
    """The header of an unmasked frame that holds a whole binary message.

    >>> binary_header(5)
    b'\\x82\\x05'
    """
    return _header(FIN | BINARY, 0, length)


def text_frame(payload: bytes) -> bytes:
    """The frame in which a client sends a text message, masked with zeros."""
    return _header(FIN | TEXT, _MASK, len(payload)) + bytes(4) + payload


def _header(first: int, mask: int, length: int) -> bytes:
    if length < _TWO_BYTES:
        return bytes((first, mask | length))
    if length < 1 << 16:
        return bytes((first, mask | _TWO_BYTES)) + length.to_bytes(2)
    return bytes((first, mask | _EIGHT_BYTES)) + length.to_bytes(8)
