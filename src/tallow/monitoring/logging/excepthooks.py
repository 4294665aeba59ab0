"""Log uncaught exceptions of the program, of threads and of finalizers instead of printing them.

The interpreter prints the exception's text to standard error, where private data would pass the scrubber.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Any, Final

from tallow.monitoring.lifecycle import shutdown, standard_error
from tallow.monitoring.logging.console import same_file
from tallow.monitoring.logging.exceptions import describe
from tallow.monitoring.logging.pipeline import PIPELINE, Pipeline
from tallow.monitoring.logging.scrubbing import ContextScrubber
from tallow.monitoring.logging.stdlib_hooks.bridge import EXCEPTION_MARK

Hook = Callable[..., Any]

FLUSH_S: Final = 1.0
"""Seconds that an uncaught exception waits for a slow output. The exit of the interpreter waits again."""

_SENTRY: Final = "sentry_sdk.integrations.excepthook"
_previous: Final[dict[Hook, Hook]] = {}
"""The hooks of :func:`install` and the ones that they replaced."""


def install(pipeline: Pipeline = PIPELINE) -> None:
    """Replace the interpreter's three hooks. A hook of the host is still called, afterwards.

    Args:
        pipeline: receives the records.
    """
    before = sys.excepthook
    if before.__module__ == _SENTRY:
        # Sentry's hook calls the hook that it replaced, which prints. It is installed again, around ours.
        sys.excepthook = _program_hook(pipeline, sys.__excepthook__)
        sys.modules[_SENTRY].ExcepthookIntegration.setup_once()
    else:
        sys.excepthook = _program_hook(pipeline, before)
    threading.excepthook = _thread_hook(pipeline, threading.excepthook)
    sys.unraisablehook = _unraisable_hook(pipeline, sys.unraisablehook)


def uninstall() -> None:
    """Restore the hooks that :func:`install` replaced. A hook that was installed around ours stays."""
    sys.excepthook = _previous.get(sys.excepthook, sys.excepthook)
    threading.excepthook = _previous.get(threading.excepthook, threading.excepthook)
    sys.unraisablehook = _previous.get(sys.unraisablehook, sys.unraisablehook)
    _previous.clear()


def _program_hook(pipeline: Pipeline, before: Hook) -> Hook:
    if before in _previous:
        return before

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):  # the user wanted it
            if before is not sys.__excepthook__:
                before(kind, error, trace)
            else:
                with suppress(Exception):
                    standard_error.write_line(_readable(error))
            return
        _emit(pipeline, "fatal", "The program ended by an uncaught exception", error)
        with suppress(Exception):
            shutdown.flush_one(pipeline.writer.flush, FLUSH_S)
            if not same_file(sys.stdout, sys.stderr):  # otherwise it would stand between the log's JSON lines
                standard_error.write_line(f"ended by an uncaught {kind.__name__}; see the log")
        if before is not sys.__excepthook__:
            before(kind, error, trace)

    return _remember(hook, before)


def _thread_hook(pipeline: Pipeline, before: Hook) -> Hook:
    if before in _previous:
        return before

    def hook(given: threading.ExceptHookArgs) -> None:
        if given.exc_value is not None and not issubclass(given.exc_type, SystemExit):
            _emit(pipeline, "error", "A thread ended by an uncaught exception", given.exc_value)
        if before is not threading.__excepthook__:
            before(given)

    return _remember(hook, before)


def _unraisable_hook(pipeline: Pipeline, before: Hook) -> Hook:
    if before in _previous:
        return before

    def hook(given: Any) -> None:
        if given.exc_value is not None:
            _emit(pipeline, "warning", "An exception in a finalizer was ignored", given.exc_value)
        if before is not sys.__unraisablehook__:
            before(given)

    return _remember(hook, before)


def _remember(hook: Hook, before: Hook) -> Hook:
    _previous[hook] = before
    return hook


def _emit(pipeline: Pipeline, level: str, message: str, error: BaseException) -> None:
    with suppress(Exception):
        pipeline.emit(level, "uncaught", message, {}, {"exc_info": error})
        setattr(error, EXCEPTION_MARK, True)  # a hook of the host may log it, too


def _readable(error: BaseException) -> str:
    """The traceback, scrubbed and without source lines."""
    facts = describe(error)
    text = f"{facts['stack']}\n{facts['type']}: {facts['message']}".rstrip(": ")
    return ContextScrubber().text(text)
