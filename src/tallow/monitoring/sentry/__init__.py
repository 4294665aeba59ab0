"""Error reports and performance traces for Sentry, scrubbed, and only if ``SENTRY_DSN`` is set.

:func:`init_monitoring` loads the SDK (the extra ``sentry``). Before that, and without a DSN, everything here
does nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tallow.monitoring.metrics import METRICS, Metrics
from tallow.monitoring.sentry import context, performance_monitoring, sdk
from tallow.monitoring.settings import BadSettingError, current_settings

if TYPE_CHECKING:
    from tallow.monitoring.settings.monitoring_settings import MonitoringSettings

__all__ = ["close", "context", "flush", "init_monitoring", "performance_monitoring"]


def init_monitoring(
    settings: MonitoringSettings | None = None,
    *,
    metrics: Metrics = METRICS,
    include_local_variables: bool = False,
    **options: Any,
) -> bool:
    """Start reporting to Sentry if ``SENTRY_DSN`` is set.

    Args:
        settings: by default the process's own, from the environment and ``.env``.
        metrics: counts dropped events.
        include_local_variables: whether to send the scrubbed variables of stack frames. A scrubber cannot
            recognize a file's content or a key in a variable of any name.
        options: more options of ``sentry_sdk.init``. Those that protect privacy cannot be changed. Hooks such
            as ``before_send`` are called before the scrubber.

    Returns:
        Whether a DSN is set.

    Raises:
        BadSettingError: a setting has an invalid value, or a DSN is set and the SDK is not installed.

    Example::

        >>> from tallow.monitoring.settings import MonitoringSettings
        >>> from tallow.monitoring.testing import sentry_endpoint
        >>> with sentry_endpoint() as sentry:
        ...     init_monitoring(MonitoringSettings.load(sentry_dsn=sentry.dsn))
        ...     close()
        True
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
            "SENTRY_DSN is ***; accepted: none, as sentry-sdk is not installed (pip install 'tallow[sentry]')"
        ) from None
    start(settings, metrics, include_local_variables, options)
    return True


def flush(timeout: float = 2) -> None:
    """Wait at most ``timeout`` seconds until the queue is sent.

    Example::

        >>> flush(timeout=5)
    """
    if sdk.active is not None:
        sdk.active.flush(timeout)


def close(timeout: float = 2) -> None:
    """Send the queue for at most ``timeout`` seconds, count the rest as dropped, and stop reporting.

    Example::

        >>> close(timeout=5)
    """
    if sdk.active is not None:
        from tallow.monitoring.sentry.client import stop

        stop(timeout)
