"""Turn a parsed expression into a function that evaluates it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import promql_parser as ast

from tallow.stack.prove.expression import unwrapped
from tallow.stack.prove.witnesses.evaluation.aggregations import compile_aggregation
from tallow.stack.prove.witnesses.evaluation.functions import compile_call
from tallow.stack.prove.witnesses.evaluation.model import Evaluate, EvaluateRange, Recordings
from tallow.stack.prove.witnesses.evaluation.operations import compile_operation
from tallow.stack.prove.witnesses.evaluation.selectors import (
    compile_matrix,
    compile_selector,
    compile_subquery,
    dropped_name,
)
from tallow.stack.prove.witnesses.evaluation.vector import Element, UnsupportedError, Value

_DEEPEST: Final = 60
"""Nested expressions; recording rules that read themselves exceed it."""


@dataclass(slots=True)
class ExpressionCompiler:
    """Compiles expressions.

    Attributes:
        recordings: recording rules by the metric they write.
    """

    recordings: Recordings
    _depth: int = field(default=0)

    def compile(self, node: ast.Expr) -> Evaluate:
        """A function that evaluates an expression.

        Raises:
            UnsupportedError: the evaluation does not know a part of it.
        """
        node = unwrapped(node)
        make = _MAKERS.get(type(node))
        if make is None:
            raise UnsupportedError(f"a range where a vector is expected: {node}")
        self._depth += 1
        try:
            if self._depth > _DEEPEST:
                raise UnsupportedError("rules that read each other, or too deeply nested")
            return make(node, self)
        finally:
            self._depth -= 1

    def compile_range(self, node: ast.Expr) -> EvaluateRange:
        """A function that evaluates a range.

        Raises:
            UnsupportedError: the evaluation does not know a part of it.
        """
        node = unwrapped(node)
        if isinstance(node, ast.MatrixSelector):
            return compile_matrix(node, self)
        if isinstance(node, ast.SubqueryExpr):
            return compile_subquery(node, self)
        raise UnsupportedError(f"a vector where a range is expected: {node}")


def _number(node: ast.NumberLiteral, _: ExpressionCompiler) -> Evaluate:
    value = float(node.val)
    return lambda _: value


def _text(node: ast.StringLiteral, _: ExpressionCompiler) -> Evaluate:
    text = str(node.val)
    return lambda _: text


def _negated(node: ast.UnaryExpr, compiler: ExpressionCompiler) -> Evaluate:
    inner = compiler.compile(node.expr)

    def evaluate(context: Any) -> Value:
        value = inner(context)
        if isinstance(value, list):
            return [Element(dropped_name(one.labels), -one.value, one.distance, one.slack) for one in value]
        if isinstance(value, str):
            raise UnsupportedError("arithmetic of texts")
        return -value

    return evaluate


_MAKERS: Final[dict[type, Callable[[Any, ExpressionCompiler], Evaluate]]] = {
    ast.NumberLiteral: _number,
    ast.StringLiteral: _text,
    ast.UnaryExpr: _negated,
    ast.VectorSelector: compile_selector,
    ast.Call: compile_call,
    ast.AggregateExpr: compile_aggregation,
    ast.BinaryExpr: compile_operation,
}
