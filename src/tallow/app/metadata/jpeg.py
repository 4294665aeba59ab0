"""JPEG: removes all segments that are not part of the picture. Pixel data is copied unchanged.

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
PROFILE_HEAD: Final = len(ICC) + 2

# Frames, tables, restart interval, arithmetic conditioning, number of lines: a decoder needs these.
_PICTURE: Final = frozenset({*range(0xC0, 0xD0), 0xDB, 0xDC, 0xDD, 0xDE, 0xDF} - {0xC8})
_BARE: Final = frozenset({0x01, *range(0xD0, 0xD8)})
# The last 0xFF of a run and the byte after it. A pattern for the whole run would take quadratic time.
_MARKER: Final = re.compile(rb"\xff[^\x00\xff]")
_MARKER_AFTER_SCAN: Final = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")

_HEADERS: Final = {APP0: (JFIF, 14), APP1: (HEADER, 0), APP2: (ICC, PROFILE_HEAD), APP14: (ADOBE, 12)}
"""Prefix and minimum size of the payload."""

Range = tuple[int, int]


@dataclass
class _Parts:
    """The parts of a picture that are kept: payload ranges, the first of each kind."""

    headers: dict[int, Range] = field(default_factory=dict)
    profile: list[Range] = field(default_factory=list)
    profile_size: int = 0
    picture: CopyPlan = field(default_factory=CopyPlan)


def clean(image: ImageReader) -> CopyPlan:
    """Remove EXIF (except the orientation), XMP, IPTC, comments, thumbnails, further pictures and trailing
    bytes.

    Raises:
        BrokenImageError: the file is truncated, or a segment reaches beyond its end.
        ImageLimitError: a limit is exceeded.
    """
    parts = _Parts()
    for marker, at, start, end in _segments(image):
        if marker in _PICTURE or marker == SOS:  # SOS includes the scan after it
            parts.picture.copy(at, end)
        else:
            _record_header(image, parts, marker, start, end)
    plan = CopyPlan()
    plan.write(bytes((0xFF, SOI)))
    if jfif := parts.headers.get(APP0):  # version and density, without the thumbnail
        plan.write(_segment(APP0, image.read_range(jfif[0], jfif[0] + 12) + b"\0\0"))
    if (exif := parts.headers.get(APP1)) and (kept := orientation_only(image, *exif)):
        plan.write(_segment(APP1, HEADER + kept))
    for segment in _profile(image, parts.profile):
        plan.write(segment)
    if adobe := parts.headers.get(APP14):  # colour transform, in the first 12 bytes
        plan.write(_segment(APP14, image.read_range(adobe[0], adobe[0] + 12)))
    plan.append(parts.picture)
    plan.write(bytes((0xFF, EOI)))
    return plan


def _segments(image: ImageReader) -> Iterator[tuple[int, int, int, int]]:
    """Marker, position, and start and end of the payload of each segment of the first picture."""
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


def _record_header(image: ImageReader, parts: _Parts, marker: int, start: int, end: int) -> None:
    """Record the range of a header. Only the first of its kind counts."""
    if marker not in _HEADERS:
        return
    prefix, min_size = _HEADERS[marker]
    if end - start < min_size or image.read_range(start, min(end, start + len(prefix))) != prefix:
        return
    if marker == APP2:
        _record_profile(parts, start, end)
    else:
        parts.headers.setdefault(marker, (start, end))


def _record_profile(parts: _Parts, start: int, end: int) -> None:
    parts.profile.append((start, end))
    parts.profile_size += end - start - PROFILE_HEAD
    if len(parts.profile) > MAX_PROFILE_SEGMENTS or parts.profile_size > MAX_PROFILE:
        raise ImageLimitError(TOO_LARGE)


def _segment(marker: int, payload: bytes) -> bytes:
    return bytes((0xFF, marker)) + (len(payload) + 2).to_bytes(2, "big") + payload


def _profile(image: ImageReader, ranges: list[Range]) -> Iterator[bytes]:
    """The colour profile without its texts. It may be split into several numbered segments."""
    payloads = [image.read_range(start + len(ICC), end) for start, end in ranges]
    payloads.sort(key=lambda payload: payload[0])
    profile = strip_profile(b"".join(payload[2:] for payload in payloads))
    size = MAX_SEGMENT - PROFILE_HEAD
    pieces = [profile[at : at + size] for at in range(0, len(profile), size)]
    for number, piece in enumerate(pieces, 1):
        yield _segment(APP2, ICC + bytes((number, len(pieces))) + piece)
