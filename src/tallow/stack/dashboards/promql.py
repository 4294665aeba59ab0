"""Build the PromQL of the panels.

Every selector has the dashboard's variables ``job`` and ``instance`` and is summed over instances unless
``by`` is given. No function returns NaN: a ratio has an ``idle`` value, and a quantile or a mean without
traffic has no sample, for which the panel shows "no traffic".
"""

from __future__ import annotations

from typing import Literal

from tallow.monitoring.catalog import PREFIX

RATE_INTERVAL = "$__rate_interval"
RANGE = "$__range"


def series(name: str, *matchers: str) -> str:
    """A selector of the metric ``name``; that of a histogram ends in ``_bucket``, ``_sum`` or ``_count``."""
    return PREFIX + name + "{" + ", ".join(('job=~"$job"', 'instance=~"$instance"', *matchers)) + "}"


def grouped(expr: str, *by: str) -> str:
    """The sum of ``expr``, one for each combination of the labels ``by``."""
    return f"sum by ({', '.join(by)}) ({expr})" if by else f"sum({expr})"


def gauge(name: str, *matchers: str, by: tuple[str, ...] = ()) -> str:
    return grouped(series(name, *matchers), *by)


def rate(
    name: str, *matchers: str, by: tuple[str, ...] = (), window: str = RATE_INTERVAL, ago: str = ""
) -> str:
    """Events (or units of a ``_sum``) a second; ``ago`` is an offset."""
    shifted = f" offset {ago}" if ago else ""
    return grouped(f"rate({series(name, *matchers)}[{window}]{shifted})", *by)


def per_minute(
    name: str, *matchers: str, by: tuple[str, ...] = (), window: str = RATE_INTERVAL, ago: str = ""
) -> str:
    """Events a minute."""
    return f"{rate(name, *matchers, by=by, window=window, ago=ago)} * 60"


def increase(name: str, *matchers: str, by: tuple[str, ...] = (), window: str = RANGE) -> str:
    """Events within ``window``, by default the dashboard's time range."""
    return grouped(f"increase({series(name, *matchers)}[{window}])", *by)


def share(part: str, whole: str, *, idle: Literal[0, 1]) -> str:
    """``part / whole``; ``idle`` while ``whole`` is 0, no sample if nothing is scraped."""
    rest = f"({whole} == 0) + 1" if idle else f"({whole} == 0)"
    return f"{part} / ({whole} > 0) or {rest}"


def quantile(
    q: float, histogram: str, *matchers: str, by: tuple[str, ...] = (), window: str = RATE_INTERVAL
) -> str:
    """The ``q`` quantile of a histogram in its unit; no sample without observations."""
    buckets = rate(f"{histogram}_bucket", *matchers, by=("le", *by), window=window)
    return f"histogram_quantile({q}, {buckets}) >= 0"


def mean(histogram: str, *matchers: str, window: str = RANGE) -> str:
    """The mean of a histogram's observations in its unit; no sample without observations."""
    observed = increase(f"{histogram}_sum", *matchers, window=window)
    return f"{observed} / ({increase(f'{histogram}_count', *matchers, window=window)} > 0)"
