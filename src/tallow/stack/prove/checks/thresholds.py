"""Thresholds that the unit of a metric, or its last bucket, does not reach."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import promql_parser as ast

from tallow.stack.prove.checks.conditions import compared
from tallow.stack.prove.checks.model import Check, Messages, ParsedRule, RuleSet
from tallow.stack.prove.expression import number, operations, operator, selectors, unwrapped

_PERCENT_LIMIT: Final = 100.0
_RATIO_LIMIT: Final = 5.0
"""Ratios above 1 exist (limits, overcommitment); above this a percentage is meant."""


def beyond_last_bucket(parsed: ParsedRule, rules: RuleSet) -> Messages:
    """A quantile compared with more than the last finite bucket edge."""
    for node, op, limit in compared(parsed.tree):
        factor, inner = scaled(node)
        if (
            not isinstance(inner, ast.Call)
            or inner.func.name != "histogram_quantile"
            or op not in (">", ">=")
        ):
            continue
        for selector in selectors(inner):
            family = rules.family(selector.name)
            edge = family.last_edge if family is not None else None
            if edge is not None and limit >= edge * factor:
                yield f"'{op} {limit:g}' never holds: the last bucket of {selector.name} ends at {edge:g}"


def wrong_unit(parsed: ParsedRule, rules: RuleSet) -> Messages:
    """A number that does not fit the unit in the name of the metric."""
    for node, op, limit in compared(parsed.tree):
        for name in _plain(node):
            if not rules.is_counter(name):
                yield from (f"{name} {text}" for text in _unfitting(name, op, limit))


_HALF: Final = 0.5
_MILLISECONDS: Final = 1e12
"""A time in seconds since 1970 has ten digits, one in milliseconds thirteen."""
_OLD: Final = 1e8
"""A time in seconds since 1970 that is before 1973."""
_POINTS_IN_TIME: Final = ("_timestamp", "_timestamp_seconds", "process_start_time_seconds")


def _unfitting(name: str, op: str, limit: float) -> Messages:
    """What is wrong with a comparison of a metric with a number, from the suffix of its name."""
    for suffixes, is_wrong, text in _UNITS:
        if name.endswith(suffixes) and is_wrong(op, limit):
            yield text.format(name=name, comparison=f"'{op} {limit:g}'")


_UNITS: Final[tuple[tuple[tuple[str, ...], Callable[[str, float], bool], str], ...]] = (
    (
        ("_ratio",),
        lambda _op, limit: limit > _RATIO_LIMIT,
        "is a ratio from 0 to 1; {comparison} looks like percent",
    ),
    (
        ("_percent", "_percentage"),
        lambda _op, limit: limit > _PERCENT_LIMIT,
        "is a percentage; {comparison} is above 100",
    ),
    (
        ("_percent", "_percentage"),
        lambda op, limit: op in (">", ">=") and _HALF <= limit < 1,
        "is a percentage; {comparison} looks like a ratio",
    ),
    (
        _POINTS_IN_TIME,
        lambda _op, limit: 0 < limit < _OLD,
        "is a point in time; {comparison} looks like an age: use time() - {name}",
    ),
    (
        ("_seconds",),
        lambda _op, limit: limit >= _MILLISECONDS,
        "is in seconds; {comparison} looks like milliseconds",
    ),
    # Some exporters have -1 for "no limit".
    (("_bytes",), lambda op, limit: op == "<" and limit <= -1, "is -1 at least; {comparison} never holds"),
)
"""Suffixes, when a number does not fit them, and the message."""


def wrong_share(parsed: ParsedRule, _: RuleSet) -> Messages:
    """A quotient of two sizes compared with percent, or a percentage with a ratio."""
    for node, op, limit in compared(parsed.tree):
        factor = _factor_of_share(node)
        if factor == 1 and limit > _RATIO_LIMIT:
            yield f"the quotient is from 0 to 1; '{op} {limit:g}' looks like percent"
        elif factor == _PERCENT_LIMIT and op in (">", ">=") and 0 < limit < 1:
            yield f"the quotient is in percent; '{op} {limit:g}' looks like a ratio"
    for operation in operations(parsed.tree):
        whole, factor = number(operation.lhs), _factor_of_share(operation.rhs)
        if operator(operation) == "-" and _MIXED.get(whole) == factor is not None:
            yield f"{whole:g} minus a quotient times {factor:g}: the units differ"


def _factor_of_share(node: ast.Expr) -> float | None:
    """The number by which the quotient of a part and a whole is multiplied; None for anything else."""
    found = quotient(node)
    return found.factor if found is not None and _is_part_of_whole(found) else None


_MIXED: Final[Mapping[float | None, float]] = {_PERCENT_LIMIT: 1, 1: _PERCENT_LIMIT}


def _is_part_of_whole(found: Quotient) -> bool:
    """Whether both operands are sizes in the same unit, and the second is the whole."""
    names = [list(_plain(side)) for side in (found.part, found.whole)]
    if not all(len(each) == 1 for each in names):
        return False
    part, whole = (each[0].rpartition("_") for each in names)
    return part[2] == whole[2] == "bytes" and bool(_PART.search(part[0]) and _WHOLE.search(whole[0]))


_PART: Final = re.compile(r"(^|_)(avail|available|free|used|usage)$|_Mem(Available|Free)$", re.IGNORECASE)
_WHOLE: Final = re.compile(r"(^|_)(size|total|capacity|limit|max)$|_MemTotal$", re.IGNORECASE)


def age_in_milliseconds(parsed: ParsedRule, _: RuleSet) -> Messages:
    """``time() - x_milliseconds``: ``time()`` is in seconds."""
    for operation in operations(parsed.tree):
        left, right = unwrapped(operation.lhs), unwrapped(operation.rhs)
        if not isinstance(left, ast.Call) or left.func.name != "time" or number(operation.rhs) is not None:
            continue
        if isinstance(right, ast.VectorSelector) and (right.name or "").endswith(_IN_MILLISECONDS):
            yield f"time() is in seconds, and {right.name} in milliseconds"


_IN_MILLISECONDS: Final = ("_milliseconds", "_ms", "_millis", "_msec")


def _plain(node: ast.Expr) -> Iterator[str]:
    """The metric whose value an expression has."""
    node = unwrapped(node)
    if isinstance(node, ast.VectorSelector) and node.name:
        yield node.name
    elif isinstance(node, ast.AggregateExpr) and str(node.op) in ("avg", "min", "max"):
        yield from _plain(node.expr)
    elif isinstance(node, ast.Call) and node.func.name in ("avg_over_time", "max_over_time", "min_over_time"):
        argument = unwrapped(node.args[0])
        if isinstance(argument, ast.MatrixSelector):
            yield from _plain(argument.vector_selector)


@dataclass(frozen=True, slots=True)
class Quotient:
    """A quotient of two expressions, times a number."""

    factor: float
    part: ast.Expr
    whole: ast.Expr


def quotient(node: ast.Expr) -> Quotient | None:
    """An expression as a number times a quotient of two others; None if it is none.

    Example:
        >>> from tallow.stack.prove.expression import parse
        >>> quotient(parse("100 * a / b")).factor, quotient(parse("a / b * 100")).factor
        (100.0, 100.0)
    """
    factor, inner = scaled(node)
    if not isinstance(inner, ast.BinaryExpr) or operator(inner) != "/" or number(inner.rhs) is not None:
        return None
    part_factor, part = scaled(inner.lhs)
    return Quotient(factor * part_factor, part, inner.rhs)


def scaled(node: ast.Expr) -> tuple[float, ast.Expr]:
    """An expression as a number times another expression."""
    node = unwrapped(node)
    if isinstance(node, ast.BinaryExpr) and str(node.op) == "*":
        for side, other in ((node.lhs, node.rhs), (node.rhs, node.lhs)):
            factor = number(side)
            if factor is not None and factor > 0:
                inner_factor, inner = scaled(other)
                return factor * inner_factor, inner
    return 1.0, node


CHECKS: Final = (
    Check("threshold/bucket", "error", beyond_last_bucket, needs_metrics=True),
    Check("threshold/unit", "error", wrong_unit),
    Check("threshold/share", "error", wrong_share),
    Check("threshold/time", "error", age_in_milliseconds),
)
