"""The error of an invalid setting."""

from __future__ import annotations


class BadSettingError(Exception):
    """An invalid setting. The text is one line for the operator and contains no secret.

    Example:
        >>> raise BadSettingError("LOG_LEVEL is 'loud'; accepted: debug, info, warning, error or fatal")
        Traceback (most recent call last):
        tallow.monitoring.settings.errors.BadSettingError: LOG_LEVEL is 'loud'; ...
    """
