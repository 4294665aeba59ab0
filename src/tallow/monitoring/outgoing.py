"""The scrubber as the exits reach it: loaded with the first thing that leaves, not with the library.

Whatever goes wrong in it is raised here; an exit then drops what it held, and counts it.
"""

from __future__ import annotations

import importlib
from typing import TypeVar

T = TypeVar("T")


def scrub(value: T) -> T:
    """``value`` without what is private in it (:func:`tallow.monitoring.privacy.scrub`)."""
    cleaned: T = importlib.import_module("tallow.monitoring.privacy").scrub(value)
    return cleaned
