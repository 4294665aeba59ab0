"""The scrubber as the exits reach it: loaded with the first thing that leaves, not with the library.

Whatever goes wrong in it is raised here; an exit then drops what it held, and counts it.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


_loaded: Callable[[Any], Any] | None = None


def scrub(value: T) -> T:
    """``value`` without what is private in it (:func:`tallow.monitoring.privacy.scrub`)."""
    global _loaded
    if _loaded is None:
        _loaded = importlib.import_module("tallow.monitoring.privacy").process_scrubber().value
    cleaned: T = _loaded(value)
    return cleaned
