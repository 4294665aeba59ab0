"""A sink for loguru that sends messages to the pipeline, and a patcher that scrubs for the host's own sinks.

loguru is not imported.
"""

from __future__ import annotations

from typing import Any, Final

from tallow.monitoring.logging.exceptions import describe, resolve_exc_info
from tallow.monitoring.logging.pipeline import PIPELINE, Pipeline
from tallow.monitoring.logging.record import LEVELS, level_name
from tallow.monitoring.logging.scrubbing import ContextScrubber
from tallow.monitoring.logging.stdlib_hooks.handlers import is_forwarding

_SCRUBBER: Final = ContextScrubber()


class PipelineSink:
    """A loguru sink: sends each message, with ``extra`` as context, to the pipeline.

    loguru's own handler prints unscrubbed text to standard error: remove it.

    Args:
        pipeline: receives the messages; by default the process's own.

    Example::

        >>> # loguru.logger.remove()
        >>> # loguru.logger.add(PipelineSink(), level=0, format="{message}")
        >>> sink = PipelineSink()
    """

    def __init__(self, pipeline: Pipeline = PIPELINE) -> None:
        self._pipeline = pipeline

    def __call__(self, message: Any) -> None:
        """Send a message: a string with the attribute ``record``."""
        if is_forwarding():  # a handler of the host passes on a record that the pipeline has
            return
        record = message.record
        level = level_name(record["level"].no)
        if self._pipeline.threshold > LEVELS[level]:
            return
        context = dict(record["extra"])
        if record["exception"] is not None:
            context["exc_info"] = resolve_exc_info(tuple(record["exception"]))
        self._pipeline.emit(level, record["name"] or "loguru", record["message"], {}, context)


def scrub_record(record: Any) -> None:
    """Remove private data from a loguru record: a patcher, for those who keep their sinks.

    The exception becomes text at the end of the message, without source lines and values of variables, which
    loguru prints by default (``diagnose=True``).

    Args:
        record: loguru's dictionary; it is changed.

    Example::

        >>> # loguru.logger.configure(patcher=scrub_record)
        >>> record = {"message": "Mail to alice@example.org", "extra": {"attempt": 2}, "exception": None}
        >>> scrub_record(record)
        >>> record["message"], record["extra"]
        ('Mail to [email]', {'attempt': 2})
    """
    message = record["message"]
    error = resolve_exc_info(tuple(record["exception"])) if record["exception"] is not None else None
    if error is not None:
        facts = describe(error)
        message = f"{message}\n{facts['stack']}\n{facts['type']}: {facts['message']}"
        record["exception"] = None
    record["message"] = _SCRUBBER.text(message)
    record["extra"] = _SCRUBBER.clean(record["extra"])
