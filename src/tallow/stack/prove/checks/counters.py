"""Counters and gauges in functions and comparisons that are made for the other kind."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import promql_parser as ast

from tallow.stack.prove.checks.conditions import compared
from tallow.stack.prove.checks.model import Check, Messages, ParsedRule, RuleSet
from tallow.stack.prove.checks.thresholds import quotient
from tallow.stack.prove.expression import (
    alternatives,
    calls,
    conditions,
    number,
    operations,
    operator,
    unwrapped,
)

RATES: Final = frozenset({"rate", "irate", "increase"})
_GAUGE_FUNCTIONS: Final = frozenset(
    {"deriv", "delta", "idelta", "predict_linear", "double_exponential_smoothing", "avg_over_time"}
    | {"quantile_over_time", "stddev_over_time", "stdvar_over_time", "sum_over_time", "mad_over_time"}
)
_AGGREGATIONS: Final = frozenset({"sum", "avg", "min", "max", "topk", "bottomk", "quantile"})
_FAILURES: Final = ("_failures", "_failures_count", "_errors_count", "_tripped_count")
"""Suffixes of counters of exporters that leave out ``_total``."""
_KNOWN: Final = ("ClickHouseErrorMetric_", "ClickHouseProfileEvents_")
"""Prefixes of counters of exporters that leave out ``_total``.

