"""Metadata off pictures before they are sent: by what a file is, whatever it is called."""

from __future__ import annotations

import filecmp
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from tallow.app.files.error import FileError, plainly, shown
from tallow.app.files.source import Source, source
from tallow.app.metadata import jpeg, png, webp
from tallow.app.metadata.broken import BrokenImageError
from tallow.monitoring.metrics import Metrics

MAX_IMAGE: Final = 256 << 20
"""Bytes of a picture that is held in memory for this."""
KINDS: Final = ("image/jpeg", "image/png", "image/webp")

Cleaner = Callable[[bytes], Iterator[bytes | memoryview]]


class MetadataError(FileError):
    """A picture's metadata cannot be removed. It is not sent, unless its sender says ``--keep-metadata``."""


def strip(picture: Source, folder: Path) -> Source:
    """A source without metadata: a cleaned copy in ``folder`` under the same name; the source itself if it
    is no JPEG, PNG or WebP, or carries nothing.

    Removed are EXIF with its GPS position, XMP, IPTC, comments, texts, times, thumbnails, what follows the
    end of the picture, and the texts of its colour profile. Kept are its pixels, byte for byte, its
    orientation, its colours and its animation. A second picture in the same file (MPO, a gain map) goes.

    Args:
        folder: this user's alone, on a disk with room for the copy; the caller removes it.

    Raises:
        MetadataError: it claims to be a picture and cannot be followed, or is larger than 256 MiB.
        FileError: it cannot be read, or the copy cannot be written.
    """
    cleaner = _cleaner(picture.read(0, 16))
    if cleaner is None:
        if picture.size and picture.mime_type in KINDS:
            raise _refused(picture, f"it is no {_called(picture)} inside")
        return picture
    if picture.size > MAX_IMAGE:
        raise _refused(picture, f"it is larger than {MAX_IMAGE >> 20} MiB")
    try:
        pieces = list(cleaner(picture.read(0, picture.size)))
    except BrokenImageError as error:
        raise _refused(picture, str(error)) from None
    finally:
        picture.close()
    return _copy(picture, pieces, folder)


def strip_all(sources: Sequence[Source], folder: Path, metrics: Metrics) -> list[Source]:
    """:func:`strip` for each, and its outcome counted where there was something to do. Blocks.

    Raises:
        MetadataError, FileError: see there; what comes after is not looked at.
    """
    stripped = []
    for one in sources:
        try:
            cleaned = strip(one, folder)
        except MetadataError:
            metrics.record_metadata_stripped("image", "failed")
            raise
        if cleaned is not one:
            metrics.record_metadata_stripped("image", "success")
        stripped.append(cleaned)
    return stripped


def _cleaner(head: bytes) -> Cleaner | None:
    if head.startswith(jpeg.SIGNATURE):
        return jpeg.clean
    if head.startswith(png.SIGNATURE):
        return png.clean
    if head.startswith(webp.RIFF) and head[8:12] == webp.WEBP:
        return webp.clean
    return None


def _copy(picture: Source, pieces: list[bytes | memoryview], folder: Path) -> Source:
    try:
        with tempfile.NamedTemporaryFile(dir=folder, delete=False) as out:
            out.writelines(pieces)
        place = Path(out.name)
        if filecmp.cmp(place, picture.path, shallow=False):
            place.unlink()
            return picture
    except OSError as error:
        raise plainly("write a cleaned copy of", picture.name, error) from None
    return source(place, picture.name, origin=picture)


def _called(picture: Source) -> str:
    return {"image/jpeg": "JPEG", "image/png": "PNG"}.get(picture.mime_type or "", "WebP")


def _refused(picture: Source, why: str) -> MetadataError:
    return MetadataError(
        f"the metadata of {shown(picture.name)} cannot be removed ({why}); "
        "--keep-metadata sends files as they are"
    )
