"""Categories that replace values in the properties of an event."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping
from typing import Any, Final

from tallow.monitoring.catalog import OTHER
from tallow.monitoring.lazy_scrubber import scrub

MAX_PROPS: Final = 30
"""The limit of Plausible."""

_CATEGORY: Final = re.compile(r"(?=[^A-Za-z]*[A-Za-z])[A-Za-z0-9][\w.+-]{0,39}")
_NAME: Final = re.compile(r"[A-Za-z][\w .:+-]{0,59}")

_COUNT_EDGES: Final = (1, 2, 6, 21, 101)
_COUNTS: Final = ("0", "1", "2_to_5", "6_to_20", "21_to_100", "over_100")
_SECONDS_EDGES: Final = (1, 10, 60, 600, 3600)
_SECONDS: Final = ("under_1s", "1s_10s", "10s_1m", "1m_10m", "10m_1h", "over_1h")


def count_category(number: float) -> str:
    """Return the category of a count, such as ``2_to_5``."""
    return _COUNTS[bisect_right(_COUNT_EDGES, number)]


def duration_category(duration_s: float) -> str:
    """Return the category of a duration in seconds. ``10s_1m`` begins at 10 seconds."""
    return _SECONDS[bisect_right(_SECONDS_EDGES, duration_s)]


def category(value: object) -> str:
    """Return a short word without private data; the category of a number; ``other`` for other values."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return count_category(value)
    return _public_text(value, _CATEGORY)


def event_name(value: object) -> str:
    """Return a name of a few short words without private data unchanged. Other values become ``other``."""
    return _public_text(value, _NAME)


def user_agent(header: str | None) -> str | None:
    """Return the user agent, by which Plausible recognizes browsers, without private data."""
    return scrub(header) if header else None


def properties(given: Mapping[str, Any]) -> dict[str, str]:
    """Return the first :data:`MAX_PROPS` properties as categories, without those that are None."""
    named = [(key, value) for key, value in given.items() if value is not None and category(key) == key]
    return {key: _unless_private_key(key, category(value)) for key, value in named[:MAX_PROPS]}


def _unless_private_key(key: str, value: str) -> str:
    """Return the category, or ``other`` if the key marks it as private."""
    return value if scrub({key: value}) == {key: value} else OTHER


def _public_text(value: object, form: re.Pattern[str]) -> str:
    """Return text of the given form without private data, or ``other``."""
    fits = isinstance(value, str) and form.fullmatch(value) is not None and scrub(value) == value
    return str(value) if fits else OTHER
