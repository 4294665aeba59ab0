"""Thresholds that the unit of a metric, or its last bucket, does not reach."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import promql_parser as ast

from tallow.stack.prove.checks.conditions import compared
from tallow.stack.prove.checks.model import Check, Messages, ParsedRule, RuleSet
from tallow.stack.prove.expression import number, selectors, unwrapped

_PERCENT_LIMIT: Final = 100.0
_RATIO_LIMIT: Final = 5.0
"""Ratios above 1 exist (limits, overcommitment); above this a percentage is meant."""


def beyond_last_bucket(parsed: ParsedRule, rules: RuleSet) -> Messages:
    """A quantile compared with more than the last finite bucket edge."""
    for node, op, limit in compared(parsed.tree):
        factor, inner = scaled(node)
        if (
            not isinstance(inner, ast.Call)
            or inner.func.name != "histogram_quantile"
            or op not in (">", ">=")
        ):
            continue
        for selector in selectors(inner):
            family = rules.family(selector.name)
            edge = family.last_edge if family is not None else None
            if edge is not None and limit >= edge * factor:
                yield f"'{op} {limit:g}' never holds: the last bucket of {selector.name} ends at {edge:g}"


def wrong_unit(parsed: ParsedRule, rules: RuleSet) -> Messages:
    """A ratio compared with percent, or a percentage compared with more than 100."""
    for node, op, limit in compared(parsed.tree):
        for name in _plain(node):
            if name.endswith("_ratio") and limit > _RATIO_LIMIT:
                yield f"{name} is a ratio from 0 to 1; '{op} {limit:g}' looks like percent"
            elif name.endswith(("_percent", "_percentage")) and limit > _PERCENT_LIMIT:
                yield f"{name} is a percentage; '{op} {limit:g}' is above 100"
            elif name.endswith("_seconds") and limit >= _MILLISECONDS and not rules.is_counter(name):
                yield from _milliseconds(name, op, limit)


_MILLISECONDS: Final = 1e12
"""A time in seconds since 1970 has ten digits, one in milliseconds thirteen."""


def _milliseconds(name: str, op: str, limit: float) -> Messages:
    yield f"{name} is in seconds; '{op} {limit:g}' looks like milliseconds"


def _plain(node: ast.Expr) -> Iterator[str]:
    """The metric whose value an expression has."""
    node = unwrapped(node)
    if isinstance(node, ast.VectorSelector) and node.name:
        yield node.name
    elif isinstance(node, ast.AggregateExpr) and str(node.op) in ("avg", "min", "max"):
        yield from _plain(node.expr)
    elif isinstance(node, ast.Call) and node.func.name in ("avg_over_time", "max_over_time", "min_over_time"):
        argument = unwrapped(node.args[0])
        if isinstance(argument, ast.MatrixSelector):
            yield from _plain(argument.vector_selector)


def scaled(node: ast.Expr) -> tuple[float, ast.Expr]:
    """An expression as a number times another expression."""
    node = unwrapped(node)
    if isinstance(node, ast.BinaryExpr) and str(node.op) == "*":
        for side, other in ((node.lhs, node.rhs), (node.rhs, node.lhs)):
            factor = number(side)
            if factor is not None and factor > 0:
                inner_factor, inner = scaled(other)
                return factor * inner_factor, inner
    return 1.0, node


CHECKS: Final = (
    Check("threshold/bucket", "error", beyond_last_bucket, needs_metrics=True),
    Check("threshold/unit", "error", wrong_unit),
)
