"""The ways in which an expression with ``or`` can have a result."""

from __future__ import annotations

from typing import Final

import promql_parser as ast

from tallow.stack.prove.expression import children, operator, unwrapped

Arm = dict[str, int]
"""For each ``or``, by its text, the operand that is to have the result: 0 or 1."""
_MOST: Final = 40


def arms_of(tree: ast.Expr) -> list[Arm]:
    """Each choice of an operand for every ``or`` that matters.

    What stands behind ``unless`` or in ``absent()`` must have no result at all, so that there is no choice.

    Example:
        >>> from tallow.stack.prove.expression import parse
        >>> [list(arm.values()) for arm in arms_of(parse("a or b or c"))]
        [[0, 0], [0, 1], [1]]
    """
    node = unwrapped(tree)
    if isinstance(node, ast.BinaryExpr) and operator(node) == "or":
        sides = enumerate((node.lhs, node.rhs))
        return [{str(node): side, **arm} for side, operand in sides for arm in arms_of(operand)][:_MOST]
    found: list[Arm] = [{}]
    for operand in _that_need_results(node):
        found = [{**one, **other} for one in found for other in arms_of(operand)][:_MOST]
    return found


def _that_need_results(node: ast.Expr) -> tuple[ast.Expr, ...]:
    if isinstance(node, ast.Call) and node.func.name.startswith("absent"):
        return ()
    operands = children(node)
    return operands[:1] if isinstance(node, ast.BinaryExpr) and operator(node) == "unless" else operands
