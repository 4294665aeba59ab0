"""WebP: its chunks without what is no picture. The pixels' own bytes are copied as they are.

Source: RFC 9649, section 2 (RIFF container).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tallow.app.metadata.copy_plan import CopyPlan
from tallow.app.metadata.errors import BrokenImageError, ImageLimitError
from tallow.app.metadata.icc import MAX_PROFILE, TOO_LARGE, strip_profile
from tallow.app.metadata.orientation import orientation_only
from tallow.app.metadata.reader import ImageReader

RIFF: Final = b"RIFF"
WEBP: Final = b"WEBP"
HAS_ICC, HAS_EXIF, HAS_XMP = 0x20, 0x08, 0x04

_PICTURE: Final = frozenset({b"ANIM", b"ALPH", b"VP8 ", b"VP8L"})
_IN_FRAME: Final = frozenset({b"ALPH", b"VP8 ", b"VP8L"})
_FRAME_HEAD: Final = 16
_FIRST: Final = 12
"""Where the first chunk begins."""


def clean(image: ImageReader) -> CopyPlan:
    """The file without EXIF (but its orientation), XMP, unknown chunks (those inside frames too) and whatever
    follows the end. Chunks are not nested deeper than a frame's: what else they contain is not looked at.

    Raises:
        BrokenImageError: it has no end, no picture, or a chunk that reaches beyond it; or a limit is
            exceeded.
    """
    end = 8 + int.from_bytes(image.read_range(4, 8), "little")
    if end > image.size or end < _FIRST:
        raise BrokenImageError("broken WebP")
    body, extended, pictures = CopyPlan(), False, 0
    rewritten: dict[bytes, bytes] = {}
    for kind, start, stop in _chunks(image, _FIRST, end):
        if kind == b"VP8X" and start == _FIRST + 8 and stop - start == 10:
            extended = True
        elif kind == b"ANMF":
            _write(body, kind, _frame(image, start, stop))
            pictures += 1
        elif kind in _PICTURE:
            _copy(body, start, stop)
            pictures += 1
        elif kind in {b"ICCP", b"EXIF"} and extended and kind not in rewritten:
            rewritten[kind] = _kept(image, kind, start, stop)
            content = CopyPlan()
            content.write(rewritten[kind])
            _write(body, kind, content)
    if not pictures:
        raise BrokenImageError("broken WebP")
    head = _extended_head(image, rewritten) if extended else b""
    plan = CopyPlan()
    plan.write(RIFF + (4 + len(head) + body.size).to_bytes(4, "little") + WEBP + head)
    plan.append(body)
    return plan


def _extended_head(image: ImageReader, rewritten: dict[bytes, bytes]) -> bytes:
    """The VP8X chunk, which announces what follows."""
    head = bytearray(image.read_range(_FIRST, _FIRST + 18))
    head[8] &= ~(HAS_ICC | HAS_EXIF | HAS_XMP)
    head[8] |= (HAS_ICC if rewritten.get(b"ICCP") else 0) | (HAS_EXIF if rewritten.get(b"EXIF") else 0)
    return bytes(head)


def _kept(image: ImageReader, kind: bytes, start: int, stop: int) -> bytes:
    """What of a colour profile or of EXIF stays."""
    if kind == b"EXIF":
        return orientation_only(image, start, stop)
    if stop - start > MAX_PROFILE:
        raise ImageLimitError(TOO_LARGE)
    return strip_profile(image.read_range(start, stop))


def _frame(image: ImageReader, start: int, stop: int) -> CopyPlan:
    """A frame of an animation, its own chunks filtered too."""
    inner = start + _FRAME_HEAD
    if inner > stop:
        raise BrokenImageError("broken WebP")
    frame = CopyPlan()
    frame.copy(start, inner)
    for kind, begin, end in _chunks(image, inner, stop):
        if kind in _IN_FRAME:
            _copy(frame, begin, end)
    return frame


def _chunks(image: ImageReader, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    while at < end:
        image.count_part()
        start = at + 8
        if start > end:
            raise BrokenImageError("broken WebP")
        head = image.read_range(at, start)
        stop = start + int.from_bytes(head[4:], "little")
        if stop > end:
            raise BrokenImageError("broken WebP")
        yield head[:4], start, stop
        at = stop + (stop - start) % 2


def _copy(plan: CopyPlan, start: int, stop: int) -> None:
    """Add a chunk of the picture, its header included; its padding is written anew."""
    plan.copy(start - 8, stop)
    plan.write(b"\0" * ((stop - start) % 2))


def _write(plan: CopyPlan, kind: bytes, content: CopyPlan) -> None:
    """Add a chunk; nothing if it would be empty."""
    if content.size:
        plan.write(kind + content.size.to_bytes(4, "little"))
        plan.append(content)
        plan.write(b"\0" * (content.size % 2))
