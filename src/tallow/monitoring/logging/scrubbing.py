"""Context and texts through the scrubber. What it cannot scrub is dropped, never passed."""

from __future__ import annotations

from typing import Any, Final

from tallow.monitoring.lazy_scrubber import scrub
from tallow.monitoring.logging.record import json_compatible
from tallow.monitoring.metrics import METRICS, Metrics

MAX_TEXT: Final = 8_192
MAX_CACHED_MESSAGES: Final = 4_096
DROPPED: Final = "[dropped]"


class ContextScrubber:
    """Scrubs what a caller gives.

    Attributes:
        known: messages to what was left of them. They are mostly the same few constants.
    """

    def __init__(self, metrics: Metrics = METRICS) -> None:
        self._metrics = metrics
        self.clean_messages: dict[Any, str] = {}

    def clean(self, context: dict[str, Any]) -> dict[str, Any]:
        """Context without anything private."""
        try:
            return scrub(context)
        except Exception:  # noqa: BLE001 - whatever is wrong with the scrubber, nothing passes it by
            self._metrics.record_dropped("logs", "failed")
            return dict.fromkeys(map(str, range(len(context))), DROPPED)

    def text(self, message: str) -> str:
        """A message without anything private, at most :data:`MAX_TEXT` characters of it."""
        text = message if isinstance(message, str) else str(json_compatible(message))
        if len(text) > MAX_TEXT:
            return self._scrubbed(text[:MAX_TEXT]) + "…"
        clean = self._scrubbed(text)
        if clean == DROPPED:
            return clean  # what failed once may succeed the next time
        if len(self.clean_messages) >= MAX_CACHED_MESSAGES:
            self.clean_messages.clear()
        self.clean_messages[text] = clean
        return clean

    def _scrubbed(self, text: str) -> str:
        try:
            return scrub(text)
        except Exception:  # noqa: BLE001 - as in clean
            self._metrics.record_dropped("logs", "failed")
            return DROPPED
