"""Operations with two operands: arithmetic, comparisons, sets, and vector matching."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import promql_parser as ast

from tallow.stack.prove.expression import COMPARISONS, SETS, operator, returns_bool
from tallow.stack.prove.witnesses.evaluation.model import Compiler, Context, Evaluate, as_vector
from tallow.stack.prove.witnesses.evaluation.selectors import dropped_name
from tallow.stack.prove.witnesses.evaluation.vector import (
    COMPARE,
    STRUCTURAL,
    Element,
    Labels,
    MatchingError,
    UnsupportedError,
    Value,
    Vector,
    filtered,
    kept,
    key,
    results,
    without,
)

Key = frozenset[tuple[str, str]]


def divide(left: float, right: float) -> float:
    """Division as in IEEE 754."""
    if right:
        return left / right
    return math.nan if not left or math.isnan(left) else math.copysign(math.inf, left)


def _power(left: float, right: float) -> float:
    try:
        result = left**right
    except (OverflowError, ZeroDivisionError):
        return math.inf
    return math.nan if isinstance(result, complex) else float(result)


def _modulo(left: float, right: float) -> float:
    return math.fmod(left, right) if right and math.isfinite(left) else math.nan


ARITHMETIC: Final[dict[str, Callable[[float, float], float]]] = {
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
    "/": divide,
    "%": _modulo,
    "^": _power,
    "atan2": math.atan2,
}


def compile_operation(node: ast.BinaryExpr, compiler: Compiler) -> Evaluate:
    """An operation.

    Raises:
        UnsupportedError: the operator is not known.
    """
    op = operator(node)
    left_of, right_of = compiler.compile(node.lhs), compiler.compile(node.rhs)
    matching = _matching(node)
    if op == "or":
        return _compile_or(str(node), left_of, right_of, matching)
    if op in SETS:
        combine = _SETS[op]
        return lambda context: combine(as_vector(left_of(context)), as_vector(right_of(context)), matching)
    if op not in ARITHMETIC and op not in COMPARISONS:
        raise UnsupportedError(f"operator {op}")
    as_bool = returns_bool(node)

    def evaluate(context: Context) -> Value:
        left, right = left_of(context), right_of(context)
        if isinstance(left, list) and isinstance(right, list):
            return _of_vectors(op, left, right, matching, as_bool=as_bool)
        if isinstance(left, list):
            number = _number(right)
            return [_of_element(op, one, one.value, number, as_bool=as_bool) for one in left]
        if isinstance(right, list):
            number = _number(left)
            return [_of_element(op, one, number, one.value, as_bool=as_bool) for one in right]
        return _computed(op, _number(left), _number(right))

    return evaluate


def _compile_or(text: str, left_of: Evaluate, right_of: Evaluate, matching: _Matching) -> Evaluate:
    def evaluate(context: Context) -> Vector:
        arm = context.arms.get(text)
        if arm is not None:
            return as_vector((right_of if arm else left_of)(context))
        return _or(as_vector(left_of(context)), as_vector(right_of(context)), matching)

    return evaluate


def _number(value: Value) -> float:
    if isinstance(value, int | float):
        return float(value)
    raise UnsupportedError("arithmetic of texts")


def _computed(op: str, left: float, right: float) -> float:
    return ARITHMETIC[op](left, right) if op in ARITHMETIC else float(COMPARE[op](left, right))


def _of_element(op: str, one: Element, left: float, right: float, *, as_bool: bool) -> Element:
    """An operation of an element and a number, on either side."""
    if op in COMPARE and not as_bool:
        return filtered(one, op, left, right)
    return Element(dropped_name(one.labels), _computed(op, left, right), one.distance, one.slack)


@dataclass(frozen=True, slots=True)
class _Matching:
    """How the elements of two vectors are matched."""

    key_labels: Callable[[Labels], Labels]
    on: Sequence[str] | None
    ignoring: Sequence[str]
    many: str
    include: Sequence[str]

    def key(self, labels: Labels) -> Key:
        return key(self.key_labels(labels))

    def result_labels(self, many: Labels, one: Labels) -> Labels:
        """The labels of a result of arithmetic."""
        if self.many:
            return {**dropped_name(many), **kept(one, self.include)}
        if self.on is not None:
            return kept(many, self.on)
        return without(many, [*self.ignoring, "__name__"])


def _matching(node: ast.BinaryExpr) -> _Matching:
    modifier = node.modifier
    card = str(modifier.card).rpartition(".")[2] if modifier is not None else ""
    many = {"ManyToOne": "left", "OneToMany": "right"}.get(card, "")
    include = list(modifier.group_labels or ()) if modifier is not None and many else []
    matching = modifier.matching if modifier is not None else None
    names = list(matching.labels) if matching is not None else []
    if matching is not None and "Include" in str(matching.type):
        return _Matching(lambda labels: kept(labels, names), names, (), many, include)
    return _Matching(lambda labels: without(labels, [*names, "__name__"]), None, names, many, include)


def _by_key(vector: Vector, matching: _Matching) -> dict[Key, Vector]:
    found: dict[Key, Vector] = {}
    for element in vector:
        found.setdefault(matching.key(element.labels), []).append(element)
    return found


def _the_one(elements: Vector) -> Element:
    """The result with a key on the side that has one, or the element nearest to be one.

    Raises:
        MatchingError: there are several results.
    """
    found = results(elements)
    if len(found) > 1:
        raise MatchingError("several series match on one side")
    return found[0] if found else min(elements, key=lambda element: element.distance)


def _of_vectors(op: str, left: Vector, right: Vector, matching: _Matching, *, as_bool: bool) -> Vector:
    many, ones = (right, left) if matching.many == "right" else (left, right)
    one_by_key = {found: _the_one(each) for found, each in _by_key(ones, matching).items()}
    if not matching.many:
        for each in _by_key(many, matching).values():
            _the_one(each)
    found = []
    for element in many:
        partner = one_by_key.get(matching.key(element.labels))
        if partner is not None:
            found.append(_pair(op, element, partner, matching, as_bool=as_bool))
    return found


def _pair(op: str, many: Element, one: Element, matching: _Matching, *, as_bool: bool) -> Element:
    left, right = (one.value, many.value) if matching.many == "right" else (many.value, one.value)
    distance, slack = many.distance + one.distance, 0.0
    if not distance:
        slack = min(many.slack, one.slack)
    if op in COMPARE and not as_bool:
        labels = (
            many.labels if not matching.include else {**many.labels, **kept(one.labels, matching.include)}
        )
        if matching.on is not None and not matching.many:
            labels = kept(many.labels, matching.on)
        return filtered(Element(labels, left, distance, slack), op, left, right)
    return Element(
        matching.result_labels(many.labels, one.labels), _computed(op, left, right), distance, slack
    )


def _and(left: Vector, right: Vector, matching: _Matching) -> Vector:
    partners = _by_key(right, matching)
    found = []
    for element in left:
        matched = partners.get(matching.key(element.labels), ())
        missing = min((one.distance for one in matched), default=STRUCTURAL)
        stays = sum(one.slack for one in matched if not one.distance)
        distance = element.distance + missing
        slack = 0.0 if distance else min(element.slack, stays)
        found.append(Element(element.labels, element.value, distance, slack))
    return found


def _or(left: Vector, right: Vector, matching: _Matching) -> Vector:
    known = {matching.key(element.labels) for element in results(left)}
    return [*left, *(element for element in right if matching.key(element.labels) not in known)]


def _unless(left: Vector, right: Vector, matching: _Matching) -> Vector:
    partners = _by_key(right, matching)
    found = []
    for element in left:
        matched = partners.get(matching.key(element.labels), ())
        stops = sum(max(one.slack, 1e-9) for one in matched if not one.distance)
        distance = element.distance + stops
        slack = min([element.slack, *(one.distance for one in matched)]) if not distance else 0.0
        found.append(Element(element.labels, element.value, distance, slack))
    return found


_SETS: Final = {"and": _and, "unless": _unless}
