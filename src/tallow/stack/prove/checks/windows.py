"""Ranges that are too short for the scrape interval, or for the rule's own ``for``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import promql_parser as ast

from tallow.stack.prove.checks.model import Check, Messages, ParsedRule, RuleSet
from tallow.stack.prove.duration import duration_text
from tallow.stack.prove.expression import calls, is_comparison, number, operations, operator, unwrapped, walk

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


def wide_step(parsed: ParsedRule, _: RuleSet) -> Messages:
    """A subquery whose step is as long as its range, or longer than the ranges inside."""
    for node in walk(parsed.tree):
        if not isinstance(node, ast.SubqueryExpr) or node.step is None or node.range is None:
            continue
        step, length = node.step.total_seconds(), node.range.total_seconds()
        if step >= length:
            shown = f"{duration_text(step)} of a subquery over {duration_text(length)}"
            yield f"the step {shown} leaves a single value"
        for call in calls(node.expr):
            if call.func.name in ("increase", "rate") and 0 < _range_of(call) < step:
                shown = (
                    f"{call.func.name}() over {duration_text(_range_of(call))} every {duration_text(step)}"
                )
                yield f"{shown} every {duration_text(step)} leaves out the samples between"


def unseen_events(parsed: ParsedRule, _: RuleSet) -> Messages:
    """``increase(x[1m]) > 0`` in a group that is evaluated every 5 minutes: it misses the events between."""
    interval = parsed.rule.group_interval_seconds or 0
    for call in calls(parsed.tree):
        if call.func.name in ("increase", "changes", "resets") and 0 < _range_of(call) < interval:
            shown = f"{call.func.name}() over {duration_text(_range_of(call))}"
            yield f"{shown} misses events: the group is evaluated every {duration_text(interval)}"


_LOOKBACK_S: Final = 300.0
"""``--query.lookback-delta``: how long a sample is the present value. Source: Prometheus, Querying basics."""


def recorded_with_gaps(parsed: ParsedRule, _: RuleSet) -> Messages:
    """A recording rule that is evaluated less often than every 5 minutes: its series have gaps."""
    interval = parsed.rule.group_interval_seconds or 0
    if interval > _LOOKBACK_S and not parsed.is_alert:
        shown = duration_text(_LOOKBACK_S)
        yield f"recorded every {duration_text(interval)}, the series has gaps: a sample counts for {shown}"


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
    Check("range/step", "warning", wide_step),
    Check("range/evaluation", "warning", unseen_events, alerts_only=True),
    Check("rule/interval", "warning", recorded_with_gaps),
    Check("range/for", "note", for_outlasts_range, alerts_only=True),
)
