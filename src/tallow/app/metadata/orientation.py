"""The orientation in EXIF: the only field that a picture needs to look right.

Source: Exif 2.32, section 4.6.4 (tag 274); TIFF 6.0, section 2. Only the first directory is read, so that a
chain of directories cannot loop.
"""

from __future__ import annotations

import struct
from typing import Final

from tallow.app.metadata.reader import ImageReader

HEADER: Final = b"Exif\0\0"
TAG: Final = 0x0112
TURNED: Final = range(2, 9)
"""Orientations other than the normal one, 1."""

_ORDERS: Final = {b"II*\0": "<", b"MM\0*": ">"}
_TYPES: Final = {1: "B", 3: "H", 4: "I"}
"""Integer types of TIFF: BYTE, SHORT, LONG. Orientation is a SHORT; some writers use the others."""
_ENTRY: Final = 12


def orientation_only(image: ImageReader, start: int, end: int) -> bytes:
    """EXIF that holds only the orientation of the EXIF from ``start`` to ``end``.

    Empty for the normal orientation, and for EXIF that cannot be read: viewers cannot read it either. The
    header ``Exif`` is optional in the input and missing in the result. Turning the pixels instead would
    re-encode a JPEG.
    """
    if image.read_range(start, min(end, start + len(HEADER))) == HEADER:
        start += len(HEADER)
    orientation = _orientation(image, start, end)
    if orientation not in TURNED:
        return b""
    return b"MM\0*" + struct.pack(">IHHHIHHI", 8, 1, TAG, 3, 1, orientation, 0, 0)


def _orientation(image: ImageReader, start: int, end: int) -> int | None:
    order = _ORDERS.get(image.read_range(start, min(end, start + 4)))
    if order is None or end - start < 8:
        return None
    (offset,) = struct.unpack(order + "I", image.read_range(start + 4, start + 8))
    table = start + offset
    if table + 2 > end:
        return None
    (count,) = struct.unpack(order + "H", image.read_range(table, table + 2))
    count = min(count, (end - table - 2) // _ENTRY)
    entries = image.read_range(table + 2, table + 2 + count * _ENTRY)
    for tag, kind, values, value in struct.iter_unpack(order + "HHI4s", entries):
        if tag == TAG and kind in _TYPES and values == 1:
            found: int = struct.unpack_from(order + _TYPES[kind], value)[0]
            return found
    return None
