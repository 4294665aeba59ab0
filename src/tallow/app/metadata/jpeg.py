"""JPEG: its segments without what is no picture. The pixels' own bytes are copied as they are.

Source: ITU-T T.81, annex B; JFIF 1.02; ICC.1, annex B.4 (profiles in APP2); Adobe's APP14.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from tallow.app.metadata.broken import BrokenImageError
from tallow.app.metadata.icc import colours_only
from tallow.app.metadata.orientation import HEADER, upright_only

SIGNATURE: Final = b"\xff\xd8\xff"
SOI, EOI, SOS, APP0, APP1, APP2, APP14 = 0xD8, 0xD9, 0xDA, 0xE0, 0xE1, 0xE2, 0xEE
ICC: Final = b"ICC_PROFILE\0"
JFIF: Final = b"JFIF\0"
ADOBE: Final = b"Adobe"
MAX_SEGMENT: Final = 0xFFFF - 2

# Frames, tables, restart interval, arithmetic conditioning, number of lines: what a decoder needs.
_PICTURE: Final = frozenset({*range(0xC0, 0xD0), 0xDB, 0xDC, 0xDD, 0xDE, 0xDF} - {0xC8})
_BARE: Final = frozenset({0x01, *range(0xD0, 0xD8)})
_MARKER: Final = re.compile(rb"\xff+([^\x00\xff])")
_AFTER_SCAN: Final = re.compile(rb"\xff+[^\x00\xff\xd0-\xd7]")


def clean(data: bytes) -> Iterator[bytes | memoryview]:
    """The file's pieces without EXIF (but its orientation), XMP, IPTC, comments, thumbnails, further pictures
    and whatever follows the end.

    Raises:
        BrokenImageError: it has no end, or a segment that reaches beyond it.
    """
    view = memoryview(data)
    segments = list(_segments(data))
    yield bytes((0xFF, SOI))
    head = [(marker, start, end) for marker, start, end in segments if marker in {APP0, APP1, APP2, APP14}]
    yield from _jfif(data, head)
    yield from _exif(data, head)
    yield from _profile(data, head)
    yield from _adobe(data, head)
    for marker, start, end in segments:
        if marker in _PICTURE:
            yield _segment(marker, view[start:end])
        elif marker == SOS:  # with the scan behind it
            yield b"\xff\xda"
            yield view[start - 2 : end]
    yield bytes((0xFF, EOI))


def _segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """(marker, begin, end) of each segment's payload up to the end of the first picture."""
    at, scans = 2, 0
    while found := _MARKER.search(data, at):
        marker, start = found[1][0], found.end()
        if marker == EOI and scans:
            return
        if marker in _BARE:
            at = start
            continue
        length = int.from_bytes(data[start : start + 2], "big")
        end = start + length
        if length < 2 or end > len(data) or marker in {SOI, EOI}:
            break
        if marker == SOS:
            after = _AFTER_SCAN.search(data, end)
            if after is None:
                break
            end, scans = after.start(), scans + 1
        yield marker, start + 2, end
        at = end
    raise BrokenImageError("broken JPEG")


def _segment(marker: int, payload: bytes | memoryview) -> bytes:
    return bytes((0xFF, marker)) + (len(payload) + 2).to_bytes(2, "big") + payload


def _jfif(data: bytes, head: list[tuple[int, int, int]]) -> Iterator[bytes]:
    """The first JFIF header (version, density), its thumbnail left off."""
    for marker, start, end in head:
        if marker == APP0 and data.startswith(JFIF, start) and end - start >= 14:
            yield _segment(APP0, data[start : start + 12] + b"\0\0")
            return


def _exif(data: bytes, head: list[tuple[int, int, int]]) -> Iterator[bytes]:
    for marker, start, end in head:
        if marker == APP1 and data.startswith(HEADER, start):
            kept = upright_only(data[start:end])
            if kept:
                yield _segment(APP1, HEADER + kept)
            return


def _profile(data: bytes, head: list[tuple[int, int, int]]) -> Iterator[bytes]:
    """The colour profile, which may lie in several numbered segments, without its texts."""
    parts = [
        (data[start + 12], data[start + 14 : end])
        for marker, start, end in head
        if marker == APP2 and data.startswith(ICC, start) and end - start >= 14
    ]
    profile = colours_only(b"".join(part for _, part in sorted(parts, key=lambda part: part[0])))
    size = MAX_SEGMENT - 14
    pieces = [profile[at : at + size] for at in range(0, len(profile), size)]
    if len(pieces) <= 255:
        for number, piece in enumerate(pieces, 1):
            yield _segment(APP2, ICC + bytes((number, len(pieces))) + piece)


def _adobe(data: bytes, head: list[tuple[int, int, int]]) -> Iterator[bytes]:
    """Adobe's segment says how colours were transformed; 12 bytes, and no more."""
    for marker, start, end in head:
        if marker == APP14 and data.startswith(ADOBE, start) and end - start >= 12:
            yield _segment(APP14, data[start : start + 12])
            return
