"""Scrub context and messages. What cannot be scrubbed is dropped."""

from __future__ import annotations

from typing import Any, Final

from tallow.monitoring.lazy_scrubber import scrub
from tallow.monitoring.logging.record import json_compatible
from tallow.monitoring.metrics import METRICS, Metrics

MAX_TEXT: Final = 8_192
MAX_CACHED_MESSAGES: Final = 4_096
DROPPED: Final = "[dropped]"


class _MessageCache(dict[Any, str]):
    """Scrubbed messages by their original text. A message that is not cached is scrubbed."""

    def __init__(self, scrubber: ContextScrubber) -> None:
        super().__init__()
        self._scrubber = scrubber

    def __missing__(self, message: Any) -> str:
        return self._scrubber.text(message)


class ContextScrubber:
    """Scrubs messages and context.

    Args:
        metrics: counts what is dropped.

    Attributes:
        clean_messages: a cache from messages to their scrubbed text. Most messages are constants.
    """

    def __init__(self, metrics: Metrics = METRICS) -> None:
        self._metrics = metrics
        self.clean_messages = _MessageCache(self)

    def clean(self, context: dict[str, Any]) -> dict[str, Any]:
        """Return a copy of ``context`` without private data."""
        try:
            return scrub(context)
        except Exception:  # noqa: BLE001 - nothing may pass unscrubbed, whatever fails
            self._metrics.record_dropped("logs", "failed")
            return dict.fromkeys(map(str, range(len(context))), DROPPED)

    def text(self, message: str) -> str:
        """Return a message without private data, cut to :data:`MAX_TEXT` characters."""
        text = message if isinstance(message, str) else str(json_compatible(message))
        if len(text) > MAX_TEXT:
            return self._scrubbed(text[:MAX_TEXT]) + "…"
        clean = self._scrubbed(text)
        if clean == DROPPED:
            return clean  # not cached: the next time it may succeed
        if len(self.clean_messages) >= MAX_CACHED_MESSAGES:
            self.clean_messages.clear()
        self.clean_messages[text] = clean
        return clean

    def _scrubbed(self, text: str) -> str:
        try:
            return scrub(text)
        except Exception:  # noqa: BLE001 - nothing may pass unscrubbed, whatever fails
            self._metrics.record_dropped("logs", "failed")
            return DROPPED
