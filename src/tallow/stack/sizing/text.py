"""Figures of an estimate as text, for the command and the page."""

from __future__ import annotations

from typing import Final

_UNITS: Final = ("B", "KB", "MB", "GB", "TB", "PB")


def bytes_text(count: float) -> str:
    """A size with decimal units and three digits.

    Example:
        >>> bytes_text(950), bytes_text(143_641), bytes_text(2.6e12)
        ('950 B', '144 KB', '2.6 TB')
    """
    size, unit = float(count), 0
    while size >= 999.5 and unit < len(_UNITS) - 1:
        size, unit = size / 1000, unit + 1
    return f"{number_text(size)} {_UNITS[unit]}"


def seconds_text(seconds: float) -> str:
    """A time in milliseconds below one second, in seconds above.

    Example:
        >>> seconds_text(0.0145), seconds_text(62.14)
        ('14.5 ms', '62.1 s')
    """
    return f"{number_text(seconds * 1000)} ms" if seconds < 1 else f"{number_text(seconds)} s"


def number_text(value: float) -> str:
    """A number with three significant digits, and at least all digits before the point.

    Example:
        >>> number_text(1_130_000), number_text(0.9), number_text(3.14159)
        ('1,130,000', '0.9', '3.14')
    """
    if abs(value) >= 100:
        return f"{round(value):,}"
    return f"{value:.3g}" if abs(value) >= 0.001 else f"{value:.1g}"
