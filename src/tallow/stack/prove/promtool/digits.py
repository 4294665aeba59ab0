"""Whether an alert shows a value with digits that differ from one version of Prometheus to the next."""

from __future__ import annotations

import re
from typing import Final

import promql_parser as ast

from tallow.stack.prove.expression import SETS, UnparsedError, is_comparison, operator, parse, walk
from tallow.stack.prove.rule_file import LoadedRule

_ACTION: Final = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_VALUE: Final = re.compile(r"\$value\b|(?<![\w)])\.Value\b|\bquery\b")
_ROUNDING: Final = re.compile(r"\bhumanize\w*|\bprintf\b")
_EXACT: Final = frozenset({"count", "min", "max", "group", "topk", "bottomk", "count_values"})
"""Aggregations whose result is one of their values, or a whole number."""
_EXACT_CALLS: Final = frozenset(
    {"absent", "absent_over_time", "present_over_time", "vector", "time", "floor", "ceil"}
    | {"min_over_time", "max_over_time", "last_over_time", "label_replace", "label_join"}
)


def shows_digits(rule: LoadedRule) -> bool:
    """Whether a label or annotation has a computed value without rounding.

    Versions of Prometheus compute sums and rates in another order, so that the last digit differs.
    Prometheus 2 counts a sample at the start of a range, Prometheus 3 does not.

    Example:
        >>> text = {"summary": "{{ $value }} a second"}
        >>> shows_digits(LoadedRule("a.yml", 1, "g", "alert", "Many", "rate(x[5m]) > 1", annotations=text))
        True
    """
    texts = (*rule.labels.values(), *rule.annotations.values())
    shown = any(
        _VALUE.search(action) and not _ROUNDING.search(action)
        for text in texts
        for action in _ACTION.findall(text)
    )
    return shown and _is_computed(rule.expr)


def _is_computed(expr: str) -> bool:
    """Whether an expression has a result that is no sample and no number of series."""
    try:
        nodes = list(walk(parse(expr)))
    except UnparsedError:
        return True
    return any(map(_computes, nodes))


def _computes(node: ast.Expr) -> bool:
    if isinstance(node, ast.Call):
        return node.func.name not in _EXACT_CALLS
    if isinstance(node, ast.AggregateExpr):
        return str(node.op) not in _EXACT
    if isinstance(node, ast.BinaryExpr):
        return not is_comparison(node) and operator(node) not in SETS
    # The series of a recording rule are computed, too.
    return isinstance(node, ast.VectorSelector) and ":" in (node.name or "")
