"""Durations in seconds, and the notation that Prometheus and Alertmanager read."""

from __future__ import annotations

from typing import Final

MINUTE: Final = 60
HOUR: Final = 60 * MINUTE

_UNITS: Final = ((HOUR * 1000, "h"), (MINUTE * 1000, "m"), (1000, "s"), (1, "ms"))


def promql_duration(seconds: float) -> str:
    """Write a duration in the largest unit that divides it, rounded to milliseconds.

    >>> promql_duration(300), promql_duration(7.5), promql_duration(0)
    ('5m', '7500ms', '0s')
    """
    milliseconds = round(seconds * 1000)
    if not milliseconds:
        return "0s"
    size, unit = next((size, unit) for size, unit in _UNITS if milliseconds % size == 0)
    return f"{milliseconds // size}{unit}"
