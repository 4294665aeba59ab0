"""What the parts of the evaluation share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import promql_parser as ast

from tallow.stack.prove.witnesses.evaluation.database import Database
from tallow.stack.prove.witnesses.evaluation.vector import (
    STRUCTURAL,
    Labels,
    UnsupportedError,
    Value,
    Vector,
)


@dataclass(frozen=True, slots=True)
class Context:
    """The series, and the time in seconds from the start of the test.

    Attributes:
        arms: the operand of an ``or`` that is to have the result, by the text of the operation. Without an
            entry both count.
    """

    database: Database
    time: float
    arms: Mapping[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Window:
    """An element of a range vector.

    Attributes:
        samples: times and values.
        weight: how many samples each of them stands for.
        distance: see :class:`~tallow.stack.prove.witnesses.evaluation.vector.Element`.
    """

    labels: Labels
    samples: list[tuple[float, float]]
    start: float
    end: float
    weight: float = 1.0
    distance: float = 0.0
    slack: float = STRUCTURAL


Evaluate = Callable[[Context], Value]
EvaluateRange = Callable[[Context], list[Window]]


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording rule: what it computes, and the labels it sets."""

    tree: ast.Expr
    labels: Mapping[str, str]


Recordings = Mapping[str, Sequence[Recording]]


class Compiler(Protocol):
    """Turns a parsed expression into a function of a context."""

    recordings: Recordings

    def compile(self, node: ast.Expr) -> Evaluate:
        """An instant vector, number or text."""

    def compile_range(self, node: ast.Expr) -> EvaluateRange:
        """A range vector."""


def as_vector(value: Value) -> Vector:
    """The value of an expression that must be a vector."""
    if isinstance(value, list):
        return value
    raise UnsupportedError("a number where a vector is expected")


def as_number(value: Value) -> float:
    """The value of an expression that must be a number."""
    if isinstance(value, int | float):
        return float(value)
    raise UnsupportedError("a vector where a number is expected")
