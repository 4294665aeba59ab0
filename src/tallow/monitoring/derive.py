"""Bounded labels from raw values: a MIME type, a byte count, a status code."""

from __future__ import annotations

from bisect import bisect_right
from typing import Final

from tallow.monitoring.catalog import OTHER

FILE_TYPES: Final = frozenset({"image", "video", "audio", "text", "application"})
SIZE_CATEGORIES: Final = ("under_1mb", "1mb_10mb", "10mb_100mb", "100mb_1gb", "over_1gb")
SIZE_EDGES: Final = (10**6, 10**7, 10**8, 10**9)
_STATUS_CLASSES: Final = ("1xx", "2xx", "3xx", "4xx", "5xx")


def file_type(mime_type: str | None) -> str:
    """The top-level type of a MIME type (RFC 2046), or ``other``; parameters and case do not matter."""
    if not mime_type:
        return OTHER
    try:
        top = mime_type.partition("/")[0]
        return top if top in FILE_TYPES else _unusual(top)
    except (AttributeError, TypeError):  # not text at all
        return OTHER


def _unusual(top: str) -> str:
    cleaned = top.strip().lower()
    return cleaned if cleaned in FILE_TYPES else OTHER


def size_category(size_bytes: float) -> str:
    """The decimal size class of a transfer: ``1mb_10mb`` begins at 10^6 bytes."""
    return SIZE_CATEGORIES[bisect_right(SIZE_EDGES, size_bytes)]


def status_class(status_code: int) -> str:
    """``2xx`` for 200 to 299 (RFC 9110, section 15), ``other`` outside 100 to 599."""
    return _STATUS_CLASSES[status_code // 100 - 1] if 100 <= status_code <= 599 else OTHER
