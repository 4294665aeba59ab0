"""Hooks in the standard library's :mod:`logging` and :mod:`warnings`.

Other programs configure logging, too, before or after this library: ``dictConfig``, ``fileConfig``,
``basicConfig(force=True)``, alembic, Django, gunicorn, Celery. They replace handlers, disable loggers and add
handlers that print. Handlers and loggers that belong to others are not changed; these hooks are installed
instead, and all of them are undone by :func:`uninstall`:

``logging.Handler.handle``
    No handler receives unscrubbed text. A handler that prints to standard output or standard error emits
    nothing: its record goes to the pipeline, which writes it once. Every other handler (a file, syslog, a
    mailer, a test's list) emits a scrubbed copy of the record. :func:`exempt` leaves one handler alone.
``logging.Logger.callHandlers``
    A record that no :class:`BridgeHandler` received goes to the pipeline, whatever ``propagate`` and the
    handlers of its loggers are. Only a logger whose handlers are all a ``NullHandler`` stays silent.
    ``logging.lastResort`` prints nothing.
``logging.Handler.handleError``
    A handler that fails is reported through the pipeline, not by a traceback on standard error.
``logging.config``
    Loggers that existed stay enabled, and the root logger passes records of ``LOG_LEVEL``.
``warnings.showwarning``
    Warnings are records of the logger ``py.warnings``.

A record has a mark once the pipeline has it, so that it is written once on whatever ways it arrives.
"""

from __future__ import annotations

from tallow.monitoring.logging.stdlib_hooks import handlers, reconfiguration, warnings_hook
from tallow.monitoring.logging.stdlib_hooks.bridge import BridgeHandler
from tallow.monitoring.logging.stdlib_hooks.handlers import exempt

__all__ = ["BridgeHandler", "exempt"]


def install(bridge: BridgeHandler, root_level: int, *, warnings: bool) -> None:
    """Install the hooks. A second call replaces the arguments of the first one.

    Args:
        bridge: is attached to the root logger again if it was removed.
        root_level: the highest level that a configuration may give the root logger.
        warnings: whether to log warnings instead of printing them.
    """
    handlers.install(bridge)
    reconfiguration.install(root_level)
    if warnings:
        warnings_hook.install()


def uninstall() -> None:
    """Undo :func:`install`. A hook that another library has wrapped stays and does nothing."""
    warnings_hook.uninstall()
    reconfiguration.uninstall()
    handlers.uninstall()
