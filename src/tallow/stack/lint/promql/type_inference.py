"""Infer the type of a PromQL expression from the catalogue: labels, unit and range of values.

``labels`` is None if they are unknown (third-party metrics, ``label_replace``); then no rule about labels
applies.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import promql_parser as ast

from tallow.stack.lint.promql import units
from tallow.stack.lint.promql.units import Unit
from tallow.stack.lint.promql.vocabulary import EXPOSED

Labels = frozenset[str] | None
NONE: frozenset[str] = frozenset()

SCALARS = {"scalar", "time", "pi"}
COMPARISONS = {"==", "!=", ">", "<", ">=", "<="}
SETS = {"and", "or", "unless"}


@dataclass(frozen=True, slots=True)
class InferredType:
    """The type of an expression.

    Attributes:
        low, high: bounds of the values.
        capped_at_bucket: whether ``high`` is the last finite bucket edge of a histogram.
        nonzero: whether no value is 0.
        metrics: the names of the metrics in the expression.
        has_offset: whether a selector has ``offset`` or ``@``.
    """

    labels: Labels
    unit: Unit = units.COUNT
    low: float = -math.inf
    high: float = math.inf
    capped_at_bucket: bool = False
    nonzero: bool = False
    scalar: bool = False
    metrics: frozenset[str] = NONE
    has_offset: bool = False


def infer_type(expr: ast.Expr) -> InferredType:
    """The type of a parsed expression."""
    infer = _INFER.get(type(expr))
    return infer(expr) if infer else InferredType(None)


def _negated(inner: InferredType) -> InferredType:
    return replace(inner, low=-inner.high, high=-inner.low, capped_at_bucket=False)


def _selector(selector: ast.VectorSelector) -> InferredType:
    name = selector.name or ""
    exposed = EXPOSED.get(name)
    has_offset = selector.offset is not None or selector.at is not None
    metrics = frozenset({name})
    if exposed is None:
        bounds = {"up": (0.0, 1.0), "ALERTS": (1.0, 1.0)}.get(name, (-math.inf, math.inf))
        return InferredType(None, low=bounds[0], high=bounds[1], metrics=metrics, has_offset=has_offset)
    unit = units.COUNT if exposed.part in ("bucket", "count") else units.unit_of_metric(exposed.metric)
    return InferredType(exposed.labels, unit=unit, low=0, metrics=metrics, has_offset=has_offset)


def labels_kept(modifier: ast.AggModifier | None, inner: Labels) -> Labels:
    """The labels that an aggregation keeps."""
    if modifier is None:
        return NONE
    if modifier.type == ast.AggModifierType.By:
        return frozenset(modifier.labels)
    return None if inner is None else inner - set(modifier.labels)


def _aggregate(expr: ast.AggregateExpr) -> InferredType:
    inner, op = infer_type(expr.expr), str(expr.op)
    if op in ("topk", "bottomk"):
        return inner
    labels = labels_kept(expr.modifier, inner.labels)
    if op in ("count", "group"):
        high = 1.0 if op == "group" else math.inf
        return InferredType(labels, low=1, high=high, nonzero=True, metrics=inner.metrics)
    if op in ("stddev", "stdvar"):
        return replace(inner, labels=labels, low=0.0, high=math.inf, capped_at_bucket=False, nonzero=False)
    if op == "sum":
        low, high = (0.0 if inner.low >= 0 else -math.inf), (0.0 if inner.high <= 0 else math.inf)
        nonzero = inner.nonzero and inner.low >= 0
        return replace(inner, labels=labels, low=low, high=high, capped_at_bucket=False, nonzero=nonzero)
    return replace(inner, labels=labels)


def _call(expr: ast.Call) -> InferredType:
    name, args = expr.func.name, [infer_type(argument) for argument in expr.args]
    if name == "histogram_quantile":
        return _quantile(args[1])
    if name in SCALARS:
        return InferredType(NONE, scalar=True)
    if name.startswith("clamp"):
        return _clamped(name, args[0], args[1:])
    if name == "vector":
        return replace(args[0], scalar=False)
    inner = next((argument for argument in args if not argument.scalar), InferredType(NONE))
    return _RESULT_TYPES[name](inner) if name in _RESULT_TYPES else inner


def _between(low: float, high: float) -> Callable[[InferredType], InferredType]:
    """A function with results in a range."""
    return lambda of: replace(of, unit=units.COUNT, low=low, high=high, nonzero=low > 0)


_RESULT_TYPES: Mapping[str, Callable[[InferredType], InferredType]] = {
    **dict.fromkeys(
        ("rate", "irate"), lambda of: replace(of, unit=of.unit.per_second(), low=0.0, high=math.inf)
    ),
    "deriv": lambda of: replace(of, unit=of.unit.per_second(), low=-math.inf, high=math.inf),
    **dict.fromkeys(("increase", "sum_over_time"), lambda of: replace(of, high=math.inf)),
    **dict.fromkeys(
        ("delta", "idelta", "predict_linear", "ln", "log2", "log10"),
        lambda of: replace(of, low=-math.inf, high=math.inf, nonzero=False),
    ),
    **dict.fromkeys(
        ("changes", "resets", "count_over_time", "present_over_time"),
        lambda of: replace(of, unit=units.COUNT, low=0.0, high=math.inf),
    ),
    **dict.fromkeys(
        ("absent", "absent_over_time"),
        lambda of: InferredType(None, low=1, high=1, nonzero=True, metrics=of.metrics),
    ),
    **dict.fromkeys(("label_replace", "label_join"), lambda of: replace(of, labels=None)),
    "timestamp": lambda of: replace(of, unit=Unit(seconds=1), low=0.0, high=math.inf),
    "abs": lambda of: replace(of, low=max(of.low, 0.0), high=max(abs(of.low), abs(of.high))),
    **{
        name: _between(*bounds)
        for name, bounds in {
            "sqrt": (0.0, math.inf),
            "stddev_over_time": (0.0, math.inf),
            "stdvar_over_time": (0.0, math.inf),
            "sgn": (-1.0, 1.0),
            "minute": (0.0, 59.0),
            "hour": (0.0, 23.0),
            "day_of_week": (0.0, 6.0),
            "day_of_month": (1.0, 31.0),
            "day_of_year": (1.0, 366.0),
            "days_in_month": (28.0, 31.0),
            "month": (1.0, 12.0),
        }.items()
    },
}
"""The result types of functions; all others keep unit, labels and bounds."""


def _quantile(buckets: InferredType) -> InferredType:
    """Prometheus caps a quantile at the last finite bucket edge."""
    labels = None if buckets.labels is None else buckets.labels - {"le"}
    metrics = [EXPOSED[name].metric for name in buckets.metrics if name in EXPOSED]
    if not metrics or not metrics[0].buckets:
        return replace(buckets, labels=labels)
    high = float(metrics[0].buckets[-1])
    unit = units.unit_of_metric(metrics[0])
    return InferredType(labels, unit, 0, high, capped_at_bucket=True, metrics=buckets.metrics)


def _clamped(name: str, inner: InferredType, limits: list[InferredType]) -> InferredType:
    low = limits[0].low if name in ("clamp", "clamp_min") else -math.inf
    high = limits[-1].high if name in ("clamp", "clamp_max") else math.inf
    nonzero = inner.nonzero or low > 0
    low, high = max(inner.low, low), min(inner.high, high)
    return replace(inner, low=low, high=high, capped_at_bucket=False, nonzero=nonzero)


def _binary(expr: ast.BinaryExpr) -> InferredType:
    left, right, op = infer_type(expr.lhs), infer_type(expr.rhs), str(expr.op)
    if op.startswith(tuple(COMPARISONS)):
        return _compared(expr, left, right, op.split(maxsplit=1)[0])
    if op == "or":
        low, high = min(left.low, right.low), max(left.high, right.high)
        labels = None if left.labels is None or right.labels is None else left.labels | right.labels
        nonzero = left.nonzero and right.nonzero
        return replace(left, labels=labels, low=low, high=high, nonzero=nonzero)
    if op in SETS:
        return left
    return _computed(expr, left, right, op)


def _compared(expr: ast.BinaryExpr, left: InferredType, right: InferredType, op: str) -> InferredType:
    labels = labels_of_operation(expr, left, right)
    if expr.modifier is not None and expr.modifier.return_bool:
        return InferredType(labels, low=0, high=1, metrics=left.metrics)
    if left.scalar and not right.scalar:  # the result has the values of the vector
        left, right, op = right, left, _SWAPPED.get(op, op)
    low = max(left.low, right.low) if op in (">", ">=", "==") else left.low
    high = min(left.high, right.high) if op in ("<", "<=", "==") else left.high
    nonzero = left.nonzero or _excludes_zero(op, right)
    return replace(left, labels=labels, low=low, high=high, nonzero=nonzero)


_SWAPPED: Mapping[str, str] = {">": "<", "<": ">", ">=": "<=", "<=": ">="}


def _excludes_zero(op: str, right: InferredType) -> bool:
    """Whether a value for which the comparison holds cannot be 0."""
    if op == ">":
        return right.low >= 0
    if op == ">=":
        return right.low > 0
    return op == "!=" and right.low == right.high == 0


def labels_of_operation(expr: ast.BinaryExpr, left: InferredType, right: InferredType) -> Labels:
    """The labels of an operation between two operands."""
    if left.scalar:
        return right.labels
    if right.scalar:
        return left.labels
    if left.labels is None or right.labels is None:
        return None
    return _vector_labels(expr.modifier, left.labels, right.labels)


def _vector_labels(
    modifier: ast.BinModifier | None, left: frozenset[str], right: frozenset[str]
) -> frozenset[str]:
    """The labels of an operation between two vectors."""
    if modifier is None or modifier.matching is None:
        return left
    if modifier.card == ast.VectorMatchCardinality.OneToOne:
        return _matched_labels(modifier.matching, left)
    many = left if modifier.card == ast.VectorMatchCardinality.ManyToOne else right
    return many | frozenset(modifier.group_labels or ())


def _matched_labels(matching: ast.LabelModifier, labels: frozenset[str]) -> frozenset[str]:
    """The labels that ``on`` or ``ignoring`` keeps."""
    listed = frozenset(matching.labels)
    return listed if matching.type == ast.LabelModifierType.Include else labels - listed


def _computed(expr: ast.BinaryExpr, left: InferredType, right: InferredType, op: str) -> InferredType:
    low, high = _interval(op, left, right)
    nonzero = op == "+" and left.low >= 0 and right.low >= 0 and (left.nonzero or right.nonzero)
    if op == "/" and part_of_whole(left, right) and _same_unit_and_range(expr.lhs, expr.rhs):
        low, high = 0.0, 1.0
    return InferredType(
        labels_of_operation(expr, left, right),
        _unit(op, left, right),
        low,
        high,
        nonzero=nonzero,
        scalar=left.scalar and right.scalar,
        metrics=left.metrics | right.metrics,
        has_offset=left.has_offset or right.has_offset,
    )


def part_of_whole(left: InferredType, right: InferredType) -> bool:
    """Whether a quotient is a share: the denominator counts the events of the numerator as well."""
    part, whole = _families(left), _families(right)
    return left.low >= 0 and not (left.has_offset or right.has_offset) and bool(part) and part <= whole


def _same_unit_and_range(part: ast.Expr, whole: ast.Expr) -> bool:
    """Whether the numerator is not scaled, as in ``100 * a / b``, and both read ranges of equal length."""
    operators: set[str] = set()
    ranges: tuple[set[object], set[object]] = set(), set()

    def visit(node: ast.Expr, found: set[object]) -> bool:
        if isinstance(node, ast.MatrixSelector | ast.SubqueryExpr):
            found.add(node.range)
        if isinstance(node, ast.BinaryExpr) and found is ranges[0]:
            operators.add(str(node.op).split()[0])
        return True

    ast.walk(part, lambda node: visit(node, ranges[0]))
    ast.walk(whole, lambda node: visit(node, ranges[1]))
    return not operators & {"*", "/", "+"} and ranges[0] == ranges[1]


def _families(value: InferredType) -> set[str]:
    """The metrics of an expression; a histogram's buckets belong to its count."""
    return {name.removesuffix("_bucket").removesuffix("_count") for name in value.metrics}


