"""Send records of the standard library's :mod:`logging` through the pipeline."""

from __future__ import annotations

import contextlib
import logging
from typing import Final

from tallow.monitoring.logging import stdlib_hooks
from tallow.monitoring.logging.pipeline import PIPELINE, Pipeline
from tallow.monitoring.logging.stdlib_hooks.bridge import EXCEPTION_MARK, HTTP_CLIENTS, BridgeHandler

__all__ = ["UNHANDLED_ERRORS", "BridgeHandler", "UnhandledErrorLogger", "capture", "release"]

_UNHANDLED: Final = {"error_type": "internal", "severity": "high"}
"""As :func:`tallow.monitoring.errors.report_unhandled` counts them."""


class UnhandledErrorLogger:
    """Logs exceptions that an ASGI application did not handle, with the request's correlation id."""

    def __init__(self, pipeline: Pipeline = PIPELINE) -> None:
        self._pipeline = pipeline

    def on_error(self, error: Exception) -> None:
        """Log the exception and mark it, so that the server's own record of it is left out."""
        self._pipeline.emit("error", "api", "Unhandled exception", _UNHANDLED, {"exc_info": error})
        with contextlib.suppress(Exception):  # a class may refuse attributes; it is logged twice then
            setattr(error, EXCEPTION_MARK, True)


_levels: Final[dict[logging.Logger, int]] = {}
"""The levels that :func:`capture` changed, for :func:`release`."""

UNHANDLED_ERRORS: Final = UnhandledErrorLogger()
"""Logs to the pipeline of the process."""


def capture(pipeline: Pipeline = PIPELINE, *, warnings: bool = False) -> None:
    """Send every standard-library record through ``pipeline``.

    No handler of others emits unscrubbed text any more, and no configuration of logging that comes later
    changes that: see :mod:`tallow.monitoring.logging.stdlib_hooks`. The root logger's level is the
    pipeline's, but not above INFO. Levels that the host gives to other loggers hold. A second call changes
    nothing but the level.

    Args:
        pipeline: receives the records.
        warnings: whether to log warnings of :mod:`warnings` instead of printing them.
    """
    root = logging.getLogger()
    _levels.setdefault(root, root.level)
    bridge = next((handler for handler in root.handlers if isinstance(handler, BridgeHandler)), None)
    if bridge is None:
        bridge = BridgeHandler(pipeline)
        root.addHandler(bridge)
    level = max(pipeline.threshold, logging.INFO)
    stdlib_hooks.install(bridge, level, warnings=warnings)
    root.setLevel(min(root.level or logging.WARNING, level))
    for name in HTTP_CLIENTS:  # at level info they log every request of every client
        client = logging.getLogger(name)
        if client.level == logging.NOTSET:
            _levels[client] = logging.NOTSET
            client.setLevel(logging.WARNING)


def release() -> None:
    """Undo :func:`capture`: hooks, bridge and levels."""
    stdlib_hooks.uninstall()
    root = logging.getLogger()
    for handler in [handler for handler in root.handlers if isinstance(handler, BridgeHandler)]:
        root.removeHandler(handler)
    for logger, level in _levels.items():
        logger.setLevel(level)
    _levels.clear()
