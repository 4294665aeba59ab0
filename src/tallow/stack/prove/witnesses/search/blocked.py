"""The part of an expression that prevents a result."""

from __future__ import annotations

from collections.abc import Callable

import promql_parser as ast

from tallow.stack.prove.expression import children, number, operator, selectors, text_of, unwrapped, walk
from tallow.stack.prove.witnesses.search.structure import MOST_COPIES

CanHold = Callable[[ast.Expr], bool]


def preventing_part(tree: ast.Expr, can_hold: CanHold) -> str | None:
    """The smallest part that has no result although each of its operands can have one.

    The innermost parts are looked at first, as their series are found, or not, in the least time.

    Args:
        can_hold: whether series are found under which an expression has a result.

    Returns:
        None if each part can have one.
    """
    node = unwrapped(tree)
    parts = [preventing_part(one, can_hold) for one in _operands(node)]
    if isinstance(node, ast.BinaryExpr) and operator(node) == "or":
        return None if None in parts else parts[0]
    found = next((part for part in parts if part is not None), None)
    if found is None and _is_operation(node) and not can_hold(node):
        return text_of(node)
    return found


def limit_of(tree: ast.Expr) -> str | None:
    """What the search does not try in an expression; None if it tries everything."""
    if any(not selector.name for selector in selectors(tree)):
        return "a selector of metrics by the pattern of their name"
    nodes = list(walk(tree))
    if any(map(_reads_native_histogram, nodes)):
        return "a native histogram"
    counts = any(isinstance(node, ast.AggregateExpr) and str(node.op) == "count" for node in nodes)
    numbers = [number(node) or 0.0 for node in nodes]
    if counts and max(numbers) >= MOST_COPIES - 2:
        return f"a count of more than {MOST_COPIES} series"
    return None


def _reads_native_histogram(node: ast.Expr) -> bool:
    """Whether a quantile is that of a metric which, by its name, has no classic buckets."""
    is_quantile = isinstance(node, ast.Call) and node.func.name == "histogram_quantile"
    return is_quantile and not any("bucket" in (one.name or "") for one in selectors(node))


def _operands(node: ast.Expr) -> list[ast.Expr]:
    """The operands without whose result a node has none."""
    if isinstance(node, ast.Call) and node.func.name.startswith("absent"):
        return []
    operands = [unwrapped(child) for child in children(node)]
    if isinstance(node, ast.BinaryExpr) and operator(node) == "unless":
        operands = operands[:1]
    return [one for one in operands if _is_operation(one)]


def _is_operation(node: ast.Expr) -> bool:
    return isinstance(node, ast.BinaryExpr | ast.AggregateExpr | ast.Call)
