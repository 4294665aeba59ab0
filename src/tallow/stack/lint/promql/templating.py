"""Grafana's variables in queries: find them, and replace them by values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta

# Unusual values, so that no literal window in a query equals them.
PLACEHOLDER_WINDOWS = {
    "$__rate_interval": timedelta(hours=7, minutes=1),
    "$__range": timedelta(hours=7, minutes=2),
    "$__interval": timedelta(hours=7, minutes=3),
}
"""Durations in place of the windows that Grafana computes, for the parser."""

_VARIABLE = re.compile(r"\$(?:\{(\w+)(?::\w+)?\}|(\w+))")


def variables(text: str) -> set[str]:
    """The names of the variables in a string: ``$job``, ``${job}``, ``${job:regex}``."""
    return {braced or plain for braced, plain in _VARIABLE.findall(text)}


def expand(text: str, values: Mapping[str, str]) -> str:
    """``text`` with its variables replaced; a variable without a value stays.

    >>> expand("$job ${instance}", {"job": "tallow"})
    'tallow ${instance}'
    """
    return _VARIABLE.sub(lambda found: values.get(found[1] or found[2], found[0]), text)


def parseable(expr: str) -> str:
    """``expr`` with Grafana's windows replaced by durations that a PromQL parser accepts."""
    windows = {
        name.removeprefix("$"): f"{int(window.total_seconds())}s"
        for name, window in PLACEHOLDER_WINDOWS.items()
    }
    return expand(expr, windows)
