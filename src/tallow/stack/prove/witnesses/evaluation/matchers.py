"""Label matchers of a selector, and label values that satisfy them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import promql_parser as ast

from tallow.stack.prove.witnesses.evaluation.regular_expressions import examples, python_pattern

_OPERATORS: Final = {
    str(ast.MatchOp.Equal): "=",
    str(ast.MatchOp.NotEqual): "!=",
    str(ast.MatchOp.Re): "=~",
    str(ast.MatchOp.NotRe): "!~",
}


@dataclass(frozen=True, slots=True)
class LabelMatcher:
    """A matcher.

    Attributes:
        operator: ``=``, ``!=``, ``=~`` or ``!~``.
    """

    name: str
    operator: str
    value: str
    pattern: re.Pattern[str] | None = None

    def matches(self, value: str) -> bool:
        """Whether a label value satisfies it; an empty one is a missing label."""
        equal = value == self.value if self.pattern is None else self.pattern.fullmatch(value) is not None
        return equal is not self.operator.startswith("!")


def matchers_of(selector: ast.VectorSelector) -> list[LabelMatcher]:
    """The matchers of a selector; that of ``__name__`` is among them if it is written as one."""
    return [_matcher(one) for one in selector.matchers.matchers]


def _matcher(one: Any) -> LabelMatcher:
    operator = _OPERATORS[str(one.op)]
    pattern = python_pattern(one.value) if "~" in operator else None
    return LabelMatcher(one.name, operator, one.value, pattern)


def solve(matchers: Sequence[LabelMatcher], default: str) -> str | None:
    """A value that satisfies all matchers of one label; None if none was found.

    Example:
        >>> solve([LabelMatcher("code", "=~", "5..", re.compile("5.."))], "code-1")
        '500'
    """
    return next(
        (value for value in _candidates(matchers, default) if all(one.matches(value) for one in matchers)),
        None,
    )


def _candidates(matchers: Sequence[LabelMatcher], default: str) -> Iterator[str]:
    yield from (one.value for one in matchers if one.operator == "=")
    yield default
    for one in matchers:
        if one.operator == "=~":
            yield from examples(one.value)
    yield from ("", f"{default}2", "other", "1", "200", "ok")
