"""Exceptions nobody caught, in the program, a thread or a finaliser: a record, no traceback on stderr.

The interpreter would print the exception's text there, past the scrubber, and whoever collects standard error
would keep it.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Any, Final

from tallow.monitoring.logging.console import same_file
from tallow.monitoring.logging.pipeline import PIPELINE, Pipeline

Hook = Callable[..., Any]

_SENTRY: Final = "sentry_sdk.integrations.excepthook"
_OWN: Final[list[Hook]] = []
"""The hooks of :func:`install`, so that a second call does not have them call each other."""


def install(pipeline: Pipeline = PIPELINE) -> None:
    """Take the interpreter's three hooks. A hook that the host has set is still called, afterwards."""
    before = sys.excepthook
    if (
        before.__module__ == _SENTRY
    ):  # it calls what was there before it, which would print: it goes around us
        sys.excepthook = _program(pipeline, sys.__excepthook__)
        sys.modules[_SENTRY].ExcepthookIntegration.setup_once()
    else:
        sys.excepthook = _program(pipeline, before)
    threading.excepthook = _thread(pipeline, threading.excepthook)
    sys.unraisablehook = _finaliser(pipeline, sys.unraisablehook)


def _program(pipeline: Pipeline, before: Hook) -> Hook:
    if before in _OWN:
        return before

    def ended(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if not issubclass(kind, Exception):  # Ctrl-C is the user's own doing
            before(kind, error, trace)
            return
        _told(pipeline, "fatal", "The program ended by an exception", error)
        with suppress(Exception):
            pipeline.writer.flush()
            if not same_file(sys.stdout, sys.stderr):  # else it would stand between the log's JSON lines
                print(f"ended by an uncaught {kind.__name__}; the log says where", file=sys.stderr)
        if before is not sys.__excepthook__:
            before(kind, error, trace)

    return _own(ended)


def _thread(pipeline: Pipeline, before: Hook) -> Hook:
    if before in _OWN:
        return before

    def ended(given: threading.ExceptHookArgs) -> None:
        if given.exc_value is not None and issubclass(given.exc_type, Exception):
            _told(pipeline, "error", "A thread ended by an exception", given.exc_value)
        if before is not threading.__excepthook__:
            before(given)

    return _own(ended)


def _finaliser(pipeline: Pipeline, before: Hook) -> Hook:
    if before in _OWN:
        return before

    def ignored(given: Any) -> None:
        if given.exc_value is not None:
            _told(pipeline, "warning", "An exception could not be raised", given.exc_value)
        if before is not sys.__unraisablehook__:
            before(given)

    return _own(ignored)


def _own(hook: Hook) -> Hook:
    _OWN.append(hook)
    return hook


def _told(pipeline: Pipeline, level: str, message: str, error: BaseException) -> None:
    with suppress(Exception):
        pipeline.emit(level, "uncaught", message, {}, {"exc_info": error})
