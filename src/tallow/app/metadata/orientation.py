"""Which way up: the one thing in EXIF that a picture needs to look right."""

from __future__ import annotations

from typing import Final

from PIL import Image
from PIL.ExifTags import Base

HEADER: Final = b"Exif\0\0"
UPRIGHT: Final = 1


def upright_only(exif: bytes) -> bytes:
    """EXIF, with or without its header, with the orientation alone if that is not the usual one; otherwise
    nothing, as for EXIF that cannot be read: viewers cannot read it either.

    Turning the pixels instead would re-encode a JPEG.
    """
    found = Image.Exif()
    try:
        found.load(exif)
        orientation = int(found.get(Base.Orientation, UPRIGHT))
    except Exception:  # noqa: BLE001 - Pillow raises many kinds on hostile EXIF
        return b""
    if orientation not in range(2, 9):
        return b""
    kept = Image.Exif()
    kept[Base.Orientation] = orientation
    return kept.tobytes().removeprefix(HEADER)
