"""One scrubber for everything that leaves: logs, error reports, analytics, health bodies, alert text.

``scrub(value)`` takes text or a nested record and returns the same shape with private values replaced by
their kind, ``[email]``. Three layers decide, each asked once and in this order: the names of keys
(:mod:`~tallow.monitoring.privacy.keys`), the syntaxes that find names and values in a text
(:mod:`~tallow.monitoring.privacy.syntaxes`), and detectors over what is left
(:mod:`~tallow.monitoring.privacy.detectors`). Under a key that names a secret nothing passes.

The caller's data stays as it was; nothing raises; what cannot be scrubbed is dropped, for that value alone.
"""

from __future__ import annotations

import functools
from typing import Any

from tallow.monitoring.metrics import METRICS
from tallow.monitoring.privacy.engine import Scrubber
from tallow.monitoring.privacy.explain import Replacement
from tallow.monitoring.privacy.explain import explain as _explain
from tallow.monitoring.privacy.model import DROPPED, Needs, Rule

__all__ = ["DROPPED", "Needs", "Replacement", "Rule", "Scrubber", "explain", "process_scrubber", "scrub"]


@functools.cache
def process_scrubber() -> Scrubber:
    """The scrubber of the process, configured by the settings. It counts in ``pii_redactions_total``.

    If a setting cannot be used, all rules and keys are on. The invalid setting stops the start of the
    application, which checks all settings.

    Example:
        >>> process_scrubber().value({"token": "rosebud"})
        {'token': '[secret]'}
    """
    from tallow.monitoring.settings import BadSettingError, current_settings

    try:
        return Scrubber(**current_settings().scrubber_options, counter=METRICS)
    except BadSettingError:
        return Scrubber(counter=METRICS)


def scrub(value: Any) -> Any:
    """Text or a nested record without its private values, in the same shape.

    Args:
        value: a text, a number, or a record of lists and mappings. It is not changed.

    Example:
        >>> scrub("mail ann@mail.example from 203.0.113.9")
        'mail [email] from [ip]'
    """
    return process_scrubber().value(value)


def explain(value: Any) -> list[Replacement]:
    """Which rule would replace what in a value: id, kind and position, never the value.

    Args:
        value: as for :func:`scrub`.

    Example:
        >>> [found.rule for found in explain({"password": "rosebud"})]
        ['password']
    """
    return _explain(process_scrubber(), value)
