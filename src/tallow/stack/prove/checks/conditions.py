"""Conditions that never hold, always hold, or compare something else than they seem to."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import promql_parser as ast

from tallow.stack.lint.promql.promql_rules import never_holds
from tallow.stack.lint.promql.type_inference import InferredType, infer_type
from tallow.stack.prove.checks.model import Check, Messages, ParsedRule, RuleSet
from tallow.stack.prove.expression import (
    alternatives,
    calls,
    conditions,
    conditions_of_labels,
    is_comparison,
    number,
    operations,
    operator,
    returns_bool,
    selectors,
    unwrapped,
    walk,
)

_SWAPPED: Final = {">": "<", "<": ">", ">=": "<=", "<=": ">=", "==": "==", "!=": "!="}


def never(parsed: ParsedRule, _: RuleSet) -> Messages:
    """A comparison with a number that is outside the range of its other side."""
    for node, op, limit in compared(parsed.tree):
        value = _type_of(node)
        if _is_absence(node):
            continue  # absent/compared explains it
        if math.isnan(limit):
            yield _ALWAYS_NAN if op == "!=" else _NEVER_NAN
        elif (op, limit) == ("==", 0) and _is_info(node):
            yield "'== 0' never holds: an info metric has the value 1"
        elif never_holds(op, value, limit):
            yield f"'{op} {limit:g}' never holds: {_reason(node, value)}"


def _type_of(node: ast.Expr) -> InferredType:
    """The inferred type; without bounds if it takes the quotient of two parts for a share."""
    value = infer_type(node)
    if value.high < math.inf and any(map(_divides_parts, walk(node))):
        return replace(value, low=-math.inf, high=math.inf)
    return value


def _divides_parts(node: ast.Expr) -> bool:
    """Whether the numerator of a quotient reads series of a metric that the denominator leaves out."""
    if not isinstance(node, ast.BinaryExpr) or operator(node) != "/":
        return False
    return any(_is_left_out(part, selectors(node.rhs)) for part in selectors(node.lhs))


def _is_left_out(part: ast.VectorSelector, wholes: Sequence[ast.VectorSelector]) -> bool:
    """Whether selectors of the same metric choose other series."""
    same = [_without_bucket(one) for one in wholes if one.name == part.name]
    return bool(same) and not any(matchers <= _without_bucket(part) for matchers in same)


def _without_bucket(selector: ast.VectorSelector) -> set[tuple[str, str, str]]:
    """The matchers; each bucket of a histogram counts a part of the last one."""
    return {one for one in conditions_of_labels(selector) if one[0] != "le"}


def _reason(node: ast.Expr, value: InferredType) -> str:
    if _is_count(node):
        return "without series count() has no result, not 0"
    return f"the value is in {_span(value)}"


_NEVER_NAN: Final = "a comparison with NaN never holds: NaN equals nothing; 'x != x' finds it"
_ALWAYS_NAN: Final = "'!= NaN' always holds: NaN differs from everything; 'x == x' leaves it out"


def _is_info(node: ast.Expr) -> bool:
    node = unwrapped(node)
    return isinstance(node, ast.VectorSelector) and (node.name or "").endswith("_info")


def always(parsed: ParsedRule, _: RuleSet) -> Messages:
    """A comparison that every value satisfies."""
    for node, op, limit in compared(parsed.tree):
        is_special = _is_count(node) or _is_absence(node) or _is_filtered(node)
        value = _type_of(node)
        if not is_special and _always_holds(op, value, limit):
            yield f"'{op} {limit:g}' always holds: the value is in {_span(value)}"


def contradiction(parsed: ParsedRule, _: RuleSet) -> Messages:
    """``x > 10 and x < 5``."""
    for alternative in alternatives(parsed.tree):
        limits: dict[str, _Limits] = {}
        for condition in conditions(alternative):
            for node, op, limit in compared_here(condition):
                text = " ".join(unwrapped(node).prettify().split())
                limits[text] = limits.get(text, _Limits()).narrowed(op, limit)
        for text, found in limits.items():
            if found.is_empty:
                yield f"the conditions on {text[:50]} exclude each other"


@dataclass(frozen=True, slots=True)
class _Limits:
    """The values that satisfy several comparisons: from low to high, without these if ``open``."""

    low: float = -math.inf
    high: float = math.inf
    open: bool = False

    @property
    def is_empty(self) -> bool:
        return self.low > self.high or (self.low == self.high and self.open)

    def narrowed(self, op: str, limit: float) -> _Limits:
        """The values that satisfy a further comparison, too."""
        low = max(self.low, limit) if op in (">", ">=", "==") else self.low
        high = min(self.high, limit) if op in ("<", "<=", "==") else self.high
        return _Limits(low, high, self.open or op in ("<", ">"))


def not_filtering(parsed: ParsedRule, _: RuleSet) -> Messages:
    """An alert whose result comes from ``bool``: 0 is a result, too, and fires."""
    for alternative in alternatives(parsed.tree):
        for condition in conditions(alternative):
            if isinstance(condition, ast.BinaryExpr) and is_comparison(condition) and returns_bool(condition):
                yield f"'{operator(condition)} bool' has the result 0 instead of none: the alert always fires"


def chained(parsed: ParsedRule, _: RuleSet) -> Messages:
    """``a != b > 0``: the second comparison applies to the value of a."""
    for operation in operations(parsed.tree):
        left = operation.lhs
        if is_comparison(operation) and isinstance(left, ast.BinaryExpr) and _compares_vectors(left):
            text = f"(… {operator(left)} …) {operator(operation)} …"
            yield f"'{text}' compares the value of the first operand again; use 'and' if it is meant"


def _compares_vectors(node: ast.BinaryExpr) -> bool:
    """Whether two vectors are compared; in ``3 <= x < 20`` a number is, and the value is that of x."""
    return (
        is_comparison(node)
        and not returns_bool(node)
        and number(node.lhs) is None
        and number(node.rhs) is None
    )


def constant(parsed: ParsedRule, _: RuleSet) -> Messages:
    """An alert that reads no metric."""
    reads = any(isinstance(node, ast.VectorSelector) for node in walk(parsed.tree))
    watchdog = unwrapped(parsed.tree)
    if reads or (isinstance(watchdog, ast.Call) and watchdog.func.name == "vector"):
        return
    if not any(call.func.name in ("time", "hour", "day_of_week") for call in calls(parsed.tree)):
        yield "the expression reads no metric"


def unfiltered(parsed: ParsedRule, _: RuleSet) -> Messages:
    """An alert without any condition fires for every series, whatever its value."""
    for alternative in alternatives(parsed.tree):
        if not _filters(alternative):
            yield "without a comparison the alert fires for every series, also with the value 0"


def _filters(node: ast.Expr) -> bool:
    """Whether an expression has no result under some values of existing series."""
    for inner in walk(node):
        if isinstance(inner, ast.BinaryExpr) and operator(inner) in {*_SWAPPED, "and", "unless"}:
            return True
        if isinstance(inner, ast.Call) and inner.func.name in ("absent", "absent_over_time", "vector"):
            return True
        if isinstance(inner, ast.VectorSelector) and _selects_by_label(inner):
            return True
    return False


def _selects_by_label(selector: ast.VectorSelector) -> bool:
    """Whether a selector is a condition itself: series with these labels exist only in the bad case."""
    own = {matcher.name for matcher in selector.matchers.matchers} - {"job", "instance", "__name__"}
    return bool(own) or (selector.name or "").startswith("ALERTS")


def compared(tree: ast.Expr) -> Iterator[tuple[ast.Expr, str, float]]:
    """Every comparison with a number: operand, operator, number."""
    for operation in operations(tree):
        yield from compared_here(operation)


def compared_here(node: ast.Expr) -> Iterator[tuple[ast.Expr, str, float]]:
    """The operand, operator and number of a comparison with a number, as if the number were on the right."""
    if not isinstance(node, ast.BinaryExpr) or not is_comparison(node):
        return
    left, right, op = number(node.lhs), number(node.rhs), operator(node)
    if right is not None and left is None:
        yield node.lhs, op, right
    elif left is not None and right is None:
        yield node.rhs, _SWAPPED[op], left


def _is_filtered(node: ast.Expr) -> bool:
    """Whether a comparison inside decides, as in ``(x > 10) > 0``."""
    return any(is_comparison(each) and not returns_bool(each) for each in operations(node))


def _is_count(node: ast.Expr) -> bool:
    node = unwrapped(node)
    return isinstance(node, ast.AggregateExpr) and str(node.op) in ("count", "group")


def _is_absence(node: ast.Expr) -> bool:
    node = unwrapped(node)
    return isinstance(node, ast.Call) and node.func.name in ("absent", "absent_over_time")


def _always_holds(op: str, value: InferredType, limit: float) -> bool:
    if op == ">=":
        return value.low >= limit
    if op == ">":
        return value.low > limit
    if op == "<=":
        return value.high <= limit
    return op == "<" and value.high < limit


def _span(value: InferredType) -> str:
    return f"{value.low:g} to {value.high:g}" if math.isfinite(value.high) else f"{value.low:g} and up"


CHECKS: Final = (
    Check("condition/never", "error", never),
    Check("condition/always", "error", always),
    Check("condition/contradiction", "error", contradiction, alerts_only=True),
    Check("condition/bool", "error", not_filtering, alerts_only=True),
    Check("condition/chained", "error", chained),
    Check("condition/constant", "error", constant, alerts_only=True),
    Check("condition/none", "error", unfiltered, alerts_only=True),
)
