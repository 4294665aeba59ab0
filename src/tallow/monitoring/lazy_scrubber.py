"""Import the scrubber for loggers and senders with the first value, not with the library.

Its exceptions are raised here; the caller drops the value and counts it.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


_loaded: Callable[[Any], Any] | None = None


def scrub(value: T) -> T:
    """Return ``value`` without private data, as :func:`tallow.monitoring.privacy.scrub` does."""
    global _loaded
    if _loaded is None:
        _loaded = importlib.import_module("tallow.monitoring.privacy").process_scrubber().value
    cleaned: T = _loaded(value)
    return cleaned
