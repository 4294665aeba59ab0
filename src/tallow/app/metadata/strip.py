"""Removes metadata from pictures before they are sent. Content decides, not the file name."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from tallow.app.files.errors import FileError, file_error, printable
from tallow.app.files.source_file import SourceFile, source_file
from tallow.app.metadata import jpeg, png, webp
from tallow.app.metadata.copy_plan import CopyPlan
from tallow.app.metadata.errors import BrokenImageError, ImageLimitError
from tallow.app.metadata.reader import ImageReader
from tallow.monitoring.logging import transfer_logger
from tallow.monitoring.metrics import Metrics

MAX_IMAGE: Final = 256 << 20
"""Bytes of a picture. The copy needs as much temporary space."""
MIME_TYPES: Final = ("image/jpeg", "image/png", "image/webp")

Cleaner = Callable[[ImageReader], CopyPlan]
Stopped = Callable[[], bool]
"""Whether the caller was cancelled; asked before each block of 1 MiB."""


class MetadataError(FileError):
    """The metadata of a picture cannot be removed. The picture is sent only with ``--keep-metadata``."""


def strip(picture: SourceFile, folder: Path, stopped: Stopped = lambda: False) -> SourceFile:
    """Remove the metadata of one file. Blocks: call it in a thread.

    Removed are EXIF with its GPS position, XMP, IPTC, comments, texts, times, thumbnails, trailing bytes, a
    second picture in the same file (MPO, a gain map), and the texts of the colour profile. Kept are the
    pixels, byte for byte, orientation, colours and animation. Time is linear in the file's size, and memory
    is a few MiB, for all input.

    Args:
        folder: private folder for the copy; the caller removes it.

    Returns:
        A stripped copy in ``folder`` with the same name; or the file itself if it is no JPEG, PNG or WebP, or
        has no metadata.

    Raises:
        MetadataError: the file is not what its name says, is broken or larger than 256 MiB, or has more than
            200,000 segments or chunks or a colour profile of more than 4 MiB.
        FileError: it cannot be read, or the copy cannot be written.
        StoppedError: ``stopped`` returned true. No copy is left in ``folder``.
    """
    try:
        cleaner = _cleaner(picture.read(0, 16))
        if cleaner is not None:
            return _strip(picture, cleaner, folder, stopped)
    except BrokenImageError as error:
        raise _metadata_error(picture, str(error)) from None
    finally:
        picture.close()  # a folder may hold more files than a process may have open
    if picture.size and picture.mime_type in MIME_TYPES:
        raise _metadata_error(picture, f"it is not a {_format_name(picture)} file")
    return picture


def strip_all(
    sources: Sequence[SourceFile], folder: Path, metrics: Metrics, stopped: Stopped = lambda: False
) -> list[SourceFile]:
    """:func:`strip` for each file; results are counted, and the duration is logged. Blocks.

    Raises:
        MetadataError, FileError, StoppedError: see :func:`strip`; later files are not read.
    """
    with transfer_logger.time("Metadata cleaned", files=len(sources)):
        return [_strip_counted(one, folder, metrics, stopped) for one in sources]


def _strip_counted(one: SourceFile, folder: Path, metrics: Metrics, stopped: Stopped) -> SourceFile:
    try:
        cleaned = strip(one, folder, stopped)
    except MetadataError:
        metrics.record_metadata_stripped("image", "failed")
        raise
    if cleaned is not one:
        metrics.record_metadata_stripped("image", "success")
    return cleaned


def _cleaner(head: bytes) -> Cleaner | None:
    if head.startswith(jpeg.SIGNATURE):
        return jpeg.clean
    if head.startswith(png.SIGNATURE):
        return png.clean
    if head.startswith(webp.RIFF) and head[8:12] == webp.WEBP:
        return webp.clean
    return None


def _strip(picture: SourceFile, cleaner: Cleaner, folder: Path, stopped: Stopped) -> SourceFile:
    if picture.size > MAX_IMAGE:
        raise ImageLimitError(f"it is larger than {MAX_IMAGE >> 20} MiB")
    image = ImageReader(picture.read, picture.size, stopped)
    plan = cleaner(image)
    return picture if plan.is_whole(image) else _copy(picture, image, plan, folder)


def _copy(picture: SourceFile, image: ImageReader, plan: CopyPlan, folder: Path) -> SourceFile:
    place: Path | None = None
    try:
        descriptor, name = tempfile.mkstemp(dir=folder)
        place = Path(name)
        with os.fdopen(descriptor, "wb") as out:
            out.writelines(plan.contents(image))
        return replace(source_file(place, picture.name), attributes=picture.attributes)
    except BaseException as error:
        if place is not None:
            place.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise file_error("write a cleaned copy of", picture.name, error) from None
        raise


def _format_name(picture: SourceFile) -> str:
    return {"image/jpeg": "JPEG", "image/png": "PNG"}.get(picture.mime_type or "", "WebP")


def _metadata_error(picture: SourceFile, why: str) -> MetadataError:
    return MetadataError(
        f"the metadata of {printable(picture.name)} cannot be removed ({why}); "
        "--keep-metadata sends files as they are"
    )
