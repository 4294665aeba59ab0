"""How much later an expression is evaluated that looks at the time of the day or the year.

A test of promtool starts on 1 January 1970, a Thursday, at midnight.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Final

from tallow.stack.prove.witnesses.inputs.uses import Uses

_DAY_S: Final = 86_400.0
_HOURS: Final = (12.0, 0.0, 18.0, 6.0)
_MONTHS: Final = (0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334)
"""Days of 1970 before each month."""
_MOST: Final = 150
DATES: Final = frozenset(
    {"minute", "hour", "day_of_week", "day_of_month", "day_of_year", "month", "year", "days_in_month"}
)
"""The functions of dates."""


def later_dates(uses: Uses, first: float) -> list[float]:
    """Seconds to wait, so that the condition holds from a date near the constants of the expression on.

    Args:
        first: seconds from the start of the test to the first evaluation that counts, without waiting.

    Example:
        >>> later_dates(Uses(functions={"hour"}, numbers={22.0}), 240.0)[:5]
        [78960.0, 82560.0, 75360.0, 42960.0, 86160.0]
    """
    cycle = 3600.0 if uses.functions & DATES == {"minute"} else _DAY_S
    found = (
        _not_negative(day * _DAY_S + hour * 3600.0 + minute * 60.0 - first, cycle)
        for day, hour, minute in product(
            dict.fromkeys(_days(uses)), dict.fromkeys(_hours(uses)), dict.fromkeys(_minutes(uses))
        )
    )
    return [time for time, _ in zip(found, range(_MOST), strict=False)]


def _not_negative(seconds: float, cycle: float) -> float:
    return seconds if seconds >= 0 else seconds % cycle


def _near(uses: Uses, low: int, high: int) -> Iterator[int]:
    for number in sorted(uses.numbers):
        yield from (each for each in (int(number), int(number) + 1, int(number) - 1) if low <= each <= high)


def _days(uses: Uses) -> Iterator[int]:
    if "month" in uses.functions:
        for month in _near(uses, 1, 12):
            yield _MONTHS[month - 1] + 14
    if "days_in_month" in uses.functions:
        yield from (_MONTHS[month] + 14 for month in (1, 3, 2))
    if "day_of_month" in uses.functions:
        yield from (day - 1 for day in _near(uses, 1, 31))
    if "day_of_year" in uses.functions:
        yield from (day - 1 for day in _near(uses, 1, 365))
    yield from (0, 1, 2, 3, 4, 5, 6, 15, 28)


def _hours(uses: Uses) -> Iterator[float]:
    if "hour" in uses.functions:
        yield from map(float, _near(uses, 0, 23))
    elif uses.functions & DATES == {"minute"}:
        yield 0.0
    yield from _HOURS


def _minutes(uses: Uses) -> Iterator[float]:
    if "minute" in uses.functions:
        yield from map(float, _near(uses, 0, 59))
    yield 0.0
