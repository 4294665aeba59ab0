"""Count an error and log it, in one call, so that every counted error has a record.

Nothing else in Tallow increments ``errors_total``; a test checks it.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, Final

from tallow.monitoring.lifecycle import error_hooks
from tallow.monitoring.logging import Logger, logger
from tallow.monitoring.logging.repeats import REPEATS, RepeatLimiter
from tallow.monitoring.metrics import METRICS, Metrics

LEVELS: Final = MappingProxyType({"low": "info", "medium": "warning", "high": "error", "critical": "fatal"})
"""The level at which errors of a severity are logged.

Example:
    >>> LEVELS["critical"]
    'fatal'
"""


def report_error(
    kind: str,
    severity: str,
    message: str,
    /,
    *,
    error: BaseException | None = None,
    log: Logger = logger,
    metrics: Metrics = METRICS,
    repeats: RepeatLimiter = REPEATS,
    **context: Any,
) -> None:
    """Count an error in ``errors_total`` and log it with its type, severity, correlation id and exception.

    The counter is exact. The log is bounded: equal records of a minute are summarised, see
    :class:`~tallow.monitoring.logging.repeats.RepeatLimiter`. The call never raises.

    Args:
        kind: label ``type`` of the counter, such as ``storage``; the record's ``error_type``.
        severity: low, medium, high or critical; it decides the level, see :data:`LEVELS`.
        message: a constant text that says what failed.
        error: the exception, if there is one.
        log: the logger.
        metrics: counts the error.
        repeats: bounds the log.
        context: further fields of the record.

    Example:
        >>> from tallow.monitoring.metrics import Registry
        >>> from tallow.monitoring.testing import captured_logs
        >>> own = Metrics(Registry())
        >>> with captured_logs() as logs:
        ...     report_error("storage", "critical", "Orders cannot be stored", metrics=own)
        ...     logs.last["level"], logs.last["error_type"], logs.last["severity"]
        ('fatal', 'storage', 'critical')
        >>> own.value("errors_total", type="storage", severity="critical")
        1.0
        >>> own.close()
    """
    metrics.record_error(kind, severity)
    if error is not None:
        context["exc_info"] = error
    key = (kind, severity, type(error).__name__, *(v for v in context.values() if isinstance(v, str)))
    repeats.log(
        log,
        LEVELS.get(severity, "error"),
        message,
        key=key,
        error_type=kind,
        severity=severity,
        **context,
    )


def report_unhandled(error: Exception, metrics: Metrics = METRICS) -> None:
    """Count an exception that an ASGI application did not handle, and pass it to the log and to Sentry.

    Args:
        error: the exception.
        metrics: counts it as ``internal``, severity ``high``.

    Example:
        >>> from tallow.monitoring.metrics import Registry
        >>> own = Metrics(Registry())
        >>> report_unhandled(ValueError("broken"), own)
        >>> own.value("errors_total", type="internal", severity="high")
        1.0
        >>> own.close()
    """
    metrics.record_error("internal", "high")
    error_hooks.notify_error(error)
