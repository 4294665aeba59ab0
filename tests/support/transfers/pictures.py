"""Pictures with metadata in every place that their format has: a location, names, texts."""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Callable
from io import BytesIO
from typing import Any, Final

from PIL import Image, ImageCms
from PIL.ExifTags import GPS, IFD, Base

PLANTED: Final = b"PLANTED"
"""Planted in every text, name and trailer below; none of it may remain."""
TEXT: Final = PLANTED.decode()
LATITUDE: Final = (47.0, 22.0, 8.5)
ORIENTED: Final = 6


def canvas(mode: str = "RGB", size: tuple[int, int] = (97, 61), seed: int = 1) -> Image.Image:
    """A small picture of random pixels."""
    picture = Image.frombytes("RGB", size, random.Random(seed).randbytes(size[0] * size[1] * 3))
    return picture.convert(mode)


def exif(orientation: int = ORIENTED, thumbnail: bytes = b"") -> bytes:
    """EXIF with a location, a camera, its owner and a comment."""
    made = Image.Exif()
    made[Base.Orientation] = orientation
    for tag in (Base.Make, Base.Model, Base.Artist, Base.ImageDescription, Base.Copyright, Base.Software):
        made[tag] = TEXT
    made[Base.XPComment] = TEXT.encode("utf-16-le")
    inner = made.get_ifd(IFD.Exif)
    inner[Base.UserComment] = b"ASCII\0\0\0" + PLANTED
    inner[Base.CameraOwnerName] = TEXT
    inner[Base.MakerNote] = PLANTED + thumbnail
    place = made.get_ifd(IFD.GPSInfo)
    place[GPS.GPSLatitudeRef], place[GPS.GPSLatitude] = "N", LATITUDE
    place[GPS.GPSLongitudeRef], place[GPS.GPSLongitude] = "E", (8.0, 32.0, 30.25)
    place[GPS.GPSProcessingMethod] = b"ASCII\0\0\0" + PLANTED
    return made.tobytes()


def xmp() -> bytes:
    """XMP with a location and a name."""
    return (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        b'<rdf:Description exif:GPSLatitude="47,22.1N" dc:creator="' + PLANTED + b'"/></rdf:RDF></x:xmpmeta>'
    )


def profile() -> bytes:
    """A colour profile with a planted description and a red primary that differs from sRGB's."""
    made = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    count = int.from_bytes(made[128:132], "big")
    for at in range(132, 132 + 12 * count, 12):
        name, offset, size = struct.unpack_from(">4sII", made, at)
        if name in {b"desc", b"cprt"}:
            made[offset + size - len(PLANTED) : offset + size] = PLANTED
        if name == b"rXYZ":  # the red primary
            struct.pack_into(">i", made, offset + 8, int(0.6 * 65536))
    made[48:56] = PLANTED[:4] * 2
    return bytes(made)


def saved(picture: Image.Image, kind: str, **options: Any) -> bytes:
    """The bytes of a picture's file."""
    out = BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def segment(marker: int, payload: bytes) -> bytes:
    """A JPEG segment."""
    return bytes((0xFF, marker)) + (len(payload) + 2).to_bytes(2, "big") + payload


def jpeg(picture: Image.Image | None = None, **options: Any) -> bytes:
    """A JPEG with every kind of metadata, and further media after its end."""
    thumbnail = saved(canvas(size=(16, 16)), "JPEG", comment=PLANTED)
    plain = saved(
        picture or canvas(),
        "JPEG",
        exif=exif(thumbnail=thumbnail),
        xmp=xmp(),
        icc_profile=profile(),
        **options,
    )
    more = (
        segment(0xFE, PLANTED + b" comment")
        + segment(0xED, b"Photoshop 3.0\x008BIM\x04\x04\0\0\0\0\0\x0c\x1c\x02\x50\0\x07" + PLANTED)
        + segment(0xE0, b"JFXX\0\x10" + PLANTED)
        + segment(0xE5, PLANTED)
        + segment(0xEB, PLANTED)
    )
    at = 2 if plain[2:4] != b"\xff\xe0" else 4 + int.from_bytes(plain[4:6], "big")
    return plain[:at] + more + plain[at:] + appended_media()


def appended_media() -> bytes:
    """What phones append to a picture: a second picture and a video."""
    return saved(canvas(seed=2), "JPEG", exif=exif(), comment=PLANTED) + b"ftypmp42" + PLANTED


def chunk(kind: bytes, content: bytes) -> bytes:
    """A PNG chunk."""
    return len(content).to_bytes(4, "big") + kind + content + zlib.crc32(kind + content).to_bytes(4, "big")


def png(picture: Image.Image | None = None, **options: Any) -> bytes:
    """A PNG with every kind of metadata, and bytes after its end."""
    plain = saved(picture or canvas("RGBA"), "PNG", exif=exif(), icc_profile=profile(), **options)
    more = (
        chunk(b"tEXt", b"Comment\0" + PLANTED)
        + chunk(b"zTXt", b"Author\0\0" + zlib.compress(PLANTED))
        + chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp())
        + chunk(b"tIME", struct.pack(">HBBBBB", 2024, 1, 2, 3, 4, 5))
        + chunk(b"iDOT", PLANTED)
        + chunk(b"prVt", PLANTED)
    )
    after_head = 8 + 25
    return plain[:after_head] + more + plain[after_head:] + PLANTED


def riff(kind: bytes, content: bytes) -> bytes:
    """A RIFF chunk."""
    return kind + len(content).to_bytes(4, "little") + content + b"\0" * (len(content) % 2)


def webp(picture: Image.Image | None = None, **options: Any) -> bytes:
    """A WebP with every kind of metadata, and bytes after its end."""
    plain = saved(picture or canvas("RGBA"), "WEBP", exif=exif(), xmp=xmp(), icc_profile=profile(), **options)
    body = plain[12:] + riff(b"prVt", PLANTED)
    return b"RIFF" + (4 + len(body)).to_bytes(4, "little") + b"WEBP" + body + PLANTED


def frames(make: Callable[..., bytes]) -> bytes:
    """An animation of three frames by :func:`png` or :func:`webp`."""
    rest = [canvas("RGBA", seed=seed) for seed in (2, 3)]
    options = {"save_all": True, "append_images": rest, "duration": [50, 70, 90], "loop": 3}
    return make(canvas("RGBA"), **options, **({"lossless": True} if make is webp else {}))
