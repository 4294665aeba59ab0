"""Ranges that are too short for the scrape interval, or for the rule's own ``for``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import promql_parser as ast

from tallow.stack.prove.checks.model import Check, Messages, ParsedRule, RuleSet
from tallow.stack.prove.duration import duration_text
from tallow.stack.prove.expression import calls, is_comparison, number, operations, operator, unwrapped

_SCRAPES: Final = 4


def short_range(parsed: ParsedRule, rules: RuleSet) -> Messages:
    """A function over less than four scrape intervals."""
    least = _SCRAPES * rules.scrape_interval_seconds
    for call in calls(parsed.tree):
        length = _range_of(call)
        if 0 < length < least:
            yield (
                f"{call.func.name}() over {duration_text(length)} is shorter than four scrapes of "
                f"{duration_text(rules.scrape_interval_seconds)}: a lost scrape leaves a gap"
            )


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
    Check("range/short", "warning", short_range),
    Check("range/for", "warning", for_outlasts_range, alerts_only=True),
)