def _unit(op: str, left: InferredType, right: InferredType) -> Unit:
    if op == "*":
        if right.scalar:
            return left.unit.scaled_by(right.low)
        return right.unit.scaled_by(left.low) if left.scalar else left.unit.multiplied_by(right.unit)
    if op == "/" and not right.scalar:
        return left.unit.divided_by(right.unit)
    return right.unit if left.scalar else left.unit


def _interval(op: str, left: InferredType, right: InferredType) -> tuple[float, float]:
    if op == "+":
        return left.low + right.low, left.high + right.high
    if op == "-":
        return left.low - right.high, left.high - right.low
    if op == "*" and left.scalar:
        return _multiple(right, left.low)
    if op == "*" and right.scalar:
        return _multiple(left, right.low)
    if op == "/" and right.scalar and right.low == right.high != 0:
        return _multiple(left, 1 / right.low)
    return _product_interval(op, left, right)


def _multiple(value: InferredType, factor: float) -> tuple[float, float]:
    ends = (_product(value.low, factor), _product(value.high, factor))
    return min(ends), max(ends)


def _product_interval(op: str, left: InferredType, right: InferredType) -> tuple[float, float]:
    if op in ("*", "/", "%", "^") and left.low >= 0 and right.low >= 0:
        return 0.0, math.inf
    return -math.inf, math.inf


def _product(a: float, b: float) -> float:
    return 0.0 if 0 in (a, b) else a * b


_INFER: Mapping[type, Callable[[Any], InferredType]] = {
    ast.NumberLiteral: lambda number: InferredType(
        NONE, low=number.val, high=number.val, nonzero=number.val != 0, scalar=True
    ),
    ast.ParenExpr: lambda paren: infer_type(paren.expr),
    ast.UnaryExpr: lambda unary: _negated(infer_type(unary.expr)),
    ast.VectorSelector: _selector,
    ast.MatrixSelector: lambda matrix: _selector(matrix.vector_selector),
    ast.SubqueryExpr: lambda subquery: infer_type(subquery.expr),
    ast.AggregateExpr: _aggregate,
    ast.Call: _call,
    ast.BinaryExpr: _binary,
}
