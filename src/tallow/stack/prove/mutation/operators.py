"""Mutation operators for PromQL texts: each changes an expression in one place.

The operators are textual, so that they also apply to expressions with placeholders for numbers and windows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

Change = Callable[[re.Match[str]], Iterator[str]]

_MATCHER: Final = re.compile(r"""(\w+)\s*(!~|=~|!=|=)\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')""")
_BY: Final = re.compile(r"\bby\s*\(([^)]*)\)")
_COMPARISON: Final = re.compile(r"(?<=\s)(==|!=|>=|<=|>|<)(?=\s)")
_SET: Final = re.compile(r"\b(and|or|unless)\b")
_AGGREGATION: Final = re.compile(r"\b(sum|min|max|count|avg)(?= by |\()")
_FUNCTION: Final = re.compile(
    r"\b(rate|increase|min_over_time|max_over_time|avg_over_time|floor|absent|changes)(?=\()"
)
_ARITHMETIC: Final = re.compile(r"(?<=\s)-(?=\s)")
_QUANTILE: Final = re.compile(r"(?<=histogram_quantile\()\s*0\.\d+")
_OFFSET: Final = re.compile(r"\boffset (?:\$\w+|-?[0-9][0-9a-z]*)")

_FLIPPED: Final = {">": "<", "<": ">", ">=": "<", "<=": ">", "==": "!=", "!=": "=="}
_CONNECTED: Final = {"and": ("or", "unless"), "or": ("and", "unless"), "unless": ("and", "or")}
_AGGREGATED: Final = {"sum": "max", "min": "max", "max": "min", "count": "sum", "avg": "max"}
_CALLED: Final = {
    "rate": "increase",
    "increase": "rate",
    "min_over_time": "max_over_time",
    "max_over_time": "min_over_time",
    "avg_over_time": "max_over_time",
    "floor": "",
    "absent": "",
    "changes": "resets",
}
_OPPOSITE: Final = {"=": "!=", "!=": "=", "=~": "!~", "!~": "=~"}


@dataclass(frozen=True, slots=True)
class ExpressionMutant:
    """A changed expression.

    Attributes:
        operator: the kind of mutation.
        what: the change, without its place.
    """

    operator: str
    what: str
    expr: str


def expression_mutants(expr: str, metric: re.Pattern[str]) -> Iterator[ExpressionMutant]:
    """Every mutant of an expression.

    Args:
        metric: matches the names of metrics in it.

    Example:
        >>> found = expression_mutants("up == 0", re.compile(r"\\\\bup\\\\b"))
        >>> [(mutant.operator, mutant.what) for mutant in found]
        [('metric renamed', 'up -> upx'), ('comparison flipped', '== -> !=')]
    """
    for operator, pattern, change in (("metric renamed", metric, _renamed), *_OPERATORS):
        for match in pattern.finditer(expr):
            for text in change(match):
                changed = expr[: match.start()] + text + expr[match.end() :]
                what = f"{' '.join(match[0].split())} -> {' '.join(text.split()) or 'nothing'}"
                yield ExpressionMutant(operator, what, without_empty_selectors(changed))


def metric_pattern(names: Iterable[str]) -> re.Pattern[str]:
    """A pattern for metrics of these names, and for none inside label values or longer names."""
    alternatives = "|".join(sorted(map(re.escape, names), key=len, reverse=True)) or r"(?!)"
    return re.compile(rf"(?<![\w:\"'.])(?:{alternatives})(?![\w:\"'(.])")


def without_empty_selectors(expr: str) -> str:
    """Remove the comma or braces that a removed matcher leaves."""
    return re.sub(r",\s*(?=[,}])|(?<=\{)\s*,|\{\s*\}", "", expr)


def numbered(descriptions: Iterable[tuple[str, str]]) -> Iterator[str]:
    """The descriptions of changes, those that occur again with a number in reading order."""
    counts: dict[tuple[str, str], int] = {}
    for operator, what in descriptions:
        counts[operator, what] = counts.get((operator, what), 0) + 1
        number = counts[operator, what]
        yield f"{what} #{number}" if number > 1 else what


def _renamed(match: re.Match[str]) -> Iterator[str]:
    yield f"{match[0]}x"


def _dropped(_: re.Match[str]) -> Iterator[str]:
    yield ""


def _other_value(match: re.Match[str]) -> Iterator[str]:
    quote, rest = match[3][0], match[3][1:]
    yield f"{match[1]}{match[2]}{quote}x{rest}"
    yield f"{match[1]}{_OPPOSITE[match[2]]}{match[3]}"


def _ungrouped(match: re.Match[str]) -> Iterator[str]:
    labels = [label.strip() for label in match[1].split(",") if label.strip()]
    for label in labels:
        yield f"by ({', '.join(other for other in labels if other != label)})"


def _flipped(match: re.Match[str]) -> Iterator[str]:
    yield _FLIPPED[match[1]]


def _connected(match: re.Match[str]) -> Iterator[str]:
    yield from _CONNECTED[match[1]]


def _replaced(table: Mapping[str, str]) -> Change:
    def change(match: re.Match[str]) -> Iterator[str]:
        yield table[match[1]]

    return change


def _added(_: re.Match[str]) -> Iterator[str]:
    yield "+"


def _quantiled(match: re.Match[str]) -> Iterator[str]:
    yield "0.5" if "0.5" not in match[0] else "0.95"


_OPERATORS: Final[tuple[tuple[str, re.Pattern[str], Change], ...]] = (
    ("label dropped from a selector", _MATCHER, _dropped),
    ("label value changed", _MATCHER, _other_value),
    ("label dropped from by()", _BY, _ungrouped),
    ("comparison flipped", _COMPARISON, _flipped),
    ("connective changed", _SET, _connected),
    ("aggregation changed", _AGGREGATION, _replaced(_AGGREGATED)),
    ("function changed", _FUNCTION, _replaced(_CALLED)),
    ("arithmetic changed", _ARITHMETIC, _added),
    ("quantile changed", _QUANTILE, _quantiled),
    ("offset dropped", _OFFSET, _dropped),
)
EXPRESSION_OPERATORS: Final = ("metric renamed", *(name for name, _, _ in _OPERATORS))
"""The kinds of mutation of an expression, in the order of reports."""
