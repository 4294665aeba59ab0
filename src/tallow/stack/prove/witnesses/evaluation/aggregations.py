"""Aggregations."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Final

import promql_parser as ast

from tallow.stack.prove.expression import unwrapped
from tallow.stack.prove.witnesses.evaluation.model import Compiler, Context, Evaluate, as_number, as_vector
from tallow.stack.prove.witnesses.evaluation.range_functions import deviation, quantile, variance
from tallow.stack.prove.witnesses.evaluation.vector import (
    STRUCTURAL,
    Element,
    Labels,
    UnsupportedError,
    Vector,
    kept,
    key,
    results,
    without,
)

_OF_VALUES: Final[dict[str, Callable[[Sequence[float]], float]]] = {
    "sum": math.fsum,
    "avg": lambda values: math.fsum(values) / len(values),
    "min": min,
    "max": max,
    "count": lambda values: float(len(values)),
    "group": lambda _: 1.0,
    "stddev": deviation,
    "stdvar": variance,
}
_SELECTING: Final = frozenset({"topk", "bottomk", "limitk"})


def compile_aggregation(node: ast.AggregateExpr, compiler: Compiler) -> Evaluate:
    """An aggregation.

    Raises:
        UnsupportedError: the operator is not known.
    """
    operator = aggregation_operator(node)
    vector_of, labels_of = compiler.compile(node.expr), grouping(node)
    aggregate = _aggregate(operator, node, compiler)

    def evaluate(context: Context) -> Vector:
        groups: dict[frozenset[tuple[str, str]], tuple[Labels, Vector]] = {}
        for element in as_vector(vector_of(context)):
            labels = labels_of(element.labels)
            groups.setdefault(key(labels), (labels, []))[1].append(element)
        found: Vector = []
        for labels, elements in groups.values():
            found += aggregate(labels, results(elements) or elements, context)
        return found

    return evaluate


def aggregation_operator(node: ast.AggregateExpr) -> str:
    """The name of the operator."""
    return str(node.op)


def grouping(node: ast.AggregateExpr) -> Callable[[Labels], Labels]:
    """The labels of a result."""
    modifier = node.modifier
    if modifier is None:
        return lambda _: {}
    names = list(modifier.labels)
    if "By" in str(modifier.type):
        return lambda labels: kept(labels, names)
    return lambda labels: without(labels, [*names, "__name__"])


_Aggregate = Callable[[Labels, Vector, Context], Vector]


def _aggregate(operator: str, node: ast.AggregateExpr, compiler: Compiler) -> _Aggregate:
    if operator in _OF_VALUES:
        function = _OF_VALUES[operator]
        return lambda labels, elements, _: [_one(labels, elements, function([one.value for one in elements]))]
    if operator == "count_values":
        return _count_values(node)
    parameter = compiler.compile(_parameter(node))
    if operator == "quantile":
        return lambda labels, elements, context: [
            _one(labels, elements, quantile(as_number(parameter(context)), [one.value for one in elements]))
        ]
    if operator in _SELECTING:
        return lambda _, elements, context: sorted(
            elements, key=lambda one: one.value, reverse=operator == "topk"
        )[: max(int(as_number(parameter(context))), 0)]
    raise UnsupportedError(f"{operator}()")


def _parameter(node: ast.AggregateExpr) -> ast.Expr:
    parameter: ast.Expr | None = node.param
    if parameter is None:
        raise UnsupportedError(f"{node.op} without its parameter")
    return parameter


def _one(labels: Labels, elements: Vector, value: float) -> Element:
    nearest = min(one.distance for one in elements)
    slack = 0.0 if nearest else min(sum(one.slack for one in elements), STRUCTURAL)
    return Element(labels, value, nearest, slack)


def _count_values(node: ast.AggregateExpr) -> _Aggregate:
    parameter: Any = unwrapped(_parameter(node))
    if not isinstance(parameter, ast.StringLiteral):
        raise UnsupportedError("count_values() of a computed label")
    name = str(parameter.val)

    def aggregate(labels: Labels, elements: Vector, _: Context) -> Vector:
        by_value: dict[str, Vector] = {}
        for element in elements:
            by_value.setdefault(f"{element.value:.15g}", []).append(element)
        return [_one({**labels, name: text}, each, float(len(each))) for text, each in by_value.items()]

    return aggregate
