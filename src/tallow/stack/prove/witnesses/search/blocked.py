"""The part of an expression that prevents a result."""

from __future__ import annotations

from collections.abc import Callable

import promql_parser as ast

from tallow.stack.prove.expression import children, operator, unwrapped

CanHold = Callable[[ast.Expr], bool]


def preventing_part(tree: ast.Expr, can_hold: CanHold) -> str:
    """The smallest part that has no result although each of its operands can have one.

    Args:
        can_hold: whether series are found under which an expression has a result.
    """
    node = unwrapped(tree)
    while True:
        blocked = next((one for one in _operands(node) if not can_hold(one)), None)
        if blocked is None:
            return " ".join(node.prettify().split())
        node = blocked


def _operands(node: ast.Expr) -> list[ast.Expr]:
    """The operands without whose result a node has none."""
    if isinstance(node, ast.Call) and node.func.name.startswith("absent"):
        return []
    operands = [unwrapped(child) for child in children(node)]
    if isinstance(node, ast.BinaryExpr) and operator(node) == "unless":
        operands = operands[:1]
    return [one for one in operands if isinstance(one, ast.BinaryExpr | ast.AggregateExpr | ast.Call)]
