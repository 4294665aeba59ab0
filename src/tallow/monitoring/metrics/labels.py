"""Derive bounded label values from raw values: a MIME type, a byte count, a status code."""

from __future__ import annotations

from bisect import bisect_right
from typing import Final

from tallow.monitoring.catalog import OTHER

FILE_TYPES: Final = frozenset({"image", "video", "audio", "text", "application"})
SIZE_CATEGORIES: Final = ("under_1mb", "1mb_10mb", "10mb_100mb", "100mb_1gb", "over_1gb")
SIZE_EDGES: Final = (1e6, 1e7, 1e8, 1e9)
_MAX_LENGTH: Final = 40
_STATUS_CLASSES: Final = ("1xx", "2xx", "3xx", "4xx", "5xx")


def file_type(mime_type: str | None) -> str:
    """Return the top-level type of a MIME type (RFC 2046), or ``other``. Parameters and case are ignored.

    Example:
        >>> file_type("Image/PNG")
        'image'
    """
    if mime_type.__class__ is not str:
        if not isinstance(mime_type, str):
            return OTHER
        mime_type = str.__str__(mime_type)  # an enum member
    top = mime_type.partition("/")[0]
    return top if top in FILE_TYPES else _normalised_type(top)


def _normalised_type(top: str) -> str:
    cleaned = top[:_MAX_LENGTH].strip().lower()
    return cleaned if cleaned in FILE_TYPES else OTHER


def size_category(size_bytes: float) -> str:
    """Return the decimal size category of a transfer, ``other`` if it is not a number.

    Example:
        >>> size_category(1_000_000)
        '1mb_10mb'
    """
    try:
        return SIZE_CATEGORIES[bisect_right(SIZE_EDGES, size_bytes)]
    except Exception:  # noqa: BLE001 - recording never raises into its caller
        return OTHER


def status(status_code: int) -> tuple[str, str | None]:
    """Return the class of a status code (RFC 9110, section 15), and the exact code if it is an error.

    The class is ``other`` outside 100 to 599 and for what is not a number; the code is None below 400.

    Example:
        >>> status(204), status(404)
        (('2xx', None), ('4xx', '404'))
    """
    try:
        if not 100 <= status_code <= 599:
            return OTHER, None
        return _STATUS_CLASSES[status_code // 100 - 1], f"{status_code:d}" if status_code >= 400 else None
    except Exception:  # noqa: BLE001 - as above
        return OTHER, None


def as_bool(value: object) -> bool:
    """Return the truth of a value; False if it has none, as a NumPy array."""
    try:
        return bool(value)
    except Exception:  # noqa: BLE001 - as above
        return False


def as_digits(number: int) -> str:
    """Return an integer's digits; an empty text, which no label allows, for anything else."""
    try:
        return f"{number:d}"
    except Exception:  # noqa: BLE001 - as above
        return ""
