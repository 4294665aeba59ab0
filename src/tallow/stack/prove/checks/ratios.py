"""Quotients: divisors that are 0, and ratios of too few events."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import promql_parser as ast

from tallow.stack.prove.checks.conditions import compared
from tallow.stack.prove.checks.counters import RATES
from tallow.stack.prove.checks.model import Check, Messages, ParsedRule, RuleSet
from tallow.stack.prove.expression import (
    calls,
    conditions,
    is_comparison,
    number,
    operations,
    operator,
    selectors,
    unwrapped,
)

_UNLIMITED: Final = re.compile(
    r"_(limit|maxmemory|quota|memory_max|memory_maximum|heap_max|heap_maximum)_bytes$"
)
"""Metrics of limits that many exporters set to 0 for "no limit"."""


def unlimited(parsed: ParsedRule, _: RuleSet) -> Messages:
    """A quotient by a limit in bytes that is 0 where there is no limit."""
    for operation in operations(parsed.tree):
        if operator(operation) == "/" and number(operation.rhs) is None:
            for name in _unguarded_limits(operation.rhs):
                if not _is_compared_with_zero(name, parsed.tree):
                    yield f"{name} is 0 where there is no limit, and the quotient infinite: add {name} > 0"


def _unguarded_limits(node: ast.Expr) -> Iterator[str]:
    node = unwrapped(node)
    if isinstance(node, ast.VectorSelector) and node.name and _UNLIMITED.search(node.name):
        yield node.name
    elif isinstance(node, ast.AggregateExpr):
        yield from _unguarded_limits(node.expr)


def _is_compared_with_zero(name: str, tree: ast.Expr) -> bool:
    return any(
        is_comparison(operation)
        and operator(operation) in (">", "!=")
        and number(operation.rhs) == 0
        and any(selector.name == name for selector in selectors(operation.lhs))
        for operation in operations(tree)
    )


def not_equal_nan(parsed: ParsedRule, _: RuleSet) -> Messages:
    """``a / b != 1``: NaN of 0/0 differs from every number, and fires."""
    for node, op, limit in compared(parsed.tree):
        inner = unwrapped(node)
        if op == "!=" and isinstance(inner, ast.BinaryExpr) and _may_be_nan(inner):
            yield f"'!= {limit:g}' also holds for NaN, the result of 0/0; add a condition on the divisor"


def _may_be_nan(node: ast.BinaryExpr) -> bool:
    """Whether a node is a quotient with a divisor that may be 0."""
    return operator(node) == "/" and number(node.rhs) is None and not _has_guard(node.rhs)


def _has_guard(node: ast.Expr) -> bool:
    return any(is_comparison(operation) for operation in operations(node))


def little_traffic(parsed: ParsedRule, _: RuleSet) -> Messages:
    """A share of events without a minimum number of events: one failure at night fires it."""
    found = list(conditions(parsed.tree))
    if len(found) > 1 or any(operator(each) in ("unless", "or") for each in operations(parsed.tree)):
        return
    for node, op, _limit in compared(parsed.tree):
        for operation in operations(node):
            if op in (">", ">=") and operator(operation) == "/" and _is_share(operation):
                yield "a share of events without a minimum number: when there are few, one decides it"
                return


def _is_share(operation: ast.BinaryExpr) -> bool:
    """Whether both operands count events, and the first only some of those of the second."""
    part, whole = _counted(operation.lhs), _counted(operation.rhs)
    return bool(part) and part == whole and not _has_guard(operation.rhs)


def _counted(node: ast.Expr) -> set[str]:
    """The counters whose events an expression counts."""
    return {
        selector.name
        for call in calls(node)
        if call.func.name in RATES
        for selector in selectors(call)
        if selector.name and not selector.name.endswith(("_sum", "_bytes_total", "_seconds_total"))
    }


CHECKS: Final = (
    Check("ratio/limit", "warning", unlimited, alerts_only=True),
    Check("ratio/nan", "warning", not_equal_nan, alerts_only=True),
    Check("ratio/traffic", "note", little_traffic, alerts_only=True),
)
