"""The library's settings: one typed object, read from the environment and ``.env``.

Importing this package loads neither pydantic nor any value: :class:`MonitoringSettings` is imported with its
first use.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from tallow.monitoring.settings import process_options
from tallow.monitoring.settings.errors import BadSettingError

if TYPE_CHECKING:
    from tallow.monitoring.settings.monitoring_settings import MonitoringSettings

__all__ = ["BadSettingError", "MonitoringSettings", "current_settings", "load_settings"]


@lru_cache(maxsize=1)
def current_settings() -> MonitoringSettings:
    """Return the process's settings, read with the first call.

    An unusable value of a variable without prefix that other programs use, such as ``LOG_FORMAT``, is passed
    over; the log names it. ``MonitoringSettings.load()`` does not accept it: use that in a program of its
    own.

    Returns:
        The settings; ``current_settings.cache_clear()`` makes the next call read them again.

    Raises:
        BadSettingError: one line with the variable, its value (masked if secret) and what is accepted.

    Example:
        >>> current_settings().log_level
        'info'
    """
    return load_settings(process_options.current_options().env_prefix)


def load_settings(env_prefix: str) -> MonitoringSettings:
    """Read the settings of an application that has its own prefix.

    Args:
        env_prefix: of the variables that are read first.

    Raises:
        BadSettingError: as :func:`current_settings`.

    Example:
        >>> load_settings("SHOP_").log_level
        'info'
    """
    from tallow.monitoring.settings.monitoring_settings import MonitoringSettings

    return MonitoringSettings.load_leniently(env_prefix)


process_options.on_change(current_settings.cache_clear)


def __getattr__(name: str) -> Any:
    if name == "MonitoringSettings":
        from tallow.monitoring.settings.monitoring_settings import MonitoringSettings

        return MonitoringSettings
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
