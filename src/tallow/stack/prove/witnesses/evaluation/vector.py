"""Instant vectors whose elements know how far they are from passing every filter."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

Labels = dict[str, str]
STRUCTURAL: Final = 1000.0
"""The distance of a condition that no change of values fulfils, as a label that does not match."""


class UnsupportedError(Exception):
    """An expression uses what the evaluation does not know. The text says what, in one line."""


class MatchingError(Exception):
    """Vector matching meets several series on a side, as Prometheus reports when it evaluates the rule."""


@dataclass(slots=True)
class Element:
    """An element of an instant vector.

    Attributes:
        distance: from passing every filter so far; 0 if it does. Elements with a distance are no results of
            the expression. They are kept to guide the search (branch distance, B. Korel, Automated Software
            Test Data Generation, 1990).
        slack: of an element with distance 0, the least change that a filter would drop it for.
    """

    labels: Labels
    value: float
    distance: float = 0.0
    slack: float = STRUCTURAL

    def with_value(self, value: float) -> Element:
        """The same element with another value."""
        return Element(self.labels, value, self.distance, self.slack)


Vector = list[Element]
Value = Vector | float | str


def results(vector: Iterable[Element]) -> Vector:
    """The elements that pass every filter."""
    return [element for element in vector if element.distance == 0]


def least_distance(value: Value) -> float:
    """How far an expression is from having a result; infinity if no series leads to one."""
    if isinstance(value, list):
        return min((element.distance for element in value), default=math.inf)
    return 0.0


def violation(op: str, left: float, right: float) -> float:
    """How far a comparison is from being true; 0 if it is.

    Example:
        >>> violation(">", 5, 3), violation(">", 3, 3) > 0, violation("==", 2, 3) < violation("==", 2, 9)
        (0.0, True, True)
    """
    if COMPARE[op](left, right):
        return 0.0
    gap = abs(left - right)
    # The logarithm keeps distances of different magnitudes comparable; the constant sets "equal" apart.
    return STRUCTURAL / 2 if math.isnan(gap) or math.isinf(gap) else math.log1p(gap) + 1e-9


COMPARE: Final = {
    "==": lambda left, right: left == right,
    "!=": lambda left, right: left != right,
    ">": lambda left, right: left > right,
    "<": lambda left, right: left < right,
    ">=": lambda left, right: left >= right,
    "<=": lambda left, right: left <= right,
}
OPPOSITE: Final = {"==": "!=", "!=": "==", ">": "<=", "<": ">=", ">=": "<", "<=": ">"}


def filtered(element: Element, op: str, left: float, right: float) -> Element:
    """An element after a comparison of two values."""
    missing = violation(op, left, right)
    slack = 0.0 if missing else min(element.slack, violation(OPPOSITE[op], left, right))
    return Element(element.labels, element.value, element.distance + missing, slack)


def without(labels: Mapping[str, str], names: Iterable[str]) -> Labels:
    """Labels without some names."""
    dropped = set(names)
    return {name: value for name, value in labels.items() if name not in dropped}


def kept(labels: Mapping[str, str], names: Iterable[str]) -> Labels:
    """Only the named labels."""
    return {name: labels[name] for name in names if name in labels}


def key(labels: Mapping[str, str]) -> frozenset[tuple[str, str]]:
    """Labels as a key of a mapping; an empty value is the same as no label."""
    return frozenset((name, value) for name, value in labels.items() if value)
