"""WebP: removes all chunks that are not part of the picture. Pixel data is copied unchanged.

Source: RFC 9649, section 2 (RIFF container).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
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
_REWRITTEN: Final = frozenset({b"ICCP", b"EXIF"})
_IN_FRAME: Final = frozenset({b"ALPH", b"VP8 ", b"VP8L"})
_FRAME_HEAD: Final = 16
_FIRST: Final = 12
"""Offset of the first chunk."""


def clean(image: ImageReader) -> CopyPlan:
    """Remove EXIF (except the orientation), XMP, unknown chunks (also inside frames) and trailing bytes.

    Raises:
        BrokenImageError: the file is truncated, has no picture, or a chunk reaches beyond its end.
        ImageLimitError: a limit is exceeded.
    """
    end = 8 + int.from_bytes(image.read_range(4, 8), "little")
    if end > image.size or end < _FIRST:
        raise BrokenImageError("broken WebP")
    body = _Body()
    for kind, start, stop in _chunks(image, _FIRST, end):
        body.add(image, kind, start, stop)
    if not body.pictures:
        raise BrokenImageError("broken WebP")
    head = _extended_head(image, body.rewritten) if body.extended else b""
    plan = CopyPlan()
    plan.write(RIFF + (4 + len(head) + body.plan.size).to_bytes(4, "little") + WEBP + head)
    plan.append(body.plan)
    return plan


@dataclass
class _Body:
    """The kept chunks after VP8X.

    Attributes:
        extended: whether there is a VP8X chunk.
        rewritten: content of the profile and EXIF chunks.
    """

    plan: CopyPlan = field(default_factory=CopyPlan)
    extended: bool = False
    pictures: int = 0
    rewritten: dict[bytes, bytes] = field(default_factory=dict)

    def add(self, image: ImageReader, kind: bytes, start: int, stop: int) -> None:
        """Add a chunk, or drop it."""
        if kind == b"VP8X" and start == _FIRST + 8 and stop - start == 10:
            self.extended = True
        elif kind == b"ANMF":
            _write(self.plan, kind, _frame(image, start, stop))
            self.pictures += 1
        elif kind in _PICTURE:
            _copy(self.plan, start, stop)
            self.pictures += 1
        elif kind in _REWRITTEN and self.extended and kind not in self.rewritten:
            self.rewritten[kind] = _kept(image, kind, start, stop)
            content = CopyPlan()
            content.write(self.rewritten[kind])
            _write(self.plan, kind, content)


def _extended_head(image: ImageReader, rewritten: dict[bytes, bytes]) -> bytes:
    """The VP8X chunk, whose flags announce the other chunks."""
    head = bytearray(image.read_range(_FIRST, _FIRST + 18))
    head[8] &= ~(HAS_ICC | HAS_EXIF | HAS_XMP)
    head[8] |= (HAS_ICC if rewritten.get(b"ICCP") else 0) | (HAS_EXIF if rewritten.get(b"EXIF") else 0)
    return bytes(head)


def _kept(image: ImageReader, kind: bytes, start: int, stop: int) -> bytes:
    """The kept part of a colour profile or of EXIF."""
    if kind == b"EXIF":
        return orientation_only(image, start, stop)
    if stop - start > MAX_PROFILE:
        raise ImageLimitError(TOO_LARGE)
    return strip_profile(image.read_range(start, stop))


def _frame(image: ImageReader, start: int, stop: int) -> CopyPlan:
    """A frame of an animation, with its own chunks filtered."""
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
    """Add a chunk of the picture with its header; the padding is written."""
    plan.copy(start - 8, stop)
    plan.write(b"\0" * ((stop - start) % 2))


def _write(plan: CopyPlan, kind: bytes, content: CopyPlan) -> None:
    """Add a chunk; nothing for empty content."""
    if content.size:
        plan.write(kind + content.size.to_bytes(4, "little"))
        plan.append(content)
        plan.write(b"\0" * (content.size % 2))
