"""The logger that an application calls. No call raises, waits for I/O or writes private data."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Final

from tallow.monitoring.logging.pipeline import PIPELINE, Pipeline
from tallow.monitoring.logging.record import (
    DEBUG,
    ERROR,
    FATAL,
    INFO,
    LEVELS,
    MAX_ARGUMENTS,
    WARNING,
    as_text,
)
from tallow.monitoring.logging.timing import Timer

_LEVEL_ALIASES: Final = {"warn": "warning", "critical": "fatal"}


class Logger:
    """A named logger with bound context.

    Keyword arguments of a call are the record's context. ``exc_info`` (True, an exception, or the tuple of
    the standard library) becomes the field ``error{type,message,stack}``, and so does an exception that is
    given by position. ``stack_info=True`` becomes ``stack``. Other positional arguments are the arguments of
    a ``%`` format, as those of the standard library; if they do not fit, they are ``arguments``. The scrubber
    removes private data from all of it. Loggers are immutable, and safe to share between threads and tasks.

    Args:
        name: the value of the field ``logger``.
        pipeline: receives the records; by default the process's own.
        bound: context of every record; it must be scrubbed already. Callers use :meth:`bind`.

    Example::

        >>> from tallow.monitoring.testing import captured_logs
        >>> with captured_logs() as logs:
        ...     log = Logger("transfer").bind(method="p2p")
        ...     log.info("Mail to alice@example.org sent", attempt=2)
        ...     record = logs.last
        >>> record["message"], record["method"], record["attempt"]
        ('Mail to [email] sent', 'p2p', 2)
    """

    __slots__ = ("_bound", "_name", "_pipeline")

    def __init__(
        self, name: str, pipeline: Pipeline = PIPELINE, *, bound: dict[str, Any] | None = None
    ) -> None:
        self._name = name
        self._pipeline = pipeline
        self._bound: Final = bound or {}

    def bind(self, **context: Any) -> Logger:
        """Return a logger that adds ``context`` to every record. The values are scrubbed and copied now."""
        bound = {**self._bound, **self._pipeline.scrub_context(context)}
        return Logger(self._name, self._pipeline, bound=bound)

    def unbind(self, *names: str) -> Logger:
        """Return a logger without these names in its bound context."""
        kept = {name: value for name, value in self._bound.items() if name not in names}
        return Logger(self._name, self._pipeline, bound=kept)

    def debug(self, message: str, /, *details: object, **context: Any) -> None:
        """Log details for developers."""
        if self._pipeline.threshold <= DEBUG:
            if details:
                message = _add_details(message, details, context)
            self._pipeline.emit("debug", self._name, message, self._bound, context)

    def info(self, message: str, /, *details: object, **context: Any) -> None:
        """Log an expected event."""
        if self._pipeline.threshold <= INFO:
            if details:
                message = _add_details(message, details, context)
            self._pipeline.emit("info", self._name, message, self._bound, context)

    def warning(self, message: str, /, *details: object, **context: Any) -> None:
        """Log an unexpected event that was handled."""
        if self._pipeline.threshold <= WARNING:
            if details:
                message = _add_details(message, details, context)
            self._pipeline.emit("warning", self._name, message, self._bound, context)

    warn = warning

    def error(self, message: str, /, *details: object, **context: Any) -> None:
        """Log a failure."""
        if self._pipeline.threshold <= ERROR:
            if details:
                message = _add_details(message, details, context)
            self._pipeline.emit("error", self._name, message, self._bound, context)

    def exception(self, message: str, /, *details: object, **context: Any) -> None:
        """Log a failure with the exception that is being handled."""
        if not any(isinstance(detail, BaseException) for detail in details):
            context.setdefault("exc_info", True)
        self.error(message, *details, **context)

    def fatal(self, message: str, /, *details: object, **context: Any) -> None:
        """Log a failure that ends the process."""
        if self._pipeline.threshold <= FATAL:
            if details:
                message = _add_details(message, details, context)
            self._pipeline.emit("fatal", self._name, message, self._bound, context)

    critical = fatal

    def log(self, level: str, message: str, /, *details: object, **context: Any) -> None:
        """Log at a level given by name. ``warn`` and ``critical`` are accepted; an unknown name is info."""
        known = _LEVEL_ALIASES.get(level, level)
        if known not in LEVELS:
            known = "info"
        if self._pipeline.threshold <= LEVELS[known]:
            if details:
                message = _add_details(message, details, context)
            self._pipeline.emit(known, self._name, message, self._bound, context)

    def time(self, name: str, /, *, level: str = "info", **context: Any) -> Timer:
        """Return a timer for a block or a function: see :class:`Timer`.

        Args:
            name: the record's message.
            level: of the record of a block that succeeds or is cancelled; a failure is logged at warning.
            context: of the record.
        """
        return Timer(self._log_timed, name, context, level)

    def _log_timed(self, level: str, message: str, context: dict[str, Any]) -> None:
        self.log(level, message, **context)


def _add_details(message: str, details: tuple[object, ...], context: dict[str, Any]) -> str:
    """Return the message with its positional arguments; what it has no place for becomes context."""
    error = next((detail for detail in details if isinstance(detail, BaseException)), None)
    if error is not None:
        context.setdefault("exc_info", error)
    if "%" in as_text(message):
        left = details
        with suppress(Exception):  # a __str__ of the host may raise anything
            return message % details
    else:
        left = tuple(detail for detail in details if detail is not error)
    if left:
        context.setdefault("arguments", [as_text(detail) for detail in left[:MAX_ARGUMENTS]])
    return message
