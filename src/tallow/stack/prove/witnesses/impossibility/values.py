"""Bounds of the values of an expression, whatever the series are.

They rest on what Prometheus computes, and on conventions: ``up`` is 0 or 1, and counters are not negative.
Each bound is a number that the value can have: the one next to 5 is the lower bound of ``x > 5``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import promql_parser as ast

from tallow.stack.prove.expression import COMPARISONS, number, operator, returns_bool, unwrapped
from tallow.stack.prove.witnesses.impossibility.shares import is_share

SWAPPED: Final = {">": "<", "<": ">", ">=": "<=", "<=": ">=", "==": "==", "!=": "!="}


@dataclass(frozen=True, slots=True)
class Bounds:
    """The least and the greatest value. NaN is not counted: no comparison with it holds, except ``!=``."""

    low: float = -math.inf
    high: float = math.inf

    @property
    def is_empty(self) -> bool:
        """Whether there is no such value."""
        return self.low > self.high

    def narrowed(self, op: str, other: Bounds) -> Bounds:
        """The values for which a comparison with one of the other values can hold.

        Example:
            >>> Bounds(0, 1).narrowed(">", Bounds(1, 1)).is_empty
            True
        """
        low, high = self.low, self.high
        if op in (">", ">=", "=="):
            low = max(low, math.nextafter(other.low, math.inf) if op == ">" else other.low)
        if op in ("<", "<=", "=="):
            high = min(high, math.nextafter(other.high, -math.inf) if op == "<" else other.high)
        beyond = (op == ">" and other.low == math.inf) or (op == "<" and other.high == -math.inf)
        return NOTHING if beyond else Bounds(low, high)


ANY: Final = Bounds()
NOTHING: Final = Bounds(math.inf, -math.inf)
_POSITIVE: Final = Bounds(0.0)
_COUNTED: Final = Bounds(1.0)
_ONE: Final = Bounds(1.0, 1.0)
_SHARE: Final = Bounds(0.0, 1.0)


def bounds_of(node: ast.Expr) -> Bounds:
    """The bounds of an expression; all values if nothing is known.

    Example:
        >>> from tallow.stack.prove.expression import parse
        >>> bounds_of(parse("sum(errors == 0)"))
        Bounds(low=0.0, high=0.0)
    """
    node = unwrapped(node)
    constant = number(node)
    if constant is not None:
        return ANY if math.isnan(constant) else Bounds(constant, constant)
    bounds = _BOUNDS.get(type(node))
    return ANY if bounds is None else bounds(node)


def _negated(node: ast.UnaryExpr) -> Bounds:
    inner = bounds_of(node.expr)
    return Bounds(-inner.high, -inner.low)


_SELECTED: Final = {"up": Bounds(0.0, 1.0), "ALERTS": _ONE}


def _aggregated(node: ast.AggregateExpr) -> Bounds:
    op, inner = str(node.op), bounds_of(node.expr)
    if op in ("avg", "min", "max", "topk", "bottomk", "limitk", "limit_ratio"):
        return inner
    return _summed(inner) if op == "sum" else _OF_AGGREGATIONS.get(op, ANY)


_OF_AGGREGATIONS: Final = {
    "count": _COUNTED,
    "count_values": _COUNTED,
    "group": _ONE,
    "stddev": _POSITIVE,
    "stdvar": _POSITIVE,
}


def _summed(inner: Bounds) -> Bounds:
    """The sum of one value or more."""
    return Bounds(
        inner.low if inner.low >= 0 else -math.inf,
        inner.high if inner.high <= 0 else math.inf,
    )


def _called(node: ast.Call) -> Bounds:
    name, arguments = node.func.name, list(node.args)
    if name in _OF_FUNCTIONS:
        return _OF_FUNCTIONS[name]
    if name in _OF_FIRST and arguments:
        return _OF_FIRST[name](bounds_of(arguments[0]))
    if name.startswith("clamp"):
        return _clamped(name, bounds_of(arguments[0]), [number(each) for each in arguments[1:]])
    return ANY


_OF_FUNCTIONS: Final = {
    **dict.fromkeys(("rate", "irate", "increase", "changes", "resets", "sqrt", "exp"), _POSITIVE),
    **dict.fromkeys(("stddev_over_time", "stdvar_over_time"), _POSITIVE),
    "count_over_time": _COUNTED,
    **dict.fromkeys(("absent", "absent_over_time", "present_over_time"), _ONE),
    "sgn": Bounds(-1.0, 1.0),
    "minute": Bounds(0.0, 59.0),
    "hour": Bounds(0.0, 23.0),
    "day_of_week": Bounds(0.0, 6.0),
    "day_of_month": Bounds(1.0, 31.0),
    "day_of_year": Bounds(1.0, 366.0),
    "days_in_month": Bounds(28.0, 31.0),
    "month": Bounds(1.0, 12.0),
}


def _absolute(inner: Bounds) -> Bounds:
    ends = abs(inner.low), abs(inner.high)
    return Bounds(0.0 if inner.low <= 0 <= inner.high else min(ends), max(ends))


def _whole(rounded: Callable[[float], float]) -> Callable[[Bounds], Bounds]:
    def of(inner: Bounds) -> Bounds:
        return Bounds(*(rounded(end) if math.isfinite(end) else end for end in (inner.low, inner.high)))

    return of


def _same(inner: Bounds) -> Bounds:
    return inner


_OF_FIRST: Final[dict[str, Callable[[Bounds], Bounds]]] = {
    **dict.fromkeys(("label_replace", "label_join", "sort", "sort_desc", "vector"), _same),
    **dict.fromkeys(("sort_by_label", "sort_by_label_desc", "last_over_time", "first_over_time"), _same),
    **dict.fromkeys(("avg_over_time", "min_over_time", "max_over_time"), _same),
    "sum_over_time": _summed,
    "abs": _absolute,
    "floor": _whole(math.floor),
    "ceil": _whole(math.ceil),
}


def _clamped(name: str, inner: Bounds, limits: Sequence[float | None]) -> Bounds:
    low = limits[0] if name in ("clamp", "clamp_min") else -math.inf
    high = limits[-1] if name in ("clamp", "clamp_max") else math.inf
    if low is None or high is None:
        return ANY
    return Bounds(min(max(inner.low, low), high), max(min(inner.high, high), low))


def _compared(node: ast.BinaryExpr, op: str, left: Bounds, right: Bounds) -> Bounds:
    if returns_bool(node):
        return _SHARE
    if number(node.lhs) is not None:  # the result has the values of the vector
        return right.narrowed(SWAPPED[op], left)
    return left.narrowed(op, right)


def _operation(node: ast.BinaryExpr) -> Bounds:
    op, left, right = operator(node), bounds_of(node.lhs), bounds_of(node.rhs)
    if op in COMPARISONS:
        return _compared(node, op, left, right)
    if op in ("and", "unless"):
        return left
    if op == "or":
        return Bounds(min(left.low, right.low), max(left.high, right.high))
    if op == "/" and is_share(node.lhs, node.rhs):
        return _SHARE
    return _ARITHMETIC.get(op, _unknown)(left, right)


def _unknown(_: Bounds, __: Bounds) -> Bounds:
    return ANY


def _spanned(values: Sequence[float]) -> Bounds:
    return ANY if any(map(math.isnan, values)) else Bounds(min(values), max(values))


def _product(left: Bounds, right: Bounds) -> Bounds:
    ends = [a * b for a in (left.low, left.high) for b in (right.low, right.high)]
    if any(map(math.isnan, ends)) and left.low >= 0 and right.low >= 0:
        return _POSITIVE
    return _spanned(ends)


def _quotient(left: Bounds, right: Bounds) -> Bounds:
    if right.low == right.high and right.low:
        return _spanned([left.low / right.low, left.high / right.low])
    return _POSITIVE if left.low >= 0 and right.low >= 0 else ANY


def _remainder(left: Bounds, _: Bounds) -> Bounds:
    return _POSITIVE if left.low >= 0 else ANY


_ARITHMETIC: Final[dict[str, Callable[[Bounds, Bounds], Bounds]]] = {
    "+": lambda left, right: _spanned([left.low + right.low, left.high + right.high]),
    "-": lambda left, right: _spanned([left.low - right.high, left.high - right.low]),
    "*": _product,
    "/": _quotient,
    "%": _remainder,
}
_BOUNDS: Final[dict[type, Callable[[Any], Bounds]]] = {
    ast.VectorSelector: lambda node: _SELECTED.get(node.name or "", ANY),
    ast.MatrixSelector: lambda node: bounds_of(node.vector_selector),
    ast.SubqueryExpr: lambda node: bounds_of(node.expr),
    ast.UnaryExpr: _negated,
    ast.AggregateExpr: _aggregated,
    ast.Call: _called,
    ast.BinaryExpr: _operation,
}
