"""Processors for structlog: scrub events for the host's own renderer, or send them to the pipeline.

structlog is not imported, except to end an event's way.
"""

from __future__ import annotations

import sys
from collections.abc import MutableMapping
from typing import Any, Final

from tallow.monitoring.logging.exceptions import describe, resolve_exc_info
from tallow.monitoring.logging.pipeline import PIPELINE, Pipeline
from tallow.monitoring.logging.record import LEVELS, as_text
from tallow.monitoring.logging.scrubbing import ContextScrubber
from tallow.monitoring.logging.stdlib_hooks.handlers import is_forwarding

_SCRUBBER: Final = ContextScrubber()
_LEVELS: Final = {"warn": "warning", "critical": "fatal", "exception": "error", "notset": "debug"}

EventDict = MutableMapping[str, Any]


def scrub_event(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Remove private data from an event: a structlog processor, for those who keep their renderer.

    Place it right before the renderer. An exception becomes the text ``exception``, without source lines and
    local variables, which a renderer would print.

    Returns:
        The scrubbed event.

    Example::

        >>> # structlog.configure(processors=[..., scrub_event, structlog.processors.JSONRenderer()])
        >>> scrub_event(None, "info", {"event": "Mail to alice@example.org sent", "attempt": 2})
        {'event': 'Mail to [email] sent', 'attempt': 2}
    """
    fields = dict(event)
    error = _take_exception(fields)
    clean = _SCRUBBER.clean(fields)
    if error is not None:
        facts = describe(error)
        clean["exception"] = _SCRUBBER.text(f"{facts['stack']}\n{facts['type']}: {facts['message']}")
    return clean


class PipelineProcessor:
    """The last structlog processor: sends each event to the pipeline, in place of a renderer.

    Args:
        pipeline: receives the events; by default the process's own.

    Example::

        >>> # structlog.configure(processors=[structlog.contextvars.merge_contextvars, PipelineProcessor()])
        >>> from tallow.monitoring.testing import captured_logs
        >>> with captured_logs() as logs:
        ...     PipelineProcessor().send("warning", {"event": "Almost full", "free": 2})
        ...     (logs.last["message"], logs.last["level"], logs.last["free"])
        ('Almost full', 'warning', 2)
    """

    def __init__(self, pipeline: Pipeline = PIPELINE) -> None:
        self._pipeline = pipeline

    def __call__(self, logger: Any, method: str, event: EventDict) -> EventDict:
        """Send an event.

        Raises:
            structlog.DropEvent: always: it tells structlog that nothing is left to write.
        """
        fields = dict(event)
        fields.setdefault("logger", getattr(logger, "name", None) or "structlog")
        self.send(method, fields)
        raise sys.modules["structlog"].DropEvent

    def send(self, method: str, event: EventDict) -> None:
        """Send an event whose level is the name of the method that was called."""
        if is_forwarding():  # a handler of the host passes on a record that the pipeline has
            return
        fields = dict(event)
        name, message = as_text(fields.pop("logger", "structlog")), as_text(fields.pop("event", ""))
        level = as_text(fields.pop("level", method)).lower()
        level = _LEVELS.get(level, level)
        level = level if level in LEVELS else "info"
        fields.pop("timestamp", None)
        error = _take_exception(fields, method)
        if error is not None:
            fields["exc_info"] = error
        if self._pipeline.threshold <= LEVELS[level]:
            self._pipeline.emit(level, name, message, {}, fields)


def _take_exception(fields: dict[str, Any], method: str = "") -> BaseException | None:
    """Remove ``exc_info`` from an event and return the exception."""
    return resolve_exc_info(fields.pop("exc_info", method == "exception"))
