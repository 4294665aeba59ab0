"""One scrubber for everything that leaves: logs, error reports, analytics, health bodies, alert text.

``scrub(value)`` takes text or a nested record and returns the same shape with private values replaced by
their kind, ``[email]``. The caller's data stays as it was; nothing raises;
what cannot be scrubbed is dropped.
"""

from __future__ import annotations

from typing import Any, Final

from tallow.monitoring.metrics import METRICS
from tallow.monitoring.privacy.scrubber import Scrubber
from tallow.monitoring.privacy.walk import DROPPED

__all__ = ["DROPPED", "SCRUBBER", "Scrubber", "scrub"]

SCRUBBER: Final = Scrubber(METRICS)
"""The process's own scrubber; it counts in ``pii_redactions_total``."""


def scrub(value: Any) -> Any:
    """Text or a nested record without its private values, in the same shape."""
    return SCRUBBER.value(value)
