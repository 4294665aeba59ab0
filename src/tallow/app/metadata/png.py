"""PNG: removes all chunks that are not part of the picture. Pixel data is copied unchanged.

Source: PNG, third edition (W3C, 2025), section 11.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Final

from tallow.app.metadata.copy_plan import CopyPlan
from tallow.app.metadata.errors import BrokenImageError, ImageLimitError
from tallow.app.metadata.icc import MAX_PROFILE, TOO_LARGE, strip_profile
from tallow.app.metadata.orientation import orientation_only
from tallow.app.metadata.reader import ImageReader

SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
MAX_CHUNK: Final = (1 << 31) - 1

# Picture, animation, transparency, colours and pixel density, with the maximum size of each: a larger chunk
# could hold anything.
_PICTURE: Final = {
    b"IHDR": 13,
    b"PLTE": 768,
    b"IDAT": MAX_CHUNK,
    b"IEND": 0,
    b"acTL": 8,
    b"fcTL": 26,
    b"fdAT": MAX_CHUNK,
    b"tRNS": 256,
    b"hIST": 512,
    b"bKGD": 6,
    b"pHYs": 9,
    b"sBIT": 4,
    b"cHRM": 32,
    b"gAMA": 4,
    b"sRGB": 1,
    b"cICP": 4,
    b"mDCV": 24,
    b"cLLI": 8,
}
_REWRITTEN: Final = frozenset({b"iCCP", b"eXIf"})
_MAX_PACKED: Final = MAX_PROFILE + 1024
"""Bytes of a compressed profile: a name of 80 bytes, and the overhead of deflate on incompressible data."""


def clean(image: ImageReader) -> CopyPlan:
    """Remove EXIF (except the orientation), texts, times, unknown chunks and trailing bytes.

    Compressed texts are dropped without decompressing them.

    Raises:
        BrokenImageError: the file is truncated, a chunk is too large or reaches beyond the end, or a checksum
            is wrong.
        ImageLimitError: a limit is exceeded.
    """
    plan = CopyPlan()
    plan.write(SIGNATURE)
    rewritten = set[bytes]()
    for kind, at, end in _chunks(image):
        if kind in _PICTURE:
            if end - at - 12 > _PICTURE[kind]:
                raise BrokenImageError("broken PNG")
            _check(image, at, end)
            plan.copy(at, end)
        elif kind in _REWRITTEN and kind not in rewritten:  # further ones are dropped
            rewritten.add(kind)
            plan.write(_profile(image, at, end) if kind == b"iCCP" else _exif(image, at, end))
    return plan


def _chunks(image: ImageReader) -> Iterator[tuple[bytes, int, int]]:
    """Kind, start and end of each chunk up to the first IEND."""
    at, kind = len(SIGNATURE), b""
    while kind != b"IEND":
        image.count_part()
        if at + 12 > image.size:
            raise BrokenImageError("broken PNG")
        head = image.read_range(at, at + 8)
        kind, end = head[4:], at + 12 + int.from_bytes(head[:4], "big")
        if end > image.size or (at == len(SIGNATURE) and kind != b"IHDR"):
            raise BrokenImageError("broken PNG")
        yield kind, at, end
        at = end


def _check(image: ImageReader, at: int, end: int) -> None:
    """Verify a chunk's checksum."""
    checksum = 0
    for block in image.blocks(at + 4, end - 4):
        checksum = zlib.crc32(block, checksum)
    if checksum != int.from_bytes(image.read_range(end - 4, end), "big"):
        raise BrokenImageError("broken PNG")


def _exif(image: ImageReader, at: int, end: int) -> bytes:
    _check(image, at, end)
    return _chunk(b"eXIf", orientation_only(image, at + 8, end - 4))


def _profile(image: ImageReader, at: int, end: int) -> bytes:
    """The colour profile without its name and texts."""
    if end - at > _MAX_PACKED:
        raise ImageLimitError(TOO_LARGE)
    _check(image, at, end)
    packed = image.read_range(at + 8, end - 4).partition(b"\0")[2][1:]
    try:
        profile = zlib.decompressobj().decompress(packed, MAX_PROFILE + 1)
    except zlib.error:
        return b""
    if len(profile) > MAX_PROFILE:
        raise ImageLimitError(TOO_LARGE)
    kept = strip_profile(profile)
    return _chunk(b"iCCP", b"icc\0\0" + zlib.compress(kept)) if kept else b""


def _chunk(kind: bytes, content: bytes) -> bytes:
    """A chunk; empty for empty content."""
    if not content:
        return b""
    checksum = zlib.crc32(kind + content)
    return len(content).to_bytes(4, "big") + kind + content + checksum.to_bytes(4, "big")
