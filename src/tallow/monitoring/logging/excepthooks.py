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
_installed_hooks: Final[list[Hook]] = []
"""The hooks of :func:`install`, so that a second call does not have them call each other."""


def install(pipeline: Pipeline = PIPELINE) -> None:
    """Take the interpreter's three hooks. A hook that the host has set is still called, afterwards."""
    before = sys.excepthook
    if (
        before.__module__ == _SENTRY
    ):  # it calls what was there before it, which would print: it goes around us
        sys.excepthook = _program_hook(pipeline, sys.__excepthook__)
        sys.modules[_SENTRY].ExcepthookIntegration.setup_once()
    else:
        sys.excepthook = _program_hook(pipeline, before)
    threading.excepthook = _thread_hook(pipeline, threading.excepthook)
    sys.unraisablehook = _unraisable_hook(pipeline, sys.unraisablehook)


def _program_hook(pipeline: Pipeline, before: Hook) -> Hook:
    if before in _installed_hooks:
        return before

    def ended(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if not issubclass(kind, Exception):  # Ctrl-C is the user's own doing
            before(kind, error, trace)
            return
        _emit(pipeline, "fatal", "The program ended by an exception", error)
        with suppress(Exception):
            pipeline.writer.flush()
            if not same_file(sys.stdout, sys.stderr):  # else it would stand between the log's JSON lines
                print(f"ended by an uncaught {kind.__name__}; the log says where", file=sys.stderr)
        if before is not sys.__excepthook__:
            before(kind, error, trace)

    return _remember(ended)


def _thread_hook(pipeline: Pipeline, before: Hook) -> Hook:
    if before in _installed_hooks:
        return before

    def ended(given: threading.ExceptHookArgs) -> None:
        if given.exc_value is not None and issubclass(given.exc_type, Exception):
            _emit(pipeline, "error", "A thread ended by an exception", given.exc_value)
        if before is not threading.__excepthook__:
            before(given)

    return _remember(ended)


def _unraisable_hook(pipeline: Pipeline, before: Hook) -> Hook:
    if before in _installed_hooks:
        return before

    def ignored(given: Any) -> None:
        if given.exc_value is not None:
            _emit(pipeline, "warning", "An exception could not be raised", given.exc_value)
        if before is not sys.__unraisablehook__:
            before(given)

    return _remember(ignored)


def _remember(hook: Hook) -> Hook:
    _installed_hooks.append(hook)
    return hook


def _emit(pipeline: Pipeline, level: str, message: str, error: BaseException) -> None:
    with suppress(Exception):
        pipeline.emit(level, "uncaught", message, {}, {"exc_info": error})
