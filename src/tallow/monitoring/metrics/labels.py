"""Bounded labels from raw values: a MIME type, a byte count, a status code."""

from __future__ import annotations

from bisect import bisect_right
from typing import Final

from tallow.monitoring.catalog import OTHER

FILE_TYPES: Final = frozenset({"image", "video", "audio", "text", "application"})
SIZE_CATEGORIES: Final = ("under_1mb", "1mb_10mb", "10mb_100mb", "100mb_1gb", "over_1gb")
SIZE_EDGES: Final = (1e6, 1e7, 1e8, 1e9)
_LONGEST: Final = 40
_STATUS_CLASSES: Final = ("1xx", "2xx", "3xx", "4xx", "5xx")


def file_type(mime_type: str | None) -> str:
    """The top-level type of a MIME type (RFC 2046), or ``other``; parameters and case do not matter."""
    if mime_type.__class__ is not str:
        if not isinstance(mime_type, str):
            return OTHER
        mime_type = str.__str__(mime_type)  # an enumeration's member
    top = mime_type.partition("/")[0]
    return top if top in FILE_TYPES else _unusual(top)


def _unusual(top: str) -> str:
    cleaned = top[:_LONGEST].strip().lower()
    return cleaned if cleaned in FILE_TYPES else OTHER


def size_category(size_bytes: float) -> str:
    """The decimal size class of a transfer: ``1mb_10mb`` begins at 10^6 bytes; ``other`` of no number."""
    try:
        return SIZE_CATEGORIES[bisect_right(SIZE_EDGES, size_bytes)]
    except Exception:  # noqa: BLE001 - whatever was passed, the caller's own work goes on
        return OTHER


def status(status_code: int) -> tuple[str, str | None]:
    """``2xx`` for 200 to 299 (RFC 9110, section 15), ``other`` outside 100 to 599 and for what is no number;
    and the exact code of an error (400 to 599), None of anything else."""
    try:
        if not 100 <= status_code <= 599:
            return OTHER, None
        return _STATUS_CLASSES[status_code // 100 - 1], f"{status_code:d}" if status_code >= 400 else None
    except Exception:  # noqa: BLE001 - as above
        return OTHER, None


def as_bool(value: object) -> bool:
    """Whether a value is true; what cannot say so (an array) is not."""
    try:
        return bool(value)
    except Exception:  # noqa: BLE001 - as above
        return False


def as_digits(number: int) -> str:
    """An integer's digits; nothing, which is no label's value, for anything else."""
    try:
        return f"{number:d}"
    except Exception:  # noqa: BLE001 - as above
        return ""
