"""Formats whose metadata is not removed. Their files are sent unchanged, and the sender gets a warning."""

from __future__ import annotations

import mimetypes
from collections.abc import Sequence
from typing import Final

from tallow.app.files.errors import printable
from tallow.app.files.source_file import SourceFile

CLEANED: Final = "JPEG, PNG and WebP"
NAMED: Final = 3
"""Files that the warning names."""

HEAD: Final = 32
"""Bytes that are read to detect the format."""

# Offset, signature, format. Sources: ISO/IEC 14496-12 (ftyp), TIFF 6.0, the specification of each format.
_SIGNATURES: Final = (
    (0, b"GIF87a", "GIF"),
    (0, b"GIF89a", "GIF"),
    (0, b"II*\0", "TIFF or raw picture"),
    (0, b"MM\0*", "TIFF or raw picture"),
    (0, b"II+\0", "BigTIFF"),
    (0, b"MM\0+", "BigTIFF"),
    (0, b"IIU\0", "raw picture"),
    (0, b"IIRO", "raw picture"),
    (0, b"IIRS", "raw picture"),
    (0, b"FUJIFILMCCD-RAW", "raw picture"),
    (0, b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
    (0, b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
    (0, b"\xff\x4f\xff\x51", "JPEG 2000"),
    (0, b"8BPS", "Photoshop"),
    (0, b"\x1aE\xdf\xa3", "Matroska or WebM"),
    (8, b"AVI ", "AVI"),
    (8, b"WAVE", "WAV"),
    (0, b"ID3", "MP3"),
    (0, b"fLaC", "FLAC"),
    (0, b"OggS", "Ogg"),
    (0, b"%PDF-", "PDF"),
)
_BRANDS: Final = {
    **dict.fromkeys(("heic", "heix", "hevc", "hevx", "heim", "heis", "mif1", "mif2", "msf1"), "HEIC"),
    **dict.fromkeys(("avif", "avis"), "AVIF"),
    "crx ": "raw picture",
    "qt  ": "QuickTime",
}
_TYPES: Final = ("image/", "video/", "audio/", "application/pdf", "application/msword")
_OFFICE: Final = ("application/vnd.openxmlformats-", "application/vnd.oasis.", "application/vnd.ms-")
# mimetypes knows these only if the system's tables do.
_EXTENSIONS: Final = {
    "heic": "HEIC",
    "heif": "HEIC",
    "avif": "AVIF",
    "jxl": "JPEG XL",
    "dng": "raw picture",
    "cr2": "raw picture",
    "cr3": "raw picture",
    "nef": "raw picture",
    "arw": "raw picture",
    "docx": "Office document",
    "xlsx": "Office document",
    "pptx": "Office document",
    "odt": "Office document",
}


def unstripped_warning(sources: Sequence[SourceFile]) -> str | None:
    """A warning that names files whose metadata is kept; None if there are none. Blocks.

    Text files, archives and programs are not named: they contain only what their author put there.

    Raises:
        FileError: a file cannot be read.
    """
    found: list[str] = []
    count = 0
    for source in sources:
        name = unsupported_format(source)
        if name is not None:
            count += 1
            if count <= NAMED:
                found.append(f"{printable(source.name)} ({name})")
    if not count:
        return None
    more = f" and {count - NAMED} more" if count > NAMED else ""
    return (
        f"metadata (place, camera, author) is not removed from {', '.join(found)}{more}; "
        f"it is removed from {CLEANED} only"
    )


def unsupported_format(source: SourceFile) -> str | None:
    """The name of a format whose metadata is kept, by content, then by file name. None for formats that
    are stripped and for all others."""
    try:
        head = source.read(0, HEAD)
    finally:
        source.close()
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12].decode("latin-1"), "MP4")
    for at, signature, name in _SIGNATURES:
        if head.startswith(signature, at):
            return name
    return _by_name(source.name)


def _by_name(name: str) -> str | None:
    extension = name.rpartition(".")[2].lower()
    if extension in _EXTENSIONS:
        return _EXTENSIONS[extension]
    guessed = mimetypes.guess_type(name)[0] or ""
    if guessed.startswith(_OFFICE):
        return "Office document"
    if guessed.startswith(_TYPES) and guessed not in {"image/jpeg", "image/png", "image/webp"}:
        return guessed
    return None
