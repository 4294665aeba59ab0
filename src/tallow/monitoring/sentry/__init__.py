"""Error reports and performance traces to Sentry, through the scrubber, and only where a DSN is set.

The SDK (the extra ``sentry``) is loaded by :func:`init_monitoring` and not before; without it everything here
does nothing.
"""

from __future__ import annotations

from typing import Any

from tallow.monitoring.metrics import METRICS, Metrics
from tallow.monitoring.sentry import context, performance_monitoring, sdk
from tallow.monitoring.settings import BadSettingError, MonitoringSettings, current_settings

__all__ = ["close", "context", "flush", "init_monitoring", "performance_monitoring"]


def init_monitoring(
    settings: MonitoringSettings | None = None,
    *,
    metrics: Metrics = METRICS,
    include_local_variables: bool = False,
    **options: Any,
) -> bool:
    """Start reporting to Sentry, if ``SENTRY_DSN`` is set: whether it is.

    Args:
        settings: by default the process's own, from the environment and ``.env``.
        metrics: where to count what is given up.
        include_local_variables: send the variables of stack frames as well, scrubbed. They are off by
            default: a file's content or a key in a variable of any name has no form to know it by.
        options: more options of ``sentry_sdk.init``. Those that privacy depends on cannot be changed; hooks
            (``before_send`` and its like) are called before ours.

    Raises:
        BadSettingError: a setting cannot be used, or a DSN is set and the SDK is not installed.
    """
    settings = settings or current_settings()
    if settings.sentry_dsn is None:
        return False
    try:
        from tallow.monitoring.sentry.client import start
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "sentry_sdk":
            raise
        raise BadSettingError(
            "SENTRY_DSN is ***; accepted: nothing, until sentry-sdk is there (pip install 'tallow[sentry]')"
        ) from None
    start(settings, metrics, include_local_variables, options)
    return True


def flush(timeout: float = 2) -> None:
    """Wait for what is queued to be sent, at most ``timeout`` seconds."""
    if sdk.active is not None:
        sdk.active.flush(timeout)


def close(timeout: float = 2) -> None:
    """Send what is queued, for at most ``timeout`` seconds, and report no longer."""
    if sdk.active is not None:
        from tallow.monitoring.sentry.client import stop

        stop(timeout)
