"""Import the scrubber with the first value, not with the library.

The scrubber reads the settings, and the settings use its rules. Both are imported by name here, so that no
package depends on another in a circle.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, TypeVar

from tallow.monitoring.lifecycle import fork

T = TypeVar("T")


_loaded: Callable[[Any], Any] | None = None


def scrub(value: T) -> T:
    """Return ``value`` without private data, as :func:`tallow.monitoring.privacy.scrub` does.

    An exception of the scrubber is raised: the caller drops the value and counts it.
    """
    global _loaded
    if _loaded is None:
        with fork.lock:  # a child forked during the import would wait for it for ever
            _loaded = importlib.import_module("tallow.monitoring.privacy").process_scrubber().value
    cleaned: T = _loaded(value)
    return cleaned


def privacy_module(name: str) -> Any:
    """Import a module of the scrubber for code that the scrubber itself imports.

    Args:
        name: relative to :mod:`tallow.monitoring.privacy`.
    """
    return importlib.import_module(f"tallow.monitoring.privacy.{name}")
