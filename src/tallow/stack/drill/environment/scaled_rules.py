"""The values of a rule that a drill scales, for its report."""

from __future__ import annotations

from collections.abc import Iterator

from tallow.stack.alerts import Rule
from tallow.stack.durations import promql_duration


def scaled_values(rule: Rule, factor: float) -> dict[str, str]:
    """Durations and minimum counts of a rule, from shipped to scaled: ``{"5m": "20s", ">= 20": ">= 2"}``."""
    return dict(zip(_values(rule), _values(rule.scaled(factor)), strict=True))


def _values(rule: Rule) -> Iterator[str]:
    yield f"for {promql_duration(rule.for_seconds)}"
    yield f"grace {promql_duration(rule.guard_seconds)}"
    yield from (promql_duration(seconds) for seconds in rule.windows.values())
    yield from (f">= {count}" for count in rule.min_counts.values())
