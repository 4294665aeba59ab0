"""The part of an expression that prevents a result."""

from __future__ import annotations

import promql_parser as ast

from tallow.stack.prove.expression import children, operator, unwrapped
from tallow.stack.prove.witnesses.evaluation.model import Compiler
from tallow.stack.prove.witnesses.search.objective import Objective


def preventing_part(tree: ast.Expr, compiler: Compiler, objective: Objective) -> str:
    """The smallest part without a result although its own operands have one.

    Args:
        objective: with the series that came nearest.
    """
    node = unwrapped(tree)
    while (inner := _empty_operand(node, compiler, objective)) is not None:
        node = inner
    return " ".join(str(node).split()) if not hasattr(node, "prettify") else " ".join(node.prettify().split())


def _empty_operand(node: ast.Expr, compiler: Compiler, objective: Objective) -> ast.Expr | None:
    """The operand whose missing result is the reason that the node has none."""
    operands = [unwrapped(child) for child in children(node)]
    if isinstance(node, ast.BinaryExpr):
        if operator(node) == "unless":
            operands = operands[:1]
        elif operator(node) == "or" and str(node) in objective.arm:
            operands = [operands[objective.arm[str(node)]]]
    elif isinstance(node, ast.Call) and node.func.name in ("absent", "absent_over_time"):
        return None
    for operand in operands:
        if isinstance(operand, ast.MatrixSelector | ast.SubqueryExpr | ast.VectorSelector):
            continue
        found = objective.results_of(compiler.compile(operand))
        if found is not None and not found:
            return operand
    return None
