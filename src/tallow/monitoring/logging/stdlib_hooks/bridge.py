"""The handler that sends records of :mod:`logging` to a pipeline."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Final

from tallow.monitoring.lifecycle.background_sender import is_sender_thread
from tallow.monitoring.logging import access_log
from tallow.monitoring.logging.pipeline import PIPELINE, Pipeline
from tallow.monitoring.logging.record import MAX_ARGUMENTS, as_text, level_name
from tallow.monitoring.logging.sinks import interrupts_write

HTTP_CLIENTS: Final = ("httpx", "httpcore")
EXCEPTION_MARK: Final = "_tallow_written"
"""Attribute of an exception that was logged and that its owner will report again."""
RECORD_MARK: Final = "_tallow_logged"
"""Attribute of a record that a pipeline has received."""

STANDARD_ATTRIBUTES: Final = frozenset(
    {
        *vars(logging.LogRecord("", 0, "", 0, "", (), None)),
        "asctime",
        "message",
        "taskName",
        "color_message",  # uvicorn's: the message with terminal colours
        RECORD_MARK,
    }
)


class BridgeHandler(logging.Handler):
    """Sends records to a pipeline. What a caller passes as ``extra`` becomes context.

    :func:`configure` attaches one to the root logger. A program that keeps its own logging configuration
    calls ``configure(standard_library=False)`` and attaches it where it wants.

    Args:
        pipeline: receives the records; by default the process's own. None discards them.

    Example::

        >>> from tallow.monitoring.testing import captured_logs
        >>> import logging
        >>> log = logging.getLogger("shop")
        >>> bridge = BridgeHandler()
        >>> with captured_logs(standard_library=False) as logs:
        ...     log.addHandler(bridge)
        ...     log.warning("Mail to %s failed", "alice@example.org", extra={"attempt": 2})
        ...     log.removeHandler(bridge)
        ...     (logs.last["message"], logs.last["attempt"])
        ('Mail to [email] failed', 2)
    """

    def __init__(self, pipeline: Pipeline | None = PIPELINE) -> None:
        super().__init__()
        self._pipeline = pipeline

    def emit(self, record: logging.LogRecord) -> None:
        """Send a record, unless a pipeline has received it already. Never raises."""
        if RECORD_MARK in record.__dict__:
            return
        record.__dict__[RECORD_MARK] = True
        if interrupts_write():
            return  # standard output is an object that logs what is written to it, as Celery's: our own line
        number, pipeline = record.levelno, self._pipeline
        if pipeline is None or number < pipeline.threshold or _is_reported_elsewhere(record):
            return
        message, context = read(record)
        if record.exc_info:
            context["exc_info"] = record.exc_info
        elif record.exc_text:  # formatted already, for example by a queue of another process
            context["stack"] = record.exc_text
        if record.stack_info:
            context["stack_info"] = record.stack_info
        pipeline.emit(level_name(number), record.name, message, {}, context)


def read(record: logging.LogRecord) -> tuple[str, dict[str, Any]]:
    """Return a record's message and context, not scrubbed. Never raises.

    A message that is a dictionary, as structlog's, is context; its ``event`` or ``message`` is the message.
    Arguments that do not fit the message become the field ``arguments``.
    """
    context = {
        name: value
        for name, value in vars(record).items()
        if name not in STANDARD_ATTRIBUTES and not access_log.is_request(name, value)
    }
    rendered = render_access_record(record)
    if rendered is not None:
        return rendered[0], context | rendered[1]
    if type(record.msg) is dict:
        return _read_event(record.msg, context)
    try:
        return record.getMessage(), context
    except Exception:  # noqa: BLE001 - a __str__ of the host may raise anything
        if record.args:
            context["arguments"] = readable_arguments(record.args)
        return as_text(record.msg), context


def render_access_record(record: logging.LogRecord) -> tuple[str, dict[str, Any]] | None:
    """As :func:`access_log.render_access_record`; None if a record has another form than expected."""
    try:
        return access_log.render_access_record(record)
    except Exception:  # noqa: BLE001 - arguments of the host may be anything
        return None


def readable_arguments(arguments: Any) -> list[str]:
    """Return each argument as text."""
    values = list(arguments.values()) if isinstance(arguments, Mapping) else arguments
    if not isinstance(values, (tuple, list)):
        values = (values,)
    return [as_text(value) for value in values[:MAX_ARGUMENTS]]


def _read_event(event: dict[Any, Any], context: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    fields = {as_text(name): value for name, value in event.items()}
    # structlog passes its logger and the method's name as attributes of the record.
    known = {name: value for name, value in context.items() if name not in {"_logger", "_name"}}
    message = fields.pop("event", None)
    if message is None:
        message = fields.pop("message", "")
    return as_text(message), known | fields


def _is_reported_elsewhere(record: logging.LogRecord) -> bool:
    if is_sender_thread() and record.name.startswith(HTTP_CLIENTS):
        return True  # the records of a sender's own requests would be sent, and cause new ones
    # The middleware or an exception hook has logged it; the server or another hook reports it again.
    exc_info: Any = record.exc_info
    return bool(exc_info) and getattr(exc_info[1], EXCEPTION_MARK, False)
