"""Grafana's variables in queries: stand-ins to parse them with, and values to run them with."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta

# Odd on purpose, so that no query written out by hand has the same window.
PLACEHOLDER_WINDOWS = {
    "$__rate_interval": timedelta(hours=7, minutes=1),
    "$__range": timedelta(hours=7, minutes=2),
    "$__interval": timedelta(hours=7, minutes=3),
}
"""Windows Grafana fills in, as durations the parser understands."""

_VARIABLE = re.compile(r"\$(?:\{(\w+)(?::\w+)?\}|(\w+))")


def variables(text: str) -> set[str]:
    """The names of the variables in a string: ``$job``, ``${job}``, ``${job:regex}``."""
    return {braced or plain for braced, plain in _VARIABLE.findall(text)}


def expand(text: str, values: Mapping[str, str]) -> str:
    """``text`` with its variables replaced; one without a value stays as it is."""
    return _VARIABLE.sub(lambda found: values.get(found[1] or found[2], found[0]), text)


def parseable(expr: str) -> str:
    """``expr`` with windows that a PromQL parser accepts in place of Grafana's."""
    windows = {
        name.removeprefix("$"): f"{int(window.total_seconds())}s"
        for name, window in PLACEHOLDER_WINDOWS.items()
    }
    return expand(expr, windows)
