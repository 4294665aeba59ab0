"""Loggers: what an application calls. A call never raises, blocks on I/O or lets private values out."""

from __future__ import annotations

from typing import Any, Final

from tallow.monitoring.logging.pipeline import PIPELINE, Pipeline
from tallow.monitoring.logging.record import DEBUG, ERROR, FATAL, INFO, LEVELS, WARNING
from tallow.monitoring.logging.timing import Timer


class Logger:
    """A named logger with persistent context.

    Keyword arguments of a call are its context; ``exc_info`` (True, an exception, or the standard library's
    tuple) becomes ``error{type,message,stack}``. Everything goes through the scrubber. Loggers are cheap,
    immutable and safe to share between threads and tasks.

    Args:
        name: the record's ``logger``.
        pipeline: where records go; the process's own by default.
    """

    __slots__ = ("_bound", "_name", "_pipeline")

    def __init__(
        self, name: str, pipeline: Pipeline = PIPELINE, *, bound: dict[str, Any] | None = None
    ) -> None:
        self._name = name
        self._pipeline = pipeline
        self._bound: Final = bound or {}

    def bind(self, **context: Any) -> Logger:
        """A logger whose every record has ``context`` too. What it holds is scrubbed and copied now."""
        bound = {**self._bound, **self._pipeline.scrub_context(context)}
        return Logger(self._name, self._pipeline, bound=bound)

    def unbind(self, *names: str) -> Logger:
        """A logger without these names in its context."""
        kept = {name: value for name, value in self._bound.items() if name not in names}
        return Logger(self._name, self._pipeline, bound=kept)

    def debug(self, message: str, /, **context: Any) -> None:
        """What only a developer asks for."""
        if self._pipeline.threshold <= DEBUG:
            self._pipeline.emit("debug", self._name, message, self._bound, context)

    def info(self, message: str, /, **context: Any) -> None:
        """What happened, as it should."""
        if self._pipeline.threshold <= INFO:
            self._pipeline.emit("info", self._name, message, self._bound, context)

    def warning(self, message: str, /, **context: Any) -> None:
        """What should not have happened, and was coped with."""
        if self._pipeline.threshold <= WARNING:
            self._pipeline.emit("warning", self._name, message, self._bound, context)

    warn = warning

    def error(self, message: str, /, **context: Any) -> None:
        """What failed."""
        if self._pipeline.threshold <= ERROR:
            self._pipeline.emit("error", self._name, message, self._bound, context)

    def exception(self, message: str, /, **context: Any) -> None:
        """What failed, with the exception being handled."""
        context.setdefault("exc_info", True)
        self.error(message, **context)

    def fatal(self, message: str, /, **context: Any) -> None:
        """What ends the process."""
        if self._pipeline.threshold <= FATAL:
            self._pipeline.emit("fatal", self._name, message, self._bound, context)

    critical = fatal

    def log(self, level: str, message: str, /, **context: Any) -> None:
        """A record at a level given by name; ``warn`` and ``critical`` are known, anything else is info."""
        known = {"warn": "warning", "critical": "fatal"}.get(level, level)
        if known not in LEVELS:
            known = "info"
        if self._pipeline.threshold <= LEVELS[known]:
            self._pipeline.emit(known, self._name, message, self._bound, context)

    def time(self, name: str, /, **context: Any) -> Timer:
        """Time a block or a function: see :class:`Timer`."""
        return Timer(self._timed, name, context)

    def _timed(self, level: str, message: str, context: dict[str, Any]) -> None:
        self.log(level, message, **context)
