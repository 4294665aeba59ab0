"""What exists once a process, and ends with the last open :class:`~tallow.monitoring.Monitoring`.

Logging, Sentry, analytics and the OTLP export start with their first use. Those that were not running when
the first application was opened are stopped when the last one is closed. Nothing is imported for that: a
part that is not loaded does not run.
"""

from __future__ import annotations

import sys
import threading
import weakref
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import Any, Final

from tallow.monitoring.lifecycle import shutdown

CLOSE_S: Final = shutdown.TIMEOUT_S
"""Seconds in which :func:`close_owner` sends queued telemetry."""


def _stop_sentry(module: Any) -> None:
    module.close(CLOSE_S / 2)


def _stop_analytics(module: Any) -> None:
    module.analytics.pause(CLOSE_S / 2)


def _stop_otlp(module: Any) -> None:
    module.stop(CLOSE_S / 2)


def _stop_logging(module: Any) -> None:
    module.close()


_STOP: Final[Mapping[str, tuple[str, Callable[[Any], None]]]] = MappingProxyType(
    {
        "sentry": ("tallow.monitoring.sentry", _stop_sentry),
        "analytics": ("tallow.monitoring.analytics", _stop_analytics),
        "otel": ("tallow.monitoring.otel", _stop_otlp),
        "logs": ("tallow.monitoring.logging", _stop_logging),
    }
)
"""Maps each pipeline to its module and how it is stopped. Logs are last: the others may log warnings."""

_open: Final[weakref.WeakSet[object]] = weakref.WeakSet()
_running_before: Final[set[str]] = set()
_lock: Final = threading.RLock()


def open_owner(owner: object) -> None:
    """Keep the process's telemetry running until :func:`close_owner`, or until the owner is dropped."""
    with _lock:
        if not _open:
            _running_before.clear()
            _running_before.update(shutdown.pipeline_names())
        _open.add(owner)


def others(owner: object) -> list[Any]:
    """Return the other owners that are open."""
    with _lock:
        return [other for other in _open if other is not owner]


def close_owner(owner: object) -> None:
    """Send queued telemetry. With the last owner, stop what was started since the first one was opened.

    Never raises.
    """
    with _lock:
        _open.discard(owner)
        last = not _open
    shutdown.flush_all()
    if not last:
        return
    draining = sys.modules.get("tallow.monitoring.health.draining")
    if draining is not None:
        draining.DRAINING.uninstall()  # it may stand in front of the handler of the pipelines
    for pipeline, (name, stop) in _STOP.items():
        module = sys.modules.get(name)
        # Analytics adds an id to its name.
        running = {found for found in shutdown.pipeline_names() if found.partition(" ")[0] == pipeline}
        if running - _running_before and module is not None:
            with suppress(Exception):
                stop(module)
