"""Send records of the standard library's :mod:`logging` through the pipeline."""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import Callable
from typing import Any, Final

from tallow.monitoring.lifecycle.background_sender import is_sender_thread
from tallow.monitoring.logging import access_log
from tallow.monitoring.logging.pipeline import PIPELINE, Pipeline
from tallow.monitoring.logging.record import level_name

_STANDARD_ATTRIBUTES: Final = frozenset(
    {
        *vars(logging.LogRecord("", 0, "", 0, "", (), None)),
        "asctime",
        "message",
        "taskName",
        "color_message",  # uvicorn's: the message with terminal colours
    }
)
_LOGGED_MARK: Final = "_tallow_written"
_HTTP_CLIENTS: Final = ("httpx", "httpcore")


class BridgeHandler(logging.Handler):
    """Sends records to a pipeline. What a caller passes as ``extra`` becomes context."""

    def __init__(self, pipeline: Pipeline = PIPELINE) -> None:
        super().__init__()
        self._pipeline = pipeline

    def emit(self, record: logging.LogRecord) -> None:
        """Send a record. Never raises: if the arguments do not fit the message, it is sent without them."""
        if is_sender_thread() and record.name.startswith(_HTTP_CLIENTS):
            return  # the records of a sender's own requests would be sent, and cause new ones
        if record.exc_info and getattr(record.exc_info[1], _LOGGED_MARK, False):
            return  # the middleware has logged it; the server reports it again
        number = record.levelno
        if number < self._pipeline.threshold:
            return
        context = _context(record)
        message, facts = access_log.render_access_record(record) or (_message(record), {})
        self._pipeline.emit(level_name(number), record.name, message, {}, context | facts)


def _context(record: logging.LogRecord) -> dict[str, Any]:
    """Return what a caller passed as ``extra``, and the exception."""
    context = {
        name: value
        for name, value in vars(record).items()
        if name not in _STANDARD_ATTRIBUTES and not access_log.is_request(name, value)
    }
    if record.exc_info:
        context["exc_info"] = record.exc_info
    return context


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001 - a __str__ of the host may raise anything
        return str(record.msg) if isinstance(record.msg, str) else "(unreadable message)"


_UNHANDLED: Final = {"error_type": "internal", "severity": "high"}
"""As :func:`tallow.monitoring.errors.report_unhandled` counts them."""


class UnhandledErrorLogger:
    """Logs exceptions that an ASGI application did not handle, with the request's correlation id."""

    def __init__(self, pipeline: Pipeline = PIPELINE) -> None:
        self._pipeline = pipeline

    def on_request(self) -> None:
        """Do nothing: metrics count requests."""

    def on_error(self, error: Exception) -> None:
        """Log the exception and mark it, so that the server's own record of it is left out."""
        self._pipeline.emit("error", "api", "Unhandled exception", _UNHANDLED, {"exc_info": error})
        with contextlib.suppress(Exception):  # a class may refuse attributes; it is logged twice then
            setattr(error, _LOGGED_MARK, True)


_removed: Final[list[tuple[logging.Logger, logging.Handler]]] = []
_levels: Final[dict[logging.Logger, int]] = {}
"""What :func:`capture` changed, for :func:`release`."""

UNHANDLED_ERRORS: Final = UnhandledErrorLogger()
"""Logs to the pipeline of the process."""


def capture(pipeline: Pipeline = PIPELINE) -> None:
    """Send every standard-library record through ``pipeline``.

    Handlers that write to standard output or error are removed from all loggers, now and when they are added
    later: they would print the records without the scrubber. Other handlers stay. A second call changes
    nothing.

    Args:
        pipeline: receives the records.
    """
    root = logging.getLogger()
    _levels.setdefault(root, root.level)
    known = [logger for logger in root.manager.loggerDict.values() if isinstance(logger, logging.Logger)]
    for logger in (root, *known):
        _removed.extend((logger, handler) for handler in _remove_stream_handlers(logger))
    _install_record_factory()
    if not any(isinstance(handler, BridgeHandler) for handler in root.handlers):
        root.addHandler(BridgeHandler(pipeline))
    root.setLevel(min(root.level or logging.WARNING, max(pipeline.threshold, logging.INFO)))
    for name in _HTTP_CLIENTS:  # at level info they log every request of every client
        client = logging.getLogger(name)
        if client.level == logging.NOTSET:
            _levels[client] = logging.NOTSET
            client.setLevel(logging.WARNING)


def release() -> None:
    """Undo :func:`capture`: the handlers and levels that it found are restored."""
    root = logging.getLogger()
    for handler in [handler for handler in root.handlers if isinstance(handler, BridgeHandler)]:
        root.removeHandler(handler)
    if isinstance(made := logging.getLogRecordFactory(), HandlerWatchingFactory):
        logging.setLogRecordFactory(made.original)
    for logger, printer in _removed:
        logger.addHandler(printer)
    for logger, level in _levels.items():
        logger.setLevel(level)
    _removed.clear()
    _levels.clear()


def _remove_stream_handlers(logger: logging.Logger) -> list[logging.Handler]:
    """Remove and return the handlers that print. A logger without handlers passes records to the root."""
    printers = [handler for handler in logger.handlers if _writes_to_standard_streams(handler)]
    for handler in printers:
        logger.removeHandler(handler)
    if printers and not logger.handlers:
        logger.propagate = True
    return printers


class HandlerWatchingFactory:
    """A record factory that first removes printing handlers, which may have been added since the last record.

    SQLAlchemy adds one with ``echo=True``, and so does :func:`logging.basicConfig`. A record is created
    before any handler receives it.

    Args:
        original: creates the records.
    """

    def __init__(self, before: Callable[..., logging.LogRecord]) -> None:
        self.original = before

    def __call__(self, name: str, *args: Any, **kwargs: Any) -> logging.LogRecord:
        logger = logging.root.manager.loggerDict.get(name)
        while isinstance(logger, logging.Logger):
            if logger.handlers:
                _remove_stream_handlers(logger)
            logger = logger.parent
        return self.original(name, *args, **kwargs)


def _install_record_factory() -> None:
    made = logging.getLogRecordFactory()
    if not isinstance(made, HandlerWatchingFactory):
        logging.setLogRecordFactory(HandlerWatchingFactory(made))


def _writes_to_standard_streams(handler: logging.Handler) -> bool:
    streams = {sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__}
    # Not of subclasses, which do more than print. uvicorn's handlers are of this class itself.
    return type(handler) is logging.StreamHandler and handler.stream in streams
