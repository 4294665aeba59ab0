"""Traps of ``absent``, and alerts that end when their series vanish."""

from __future__ import annotations

from typing import Final

import promql_parser as ast

from tallow.stack.prove.checks.conditions import compared
from tallow.stack.prove.checks.model import Check, Messages, ParsedRule, RuleSet
from tallow.stack.prove.expression import (
    alternatives,
    calls,
    is_comparison,
    operations,
    operator,
    selectors,
    unwrapped,
    walk,
)

_ABSENT: Final = frozenset({"absent", "absent_over_time"})


def compared_absence(parsed: ParsedRule, _: RuleSet) -> Messages:
    """``absent(x)`` compared with a number: its only value is 1."""
    for node, op, limit in compared(parsed.tree):
        inner = unwrapped(node)
        if isinstance(inner, ast.Call) and inner.func.name in _ABSENT:
            holds = {">": limit < 1, ">=": limit <= 1, "<": limit > 1, "<=": limit >= 1}
            if not holds.get(op, limit == 1 if op == "==" else limit != 1):
                yield f"{inner.func.name}() {op} {limit:g} never holds: its only value is 1"


def absence_of_all(parsed: ParsedRule, _: RuleSet) -> Messages:
    """``absent`` of a selector for several values: it has a result only if all are missing."""
    for call in calls(parsed.tree):
        for selector in selectors(call) if call.func.name in _ABSENT else ():
            for matcher in selector.matchers.matchers:
                if str(matcher.op) == "MatchOp.Re" and "|" in matcher.value:
                    yield (
                        f"{call.func.name}() has a result only if all series with "
                        f"{matcher.name}=~'{matcher.value}' are missing; write one alert for each value"
                    )


def absence_and_presence(parsed: ParsedRule, _: RuleSet) -> Messages:
    """``absent(x) and x > 5``: both cannot have a result at the same time."""
    for operation in operations(parsed.tree):
        if operator(operation) not in ("and", "*", "+", "-", "/"):
            continue
        absent = [side for side in (operation.lhs, operation.rhs) if _absent_metrics(side)]
        for side in absent:
            other = operation.rhs if side is operation.lhs else operation.lhs
            both = _absent_metrics(side) & {str(one) for one in selectors(other)}
            if both and not _absent_metrics(other):
                yield f"'{operator(operation)}' needs {' '.join(both)} and its absence at the same time"


def _absent_metrics(node: ast.Expr) -> set[str]:
    inner = unwrapped(node)
    if isinstance(inner, ast.Call) and inner.func.name in _ABSENT:
        return {str(selector) for selector in selectors(inner)}
    return set()


def vanishing_age(parsed: ParsedRule, rules: RuleSet) -> Messages:
    """``time() - x > 3600`` of a target that stops: the series vanishes, and the alert ends."""
    if parsed.rule.keep_firing_for or any(call.func.name in _ABSENT for call in calls(parsed.tree)):
        return
    for operation in operations(parsed.tree):
        name = _age_of(operation)
        if name and name.startswith(_HEARTBEATS) and not _absence_watched(name, rules):
            yield f"the alert ends when the target of {name} stops and its series vanishes; add absent()"


_HEARTBEATS: Final = ("process_", "node_time", "node_boot_time")


def _age_of(operation: ast.BinaryExpr) -> str | None:
    """The metric in ``time() - metric``."""
    left, right = unwrapped(operation.lhs), unwrapped(operation.rhs)
    is_time = isinstance(left, ast.Call) and left.func.name == "time"
    if operator(operation) == "-" and is_time and isinstance(right, ast.VectorSelector):
        return right.name
    return None


def _absence_watched(name: str, rules: RuleSet) -> bool:
    """Whether another rule notices that the metric is missing."""
    return any(
        call.func.name in _ABSENT and any(selector.name in (name, "up") for selector in selectors(call))
        for one in rules.rules
        for call in calls(one.tree)
    )


def zero_samples(parsed: ParsedRule, _: RuleSet) -> Messages:
    """``count_over_time(x[5m]) == 0``: without samples there is no result, not 0."""
    for node in walk(parsed.tree):
        if not isinstance(node, ast.BinaryExpr) or not is_comparison(node) or operator(node) != "==":
            continue
        inner = unwrapped(node.lhs)
        if isinstance(inner, ast.Call) and inner.func.name in ("count_over_time", "present_over_time"):
            yield f"{inner.func.name}() == … has no result without samples; use absent_over_time()"


_LOOKBACK_S: Final = 300.0


def stale_timestamp(parsed: ParsedRule, _: RuleSet) -> Messages:
    """``time() - timestamp(x) > 600``: after 5 minutes without a sample, x has no result."""
    for node, op, limit in compared(parsed.tree):
        inner = unwrapped(node)
        if not isinstance(inner, ast.BinaryExpr) or operator(inner) != "-" or op not in (">", ">="):
            continue
        sides = map(unwrapped, (inner.lhs, inner.rhs))
        names = [side.func.name for side in sides if isinstance(side, ast.Call)]
        if names == ["time", "timestamp"] and limit >= _LOOKBACK_S:
            yield f"'{op} {limit:g}' never holds: a series without samples for 5 minutes has no result"


def never_absent(parsed: ParsedRule, _: RuleSet) -> Messages:
    """``absent(x or vector(0))``: the default is always there."""
    for call in calls(parsed.tree):
        for alternative in alternatives(call.args[0]) if call.func.name in _ABSENT else ():
            if isinstance(alternative, ast.Call) and alternative.func.name in ("vector", "time"):
                yield f"{call.func.name}() never has a result: {alternative.func.name}() is never missing"


CHECKS: Final = (
    Check("absent/compared", "error", compared_absence),
    Check("absent/several", "warning", absence_of_all),
    Check("absent/itself", "error", absence_and_presence),
    Check("absent/no-samples", "error", zero_samples),
    Check("absent/stale", "error", stale_timestamp),
    Check("absent/never", "error", never_absent),
    Check("absent/vanishing", "warning", vanishing_age, alerts_only=True),
)
