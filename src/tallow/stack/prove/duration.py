"""Durations as Prometheus writes them."""

from __future__ import annotations

import re
from typing import Final

_UNITS: Final = {"y": 31_536_000, "w": 604_800, "d": 86_400, "h": 3600, "m": 60, "s": 1, "ms": 0.001}
_DURATION: Final = re.compile("".join(rf"(?:([0-9]{{1,9}}){unit})?" for unit in _UNITS))


class DurationError(ValueError):
    """A text is not a duration."""


def parse_duration(text: str) -> float:
    """The seconds of a duration.

    Raises:
        DurationError: it is not one.

    Example:
        >>> parse_duration("1h30m"), parse_duration("0"), parse_duration("500ms")
        (5400.0, 0.0, 0.5)
    """
    if text == "0":
        return 0.0
    found = _DURATION.fullmatch(text)
    if found is None or not text:
        raise DurationError(f"'{text}' is not a duration such as 5m or 1h30m")
    return float(
        sum(int(amount or 0) * unit for amount, unit in zip(found.groups(), _UNITS.values(), strict=True))
    )


def duration_text(seconds: float) -> str:
    """A duration in its two largest units.

    Example:
        >>> duration_text(90), duration_text(3600), duration_text(0.5)
        ('1m30s', '1h', '500ms')
    """
    milliseconds = round(seconds * 1000)
    parts = []
    for unit, size in _UNITS.items():
        count, milliseconds = divmod(milliseconds, round(size * 1000))
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts[:2]) or "0s"
