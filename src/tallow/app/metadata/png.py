"""PNG: its chunks without what is no picture. The pixels' own bytes are copied as they are.

Source: PNG, third edition (W3C, 2025), section 11.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Final

from tallow.app.metadata.broken import BrokenImageError
from tallow.app.metadata.icc import MAX_PROFILE, colours_only
from tallow.app.metadata.orientation import upright_only

SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"

# The picture, its animation, transparency, colours and pixel density.
_PICTURE: Final = frozenset(
    b"IHDR PLTE IDAT IEND acTL fcTL fdAT tRNS hIST bKGD pHYs sBIT cHRM gAMA sRGB cICP mDCV cLLI".split()
)


def clean(data: bytes) -> Iterator[bytes | memoryview]:
    """The file's pieces without EXIF (but its orientation), texts, times, unknown chunks and whatever follows
    the end.

    Raises:
        BrokenImageError: it has no end, a chunk reaches beyond it, or a checksum is wrong.
    """
    view = memoryview(data)
    yield SIGNATURE
    at, kind = len(SIGNATURE), b""
    while kind != b"IEND":
        size, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        end = at + 12 + size
        if end > len(data) or (at == len(SIGNATURE) and kind != b"IHDR"):
            raise BrokenImageError("broken PNG")
        if kind in _PICTURE or kind in {b"iCCP", b"eXIf"}:
            if zlib.crc32(view[at + 4 : end - 4]) != int.from_bytes(data[end - 4 : end], "big"):
                raise BrokenImageError("broken PNG")
            if kind == b"iCCP":
                yield _profile(data[at + 8 : end - 4])
            elif kind == b"eXIf":
                yield _chunk(kind, upright_only(data[at + 8 : end - 4]))
            else:
                yield view[at:end]
        at = end


def _profile(content: bytes) -> bytes:
    """The colour profile without its texts, its name among them."""
    packed = content.partition(b"\0")[2][1:]
    try:
        profile = colours_only(zlib.decompressobj().decompress(packed, MAX_PROFILE))
    except zlib.error:
        return b""
    return _chunk(b"iCCP", b"icc\0\0" + zlib.compress(profile)) if profile else b""


def _chunk(kind: bytes, content: bytes) -> bytes:
    """A chunk; nothing if it would be empty."""
    if not content:
        return b""
    checksum = zlib.crc32(kind + content)
    return len(content).to_bytes(4, "big") + kind + content + checksum.to_bytes(4, "big")
