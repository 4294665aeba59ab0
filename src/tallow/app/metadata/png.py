"""PNG: its chunks without what is no picture. The pixels' own bytes are copied as they are.

Source: PNG, third edition (W3C, 2025), section 11.
"""

from __future__ import annotations

import zlib
from typing import Final

from tallow.app.metadata.copy_plan import CopyPlan
from tallow.app.metadata.errors import BrokenImageError, ImageLimitError
from tallow.app.metadata.icc import MAX_PROFILE, TOO_LARGE, strip_profile
from tallow.app.metadata.orientation import orientation_only
from tallow.app.metadata.reader import ImageReader

SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
MAX_CHUNK: Final = (1 << 31) - 1

# The picture, its animation, transparency, colours and pixel density, with the most bytes that each can have:
# a larger one could carry anything.
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
"""Bytes of a compressed profile: a name of 80 bytes, and what deflate adds to what it cannot compress."""


def clean(image: ImageReader) -> CopyPlan:
    """The file without EXIF (but its orientation), texts, times, unknown chunks and whatever follows the end.

    Texts (tEXt, zTXt, iTXt) are left out as they are: nothing of them is decompressed.

    Raises:
        BrokenImageError: it has no end, a chunk is larger than its kind allows or reaches beyond the end, or
            a checksum is wrong; or a limit is exceeded.
    """
    plan = CopyPlan()
    plan.write(SIGNATURE)
    at, kind, rewritten = len(SIGNATURE), b"", set[bytes]()
    while kind != b"IEND":
        image.count_part()
        if at + 12 > image.size:
            raise BrokenImageError("broken PNG")
        head = image.read_range(at, at + 8)
        size, kind = int.from_bytes(head[:4], "big"), head[4:]
        end = at + 12 + size
        if end > image.size or (at == len(SIGNATURE) and kind != b"IHDR"):
            raise BrokenImageError("broken PNG")
        if kind in _PICTURE:
            if size > _PICTURE[kind]:
                raise BrokenImageError("broken PNG")
            _check(image, at, end)
            plan.copy(at, end)
        elif kind in _REWRITTEN and kind not in rewritten:  # each at most once: further ones are left out
            rewritten.add(kind)
            plan.write(_profile(image, at, end) if kind == b"iCCP" else _exif(image, at, end))
        at = end
    return plan


def _check(image: ImageReader, at: int, end: int) -> None:
    """Compare a chunk's checksum with its content."""
    checksum = 0
    for block in image.blocks(at + 4, end - 4):
        checksum = zlib.crc32(block, checksum)
    if checksum != int.from_bytes(image.read_range(end - 4, end), "big"):
        raise BrokenImageError("broken PNG")


def _exif(image: ImageReader, at: int, end: int) -> bytes:
    _check(image, at, end)
    return _chunk(b"eXIf", orientation_only(image, at + 8, end - 4))


def _profile(image: ImageReader, at: int, end: int) -> bytes:
    """The colour profile without its texts, its name among them."""
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
    """A chunk; nothing if it would be empty."""
    if not content:
        return b""
    checksum = zlib.crc32(kind + content)
    return len(content).to_bytes(4, "big") + kind + content + checksum.to_bytes(4, "big")
