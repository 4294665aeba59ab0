"""WebP: its chunks without what is no picture. The pixels' own bytes are copied as they are.

Source: RFC 9649, section 2 (RIFF container).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tallow.app.metadata.broken import BrokenImageError
from tallow.app.metadata.icc import colours_only
from tallow.app.metadata.orientation import upright_only

RIFF: Final = b"RIFF"
WEBP: Final = b"WEBP"
HAS_ICC, HAS_EXIF, HAS_XMP = 0x20, 0x08, 0x04

_PICTURE: Final = frozenset({b"ANIM", b"ANMF", b"ALPH", b"VP8 ", b"VP8L"})
_IN_FRAME: Final = frozenset({b"ALPH", b"VP8 ", b"VP8L"})
_FRAME_HEAD: Final = 16


def clean(data: bytes) -> Iterator[bytes]:
    """The file's pieces without EXIF (but its orientation), XMP, unknown chunks (those inside frames too)
    and whatever follows the end.

    Raises:
        BrokenImageError: it has no end, no picture, or a chunk that reaches beyond it.
    """
    end = 8 + int.from_bytes(data[4:8], "little")
    if end > len(data):
        raise BrokenImageError("broken WebP")
    pieces = list(_kept(data, end))
    if not any(piece[:4] in _PICTURE for piece in pieces):
        raise BrokenImageError("broken WebP")
    flags = sum(bit for name, bit in ((b"ICCP", HAS_ICC), (b"EXIF", HAS_EXIF)) if _has(pieces, name))
    if pieces[0][:4] == b"VP8X":
        head = bytearray(pieces[0])
        head[8] = head[8] & ~(HAS_ICC | HAS_EXIF | HAS_XMP) | flags
        pieces[0] = bytes(head)
    yield RIFF + (4 + sum(map(len, pieces))).to_bytes(4, "little") + WEBP
    yield from pieces


def _kept(data: bytes, end: int) -> Iterator[bytes]:
    extended = data[12:16] == b"VP8X"
    for kind, start, stop in _chunks(data, 12, end):
        if kind == b"VP8X" and start == 20 and stop - start == 10:
            yield _chunk(kind, data[start:stop])
        elif kind == b"ANMF":
            yield _chunk(kind, _frame(data, start, stop))
        elif kind in _PICTURE:
            yield _chunk(kind, data[start:stop])
        elif kind == b"ICCP" and extended:
            yield from _unless_empty(kind, colours_only(data[start:stop]))
        elif kind == b"EXIF" and extended:
            yield from _unless_empty(kind, upright_only(data[start:stop]))


def _frame(data: bytes, start: int, stop: int) -> bytes:
    """A frame of an animation, its own chunks filtered too."""
    inner = start + _FRAME_HEAD
    if inner > stop:
        raise BrokenImageError("broken WebP")
    chunks = _chunks(data, inner, stop)
    kept = [_chunk(kind, data[begin:end]) for kind, begin, end in chunks if kind in _IN_FRAME]
    return data[start:inner] + b"".join(kept)


def _chunks(data: bytes, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    while at < end:
        start = at + 8
        stop = start + int.from_bytes(data[at + 4 : start], "little")
        if stop > end:
            raise BrokenImageError("broken WebP")
        yield data[at : at + 4], start, stop
        at = stop + (stop - start) % 2


def _chunk(kind: bytes, content: bytes) -> bytes:
    return kind + len(content).to_bytes(4, "little") + content + b"\0" * (len(content) % 2)


def _unless_empty(kind: bytes, content: bytes) -> Iterator[bytes]:
    if content:
        yield _chunk(kind, content)


def _has(pieces: list[bytes], kind: bytes) -> bool:
    return any(piece[:4] == kind for piece in pieces)
