"""JPEG: its segments without what is no picture. The pixels' own bytes are copied as they are.

Source: ITU-T T.81, annex B; JFIF 1.02; ICC.1, annex B.4 (profiles in APP2); Adobe's APP14.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from tallow.app.metadata.copy_plan import CopyPlan
from tallow.app.metadata.errors import BrokenImageError, ImageLimitError
from tallow.app.metadata.icc import MAX_PROFILE, TOO_LARGE, strip_profile
from tallow.app.metadata.orientation import HEADER, orientation_only
from tallow.app.metadata.reader import ImageReader

SIGNATURE: Final = b"\xff\xd8\xff"
SOI, EOI, SOS, APP0, APP1, APP2, APP14 = 0xD8, 0xD9, 0xDA, 0xE0, 0xE1, 0xE2, 0xEE
ICC: Final = b"ICC_PROFILE\0"
JFIF: Final = b"JFIF\0"
ADOBE: Final = b"Adobe"
MAX_SEGMENT: Final = 0xFFFF - 2
MAX_PROFILE_SEGMENTS: Final = 255

# Frames, tables, restart interval, arithmetic conditioning, number of lines: what a decoder needs.
_PICTURE: Final = frozenset({*range(0xC0, 0xD0), 0xDB, 0xDC, 0xDD, 0xDE, 0xDF} - {0xC8})
_BARE: Final = frozenset({0x01, *range(0xD0, 0xD8)})
# The last of any number of 0xFF and the byte behind. A pattern that took the whole run would begin anew at
# each byte of it: quadratic time.
_MARKER: Final = re.compile(rb"\xff[^\x00\xff]")
_MARKER_AFTER_SCAN: Final = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")

Range = tuple[int, int]


@dataclass
class _Parts:
    """What of a picture is kept: ranges of payloads, the first of each kind."""

    jfif: Range | None = None
    exif: Range | None = None
    adobe: Range | None = None
    profile: list[Range] = field(default_factory=list)
    profile_size: int = 0
    picture: CopyPlan = field(default_factory=CopyPlan)


def clean(image: ImageReader) -> CopyPlan:
    """The file without EXIF (but its orientation), XMP, IPTC, comments, thumbnails, further pictures and
    whatever follows the end.

    Raises:
        BrokenImageError: it has no end, or a segment that reaches beyond it; or a limit is exceeded.
    """
    parts = _Parts()
    for marker, at, start, end in _segments(image):
        if marker in _PICTURE or marker == SOS:  # SOS: with the scan behind it
            parts.picture.copy(at, end)
        else:
            _note(image, parts, marker, start, end)
    plan = CopyPlan()
    plan.write(bytes((0xFF, SOI)))
    if parts.jfif:  # version and density; its thumbnail is left off
        plan.write(_segment(APP0, image.read_range(parts.jfif[0], parts.jfif[0] + 12) + b"\0\0"))
    if parts.exif and (kept := orientation_only(image, *parts.exif)):
        plan.write(_segment(APP1, HEADER + kept))
    for segment in _profile(image, parts.profile):
        plan.write(segment)
    if parts.adobe:  # how colours were transformed: 12 bytes, and no more
        plan.write(_segment(APP14, image.read_range(parts.adobe[0], parts.adobe[0] + 12)))
    plan.append(parts.picture)
    plan.write(bytes((0xFF, EOI)))
    return plan


def _segments(image: ImageReader) -> Iterator[tuple[int, int, int, int]]:
    """(marker, where it is, begin, end of the payload) of each segment up to the end of the first picture."""
    at, scans = 2, 0
    while (found := image.find(_MARKER, at)) is not None:
        image.count_part()
        marker, start = image.read_range(found, found + 2)[1], found + 2
        if marker == EOI and scans:
            return
        if marker in _BARE:
            at = start
            continue
        if marker in {SOI, EOI}:
            break
        length = int.from_bytes(image.read_range(start, start + 2), "big")
        end = start + length
        if length < 2 or end > image.size:
            break
        if marker == SOS:
            after = image.find(_MARKER_AFTER_SCAN, end)
            if after is None:
                break
            end, scans = after, scans + 1
        yield marker, found, start + 2, end
        at = end
    raise BrokenImageError("broken JPEG")


def _note(image: ImageReader, parts: _Parts, marker: int, start: int, end: int) -> None:
    """Keep in mind where a header lies. The first of its kind counts."""
    size = end - start
    if marker not in {APP0, APP1, APP2, APP14}:
        return
    head = image.read_range(start, min(end, start + len(ICC)))
    if marker == APP0 and head.startswith(JFIF) and size >= 14:
        parts.jfif = parts.jfif or (start, end)
    elif marker == APP1 and head.startswith(HEADER):
        parts.exif = parts.exif or (start, end)
    elif marker == APP14 and head.startswith(ADOBE) and size >= 12:
        parts.adobe = parts.adobe or (start, end)
    elif marker == APP2 and head == ICC and size >= 14:
        parts.profile.append((start, end))
        parts.profile_size += size - 14
        if len(parts.profile) > MAX_PROFILE_SEGMENTS or parts.profile_size > MAX_PROFILE:
            raise ImageLimitError(TOO_LARGE)


def _segment(marker: int, payload: bytes) -> bytes:
    return bytes((0xFF, marker)) + (len(payload) + 2).to_bytes(2, "big") + payload


def _profile(image: ImageReader, ranges: list[Range]) -> Iterator[bytes]:
    """The colour profile, which may lie in several numbered segments, without its texts."""
    payloads = [image.read_range(start + len(ICC), end) for start, end in ranges]
    payloads.sort(key=lambda payload: payload[0])
    profile = strip_profile(b"".join(payload[2:] for payload in payloads))
    size = MAX_SEGMENT - 14
    pieces = [profile[at : at + size] for at in range(0, len(profile), size)]
    for number, piece in enumerate(pieces, 1):
        yield _segment(APP2, ICC + bytes((number, len(pieces))) + piece)
