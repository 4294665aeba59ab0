"""Operations whose operands are equal, and conditions that others imply."""

from __future__ import annotations

import itertools
import math
import operator as operators
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import promql_parser as ast

from tallow.stack.lint.promql.type_inference import infer_type
from tallow.stack.prove.checks.conditions import compared, compared_here
from tallow.stack.prove.checks.model import Check, Messages, ParsedRule, RuleSet
from tallow.stack.prove.expression import (
    alternatives,
    conditions,
    number,
    operations,
    operator,
    unwrapped,
    walk,
)

_IDEMPOTENT: Final = frozenset({"and", "or", "==", "!="})
"""``x and x`` changes nothing; ``x != x`` and ``x == x`` are the usual tests for NaN."""
_ESTIMATES: Final = frozenset(
    {"rate", "irate", "increase", "delta", "deriv", "predict_linear", "histogram_quantile"}
    | {"double_exponential_smoothing", "stddev_over_time", "stdvar_over_time"}
)
"""Functions whose results are extrapolated or interpolated: they are whole numbers only by chance."""


def same_operands(parsed: ParsedRule, _: RuleSet) -> Messages:
    """``x > x``, ``x - x``, ``x / x``, ``x unless x``: the result does not depend on x."""
    for operation in operations(parsed.tree):
        op = operator(operation)
        if (
            op not in _IDEMPOTENT
            and number(operation) is None
            and _text(operation.lhs) == _text(operation.rhs)
        ):
            yield f"both operands of '{op}' are {_text(operation.lhs)[:50]}"


def equal_estimate(parsed: ParsedRule, _: RuleSet) -> Messages:
    """``increase(x[1h]) == 3``: the result is extrapolated and rarely a whole number."""
    for node, op, limit in compared(parsed.tree):
        inner = unwrapped(node)
        while isinstance(inner, ast.AggregateExpr) and str(inner.op) != "count":
            inner = unwrapped(inner.expr)
        is_number = op in ("==", "!=") and limit != 0 and math.isfinite(limit)
        if is_number and isinstance(inner, ast.Call) and inner.func.name in _ESTIMATES:
            yield f"{inner.func.name}() is an estimate and rarely equals {limit:g}; compare with > or <"


def redundant(parsed: ParsedRule, _: RuleSet) -> Messages:
    """``x > 5 and x > 3``, ``x > 5 or x > 10``: one of the conditions decides nothing."""
    for alternative in alternatives(parsed.tree):
        for (text, op, limit), other in itertools.permutations(_limits(conditions(alternative)), 2):
            if _implies(other, (text, op, limit)):
                yield f"'{op} {limit:g}' follows from another condition on {text[:50]}"
    for (text, op, limit), other in itertools.permutations(_limits(alternatives(parsed.tree)), 2):
        if _implies((text, op, limit), other):
            yield f"'{op} {limit:g}' adds nothing to the other alternative on {text[:50]}"


_Limit = tuple[str, str, float]


def _limits(nodes: Iterator[ast.Expr]) -> Iterator[_Limit]:
    for node in nodes:
        for operand, op, limit in compared_here(node):
            yield _text(operand), op, limit


def _implies(one: _Limit, other: _Limit) -> bool:
    """Whether a condition cannot hold without the other, on the same operand."""
    if one[0] != other[0] or one[1][0] != other[1][0] or one[1][0] not in "<>":
        return False
    if one[2] == other[2]:
        return len(one[1]) < len(other[1])
    return one[2] > other[2] if one[1][0] == ">" else one[2] < other[2]


def exhaustive(parsed: ParsedRule, _: RuleSet) -> Messages:
    """``x != 1 or x != 2``, ``x > 5 or vector(0)``: one of the alternatives always has a result."""
    nodes = list(alternatives(parsed.tree))
    for node in nodes if len(nodes) > 1 else ():
        if isinstance(node, ast.Call) and node.func.name == "vector":
            yield "'or vector(…)' always has a result, also where the condition does not hold"
    yield from _satisfied_defaults(parsed.tree)
    found: dict[str, _Covered] = {}
    for text, op, limit in _limits(iter(nodes)):
        found[text] = found.get(text, _Covered()).with_condition(op, limit)
    for text, covered in found.items():
        if covered.is_everything:
            yield f"one of the conditions on {text[:50]} holds for every value"


def _satisfied_defaults(tree: ast.Expr) -> Messages:
    for node, op, limit in compared(tree):
        default = _unlabelled_default(node)
        if default is not None and _holds(default, op, limit):
            yield f"the default {default:g} has no labels, is always there, and satisfies '{op} {limit:g}'"


def _unlabelled_default(node: ast.Expr) -> float | None:
    """The number of ``… or vector(number)`` where the other operand has labels."""
    node = unwrapped(node)
    if not isinstance(node, ast.BinaryExpr) or operator(node) != "or" or not infer_type(node.lhs).labels:
        return None
    default = unwrapped(node.rhs)
    is_vector = isinstance(default, ast.Call) and default.func.name == "vector"
    return number(default.args[0]) if is_vector and isinstance(default, ast.Call) else None


def _holds(value: float, op: str, limit: float) -> bool:
    return bool(_COMPARISONS[op](value, limit))


_COMPARISONS: Final = {
    ">": operators.gt,
    ">=": operators.ge,
    "<": operators.lt,
    "<=": operators.le,
    "==": operators.eq,
    "!=": operators.ne,
}


@dataclass(frozen=True, slots=True)
class _Covered:
    """The values for which one of several conditions holds.

    Attributes:
        below, above: the end of the values from minus infinity on, and the start of those up to infinity.
        closed: whether one of both includes its end.
        excluded: the numbers of ``!=``.
    """

    below: float = -math.inf
    above: float = math.inf
    closed: bool = False
    excluded: frozenset[float] = frozenset()

    def with_condition(self, op: str, limit: float) -> _Covered:
        """With the values of a further condition."""
        if op == "!=":
            return _Covered(self.below, self.above, self.closed, self.excluded | {limit})
        below = max(self.below, limit) if op in ("<", "<=") else self.below
        above = min(self.above, limit) if op in (">", ">=") else self.above
        return _Covered(below, above, self.closed or op in ("<=", ">="), self.excluded)

    @property
    def is_everything(self) -> bool:
        if len(self.excluded) > 1:
            return True
        return self.below > self.above or (self.below == self.above and self.closed)


def sorted_alert(parsed: ParsedRule, _: RuleSet) -> Messages:
    """``sort(x) > 5``: alerts have no order."""
    for node in walk(parsed.tree):
        if isinstance(node, ast.Call) and node.func.name.startswith("sort"):
            yield f"{node.func.name}() has no effect in a rule"


def nothing_divided(parsed: ParsedRule, _: RuleSet) -> Messages:
    """A quotient by the number 0."""
    for operation in operations(parsed.tree):
        if operator(operation) in ("/", "%") and number(operation.rhs) == 0:
            yield f"'{operator(operation)} 0' has the result NaN or an infinite one"


def _text(node: ast.Expr) -> str:
    return " ".join(unwrapped(node).prettify().split())


CHECKS: Final = (
    Check("condition/self", "error", same_operands),
    Check("condition/equal", "warning", equal_estimate),
    Check("condition/redundant", "note", redundant, alerts_only=True),
    Check("condition/exhaustive", "error", exhaustive, alerts_only=True),
    Check("condition/sorted", "note", sorted_alert),
    Check("ratio/zero", "error", nothing_divided),
)
