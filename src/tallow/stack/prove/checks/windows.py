"""Ranges that are too short for the scrape interval, or for the rule's own ``for``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import promql_parser as ast

from tallow.stack.prove.checks.model import Check, Messages, ParsedRule, RuleSet
from tallow.stack.prove.duration import duration_text
from tallow.stack.prove.expression import calls, is_comparison, number, operations, operator, unwrapped

DEFAULT_INTERVAL_S: Final = 60.0
"""``scrape_interval`` of a Prometheus that does not set it. Source: Prometheus, Configuration, global."""
_TWO_SAMPLES: Final = frozenset(
    {"rate", "irate", "increase", "delta", "idelta", "deriv", "predict_linear"}
    | {"double_exponential_smoothing", "changes", "resets"}
)
"""Functions that compare samples: of a single one they have no result, or 0."""
_ONE_SAMPLE: Final = frozenset(
    {"last_over_time", "first_over_time", "present_over_time", "absent_over_time", "count_over_time"}
)
"""Functions that are made for a range with a single sample, too."""


def too_few_samples(parsed: ParsedRule, rules: RuleSet) -> Messages:
    """A range that is not longer than the known scrape interval: it never has two samples."""
    interval = rules.scrape_interval_seconds
    for name, length in _short_ranges(parsed):
        if interval is not None and name in _TWO_SAMPLES and length <= interval:
            yield (
                f"{name}() over {duration_text(length)} never has the two samples that it needs: "
                f"the scrape interval is {duration_text(interval)}"
            )


def short_range(parsed: ParsedRule, rules: RuleSet) -> Messages:
    """A function that needs two samples over less than four scrape intervals; others, over less than two.

    If the interval is not known, a range is short if the default interval leaves gaps.
    """
    interval = rules.scrape_interval_seconds
    for name, length in _short_ranges(parsed):
        if interval is None:
            yield from _short_by_default(name, length)
        elif name not in _TWO_SAMPLES and length < _scrapes(name) * interval:
            yield (
                f"{name}() over {duration_text(length)} has too few samples at times: "
                f"the scrape interval is {duration_text(interval)}"
            )
        elif name in _TWO_SAMPLES and interval < length < _scrapes(name) * interval:
            yield (
                f"{name}() over {duration_text(length)} is shorter than four scrapes of "
                f"{duration_text(interval)}: a lost scrape leaves a gap"
            )


def _scrapes(function: str) -> int:
    """How many scrape intervals a range needs."""
    if function in _TWO_SAMPLES:
        return 4  # the second sample may be late, and one scrape may be lost
    return 1 if function in _ONE_SAMPLE else 2


def _short_by_default(name: str, length: float) -> Messages:
    if length < min(2, _scrapes(name)) * DEFAULT_INTERVAL_S:
        needs = "has no result" if name in _TWO_SAMPLES else "has too few samples"
        wanted = duration_text(length / _scrapes(name))
        yield (
            f"{name}() over {duration_text(length)} {needs} at times at the default "
            f"scrape interval of {duration_text(DEFAULT_INTERVAL_S)}; it needs {wanted} or less"
        )


def _short_ranges(parsed: ParsedRule) -> Iterator[tuple[str, float]]:
    """The name and the length in seconds of every function with a range selector."""
    for call in calls(parsed.tree):
        if length := _range_of(call):
            yield call.func.name, length


def for_outlasts_range(parsed: ParsedRule, _: RuleSet) -> Messages:
    """``increase(x[5m]) > 0`` with a longer ``for``: a single event does not fire it."""
    hold = parsed.rule.for_seconds or 0
    for operation in operations(parsed.tree):
        if not is_comparison(operation) or operator(operation) != ">" or number(operation.rhs) != 0:
            continue
        for call in _event_calls(operation.lhs):
            if 0 < _range_of(call) < hold:
                yield (
                    f"'for: {duration_text(hold)}' is longer than the range of {call.func.name}(): "
                    "a single event leaves the range before the alert fires"
                )


def _event_calls(node: ast.Expr) -> Iterator[ast.Call]:
    node = unwrapped(node)
    if isinstance(node, ast.AggregateExpr):
        yield from _event_calls(node.expr)
    elif isinstance(node, ast.Call) and node.func.name in ("increase", "changes", "resets"):
        yield node


def _range_of(call: ast.Call) -> float:
    """The length of the call's range selector in seconds; 0 if it has none."""
    for argument in map(unwrapped, call.args):
        if isinstance(argument, ast.MatrixSelector) and argument.range is not None:
            return argument.range.total_seconds()
    return 0.0


CHECKS: Final = (
    Check("range/samples", "error", too_few_samples),
    Check("range/short", "warning", short_range),
    Check("range/for", "note", for_outlasts_range, alerts_only=True),
)
