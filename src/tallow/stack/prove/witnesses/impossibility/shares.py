"""Quotients of a part of some counters by all of them."""

from __future__ import annotations

import promql_parser as ast

from tallow.stack.prove.expression import conditions_of_labels, unwrapped


def is_share(part: ast.Expr, whole: ast.Expr) -> bool:
    """Whether each series of a numerator is one of those that its denominator sums, in the same range.

    Example:
        >>> from tallow.stack.prove.expression import parse
        >>> part, whole = parse("sum(rate(x{code='500'}[5m]))"), parse("sum(rate(x[5m]))")
        >>> is_share(part, whole), is_share(whole, part)
        (True, False)
    """
    part, whole = unwrapped(part), unwrapped(whole)
    if isinstance(part, ast.AggregateExpr) and isinstance(whole, ast.AggregateExpr):
        if str(part.op) != "sum" or str(whole.op) != "sum" or _grouping(part) != _grouping(whole):
            return False
        part, whole = unwrapped(part.expr), unwrapped(whole.expr)
    return isinstance(part, ast.Call) and isinstance(whole, ast.Call) and _reads_part(part, whole)


def _grouping(node: ast.AggregateExpr) -> tuple[str, frozenset[str]]:
    modifier = node.modifier
    return ("", frozenset()) if modifier is None else (str(modifier.type), frozenset(modifier.labels))


def _reads_part(part: ast.Call, whole: ast.Call) -> bool:
    if part.func.name != whole.func.name or part.func.name not in ("rate", "increase"):
        return False
    one, all_ = unwrapped(part.args[0]), unwrapped(whole.args[0])
    if not isinstance(one, ast.MatrixSelector) or not isinstance(all_, ast.MatrixSelector):
        return False
    narrow, wide = one.vector_selector, all_.vector_selector
    if not wide.name or (one.range, narrow.name) != (all_.range, wide.name):
        return False
    if any(each is not None for each in (narrow.offset, narrow.at, wide.offset, wide.at)):
        return False
    return conditions_of_labels(wide) <= conditions_of_labels(narrow)