Source: ClickHouse, Server settings, prometheus: ``events`` and ``errors`` are cumulative.
"""
_EVENTS: Final = ("_errors", "_evictions", "_failures", "_restarts", "_retries", "_timeouts", "_waits")
"""Suffixes that count events."""


def compared_level(parsed: ParsedRule, rules: RuleSet) -> Messages:
    """A counter that must exceed a number, without ``rate`` or ``increase``.

    ``x_total > 0`` beside another condition is accepted: it asks whether there was any event at all.
    """
    guards = {id(each) for each in _existence_guards(parsed.tree)}
    for operation in operations(parsed.tree):
        for name in _compared_metrics(operation) if id(operation) not in guards else ():
            if _is_counter(name, rules):
                yield f"the counter {name} is compared without rate() or increase(): it never falls"


def _is_counter(name: str, rules: RuleSet) -> bool:
    """Whether a series is a counter, also by the habits of some exporters."""
    habit = name.endswith(_FAILURES) or name.startswith(_KNOWN)
    return rules.is_counter(name) or (habit and rules.family(name) is None)


def _existence_guards(tree: ast.Expr) -> Iterator[ast.Expr]:
    """Comparisons with 0 beside other conditions."""
    for alternative in alternatives(tree):
        found = list(conditions(alternative))
        for condition in found if len(found) > 1 else ():
            if isinstance(condition, ast.BinaryExpr) and number(condition.rhs) == 0:
                yield condition


def _compared_metrics(operation: ast.BinaryExpr) -> Iterator[str]:
    """The metrics whose present value must exceed a number, or differ from it."""
    op = operator(operation)
    right, left = number(operation.rhs), number(operation.lhs)
    if right is not None and (op in (">", ">=", "!=") or (op == "==" and right != 0)):
        yield from _levels(operation.lhs)
    elif left is not None and (op in ("<", "<=", "!=") or (op == "==" and left != 0)):
        yield from _levels(operation.rhs)


def _levels(node: ast.Expr) -> Iterator[str]:
    """The metrics whose present value an expression has, through aggregations and products with numbers."""
    node = unwrapped(node)
    if isinstance(node, ast.VectorSelector) and node.name and node.offset is None:
        yield node.name
    elif isinstance(node, ast.AggregateExpr) and str(node.op) in _AGGREGATIONS:
        yield from _levels(node.expr)
    elif isinstance(node, ast.BinaryExpr):
        yield from _scaled_levels(node)


def _scaled_levels(node: ast.BinaryExpr) -> Iterator[str]:
    """The metrics of a product or quotient with a number."""
    if operator(node) in ("*", "/"):
        if number(node.rhs) is not None:
            yield from _levels(node.lhs)
        elif number(node.lhs) is not None:
            yield from _levels(node.rhs)


def gauge_function_of_counter(parsed: ParsedRule, rules: RuleSet) -> Messages:
    """``deriv``, ``delta``, ``avg_over_time`` and the like of a counter."""
    for call, name in _ranges(parsed):
        events = name.endswith(_EVENTS) and rules.family(name) is None
        if call.func.name in _GAUGE_FUNCTIONS and (rules.is_counter(name) or events):
            yield f"{call.func.name}() of the counter {name} takes a restart for a fall; use rate()"


def rate_of_gauge(parsed: ParsedRule, rules: RuleSet) -> Messages:
    """``rate``, ``irate`` or ``increase`` of a gauge."""
    for call, name in _ranges(parsed):
        if call.func.name in RATES and rules.is_gauge(name):
            yield f"{call.func.name}() of the gauge {name} takes each fall for a restart; use delta()"


def rate_of_sum(parsed: ParsedRule, _: RuleSet) -> Messages:
    """``rate`` over a subquery of a sum."""
    for call in calls(parsed.tree):
        inner = _of_subquery(call)
        sums = isinstance(inner, ast.AggregateExpr) and str(inner.op) in _AGGREGATIONS
        if sums and call.func.name in RATES:
            yield f"{call.func.name}() of an aggregation misses restarts; use {call.func.name}() first"


def rate_of_rate(parsed: ParsedRule, _: RuleSet) -> Messages:
    """``rate`` of a recorded rate or of another rate."""
    for call, name in _ranges(parsed):
        if call.func.name in RATES and _is_recorded_rate(name):
            yield f"{call.func.name}() of {name}, which is a rate already; use avg_over_time()"
    for call in calls(parsed.tree):
        inner = _of_subquery(call)
        if call.func.name in RATES and isinstance(inner, ast.Call) and inner.func.name in RATES:
            yield f"{call.func.name}() of {inner.func.name}(); use avg_over_time() or max_over_time()"


def all_time_ratio(parsed: ParsedRule, rules: RuleSet) -> Messages:
    """``errors_total / requests_total > 0.1``: the share since the start of the process hardly moves."""
    for node, _op, _limit in compared(parsed.tree):
        found = quotient(node)
        names = [list(_levels(side)) for side in (found.part, found.whole)] if found is not None else [[]]
        if all(len(each) == 1 for each in names) and _are_counters(names[0][0], names[1][0], rules):
            yield f"{names[0][0]} / {names[1][0]} is a share since the start of the process; use rate()"


def _are_counters(part: str, whole: str, rules: RuleSet) -> bool:
    """Whether both are counters, or the sum and the count of one histogram or summary."""
    if part.endswith("_sum") and whole == part.removesuffix("_sum") + "_count":
        return not rules.is_gauge(part)
    return rules.is_counter(part) and rules.is_counter(whole)


def offset_difference(parsed: ParsedRule, rules: RuleSet) -> Messages:
    """``x_total - x_total offset 1h``: negative after a restart; ``increase`` knows restarts."""
    for operation in operations(parsed.tree):
        left, right = unwrapped(operation.lhs), unwrapped(operation.rhs)
        if not isinstance(left, ast.VectorSelector) or not isinstance(right, ast.VectorSelector):
            continue
        is_difference = operator(operation) == "-" and left.name == right.name and right.offset is not None
        if is_difference and rules.is_counter(left.name):
            yield f"the difference of {left.name} is negative after a restart; use increase()"


def last_two_samples(parsed: ParsedRule, _: RuleSet) -> Messages:
    """``irate`` in an alert: it sees the last two samples only, and one quiet pair ends the alert."""
    if any(call.func.name in ("irate", "idelta") for call in calls(parsed.tree)):
        yield "irate() and idelta() see the last two samples only; use rate() in alerts"


def _is_recorded_rate(name: str) -> bool:
    """Whether a name has the form ``level:metric:operations`` with a rate as its operation."""
    return ":" in name and name.rpartition(":")[2].startswith(("rate", "irate", "increase"))


def _of_subquery(call: ast.Call) -> ast.Expr | None:
    """The expression of the subquery that a function is applied to."""
    argument = unwrapped(call.args[0]) if len(call.args) else None
    return unwrapped(argument.expr) if isinstance(argument, ast.SubqueryExpr) else None


def _ranges(parsed: ParsedRule) -> Iterator[tuple[ast.Call, str]]:
    """Each call with a range selector, and the name of its metric."""
    for call in calls(parsed.tree):
        for argument in map(unwrapped, call.args):
            if isinstance(argument, ast.MatrixSelector) and argument.vector_selector.name:
                yield call, argument.vector_selector.name


CHECKS: Final = (
    Check("counter/level", "error", compared_level),
    Check("counter/function", "error", gauge_function_of_counter),
    Check("counter/rate-of-sum", "error", rate_of_sum),
    Check("counter/rate-of-rate", "error", rate_of_rate),
    Check("counter/ratio", "warning", all_time_ratio, alerts_only=True),
    Check("counter/offset", "warning", offset_difference),
    Check("counter/irate", "note", last_two_samples, alerts_only=True),
    Check("gauge/rate", "error", rate_of_gauge),
)
