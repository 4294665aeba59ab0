"""Standard-library ``logging`` through the pipeline: uvicorn's, SQLAlchemy's and the host's own records."""

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
        "color_message",  # uvicorn's, for terminals: the message once more
    }
)
_LOGGED_MARK: Final = "_tallow_written"
_HTTP_CLIENTS: Final = ("httpx", "httpcore")


class BridgeHandler(logging.Handler):
    """Turns a record into one of ours; what a caller put into ``extra`` is its context."""

    def __init__(self, pipeline: Pipeline = PIPELINE) -> None:
        super().__init__()
        self._pipeline = pipeline

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record. Never raises: a message that does not fit its arguments is written as it stands."""
        if is_sender_thread() and record.name.startswith(_HTTP_CLIENTS):
            return  # our own sending: its records would be sent, and make records
        if record.exc_info and getattr(record.exc_info[1], _LOGGED_MARK, False):
            return  # a server reports once more what the middleware has let through to it
        number = record.levelno
        if number < self._pipeline.threshold:
            return
        context: dict[str, Any] = {
            name: value for name, value in vars(record).items() if name not in _STANDARD_ATTRIBUTES
        }
        if record.exc_info:
            context["exc_info"] = record.exc_info
        message, facts = access_log.render_access_record(record) or (_message(record), {})
        self._pipeline.emit(level_name(number), record.name, message, {}, context | facts)


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001 - the arguments are the host's, and so is their __str__
        return str(record.msg) if isinstance(record.msg, str) else "(its message cannot be read)"


class UnhandledErrorLogger:
    """Writes exceptions that no handler of an application took, with the request's correlation id."""

    def __init__(self, pipeline: Pipeline = PIPELINE) -> None:
        self._pipeline = pipeline

    def on_request(self) -> None:
        """Do nothing: metrics count requests."""

    def on_error(self, error: Exception) -> None:
        """The application raised."""
        self._pipeline.emit("error", "api", "Unhandled exception", {}, {"exc_info": error})
        with contextlib.suppress(Exception):  # a class may refuse attributes; then it is written twice
            setattr(error, _LOGGED_MARK, True)


UNHANDLED_ERRORS: Final = UnhandledErrorLogger()
"""The process's own."""


def capture(pipeline: Pipeline = PIPELINE) -> None:
    """Send every standard-library record through ``pipeline``.

    Handlers that write to standard output or error are taken off, wherever they hang and whenever they come:
    they would print the same records past the scrubber. Other handlers (files, a test's) are their owner's
    and stay. Again does nothing new.
    """
    root = logging.getLogger()
    known = [logger for logger in root.manager.loggerDict.values() if isinstance(logger, logging.Logger)]
    for logger in (root, *known):
        _remove_stream_handlers(logger)
    _install_record_factory()
    if not any(isinstance(handler, BridgeHandler) for handler in root.handlers):
        root.addHandler(BridgeHandler(pipeline))
    root.setLevel(min(root.level or logging.WARNING, max(pipeline.threshold, logging.INFO)))
    for name in _HTTP_CLIENTS:  # a line for each request of every client is nobody's wish at level info
        sender = logging.getLogger(name)
        if sender.level == logging.NOTSET:
            sender.setLevel(logging.WARNING)


def release() -> None:
    """Take the handler off again."""
    root = logging.getLogger()
    for handler in [handler for handler in root.handlers if isinstance(handler, BridgeHandler)]:
        root.removeHandler(handler)
    if isinstance(made := logging.getLogRecordFactory(), HandlerWatchingFactory):
        logging.setLogRecordFactory(made.original)


def _remove_stream_handlers(logger: logging.Logger) -> None:
    """Take the handlers that print off a logger; what it has left to say goes to the root's."""
    printers = [handler for handler in logger.handlers if _writes_to_standard_streams(handler)]
    for handler in printers:
        logger.removeHandler(handler)
    if printers and not logger.handlers:
        logger.propagate = True


class HandlerWatchingFactory:
    """Makes records as ``before`` does, and looks first whether somebody has put a printing handler up since:
    SQLAlchemy does with ``echo=True``, and so does :func:`logging.basicConfig`. A record is made before any
    handler sees it."""

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
    # Its subclasses do more than print: uvicorn's own handlers are of this very class.
    return type(handler) is logging.StreamHandler and handler.stream in streams
