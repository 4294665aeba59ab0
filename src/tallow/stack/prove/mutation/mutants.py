"""Mutants of a rule of a file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from tallow.stack.prove.duration import duration_text, parse_duration
from tallow.stack.prove.expression import UnparsedError, parse, selectors
from tallow.stack.prove.mutation.operators import (
    EXPRESSION_OPERATORS,
    expression_mutants,
    metric_pattern,
    numbered,
)
from tallow.stack.prove.rule_file import LoadedRule

RULE_OPERATORS: Final = (
    *EXPRESSION_OPERATORS,
    "number changed",
    "window changed",
    "for changed",
    "severity changed",
)
"""The kinds of mutation, in the order of reports."""
_TEXT: Final = re.compile(
    r""""(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`|\[[^\]]*\]|\boffset\s+-?[0-9a-z]+"""
)
_NUMBER: Final = re.compile(r"(?<![\w.:])\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.:])")
_WINDOW: Final = re.compile(r"\[\s*([0-9][0-9a-z]*)\s*(:?)")
_FACTORS: Final = (10.0, 2.0, 0.5, 0.1)
_SEVERITIES: Final = ("critical", "warning", "info")


@dataclass(frozen=True, slots=True)
class Mutant:
    """A rule with one change.

    Attributes:
        operator: the kind of mutation.
        what: the change; those of equal changes of a rule are numbered in reading order.
    """

    operator: str
    what: str
    rule: LoadedRule

    def __str__(self) -> str:
        return f"{self.operator}: {self.what}"


def mutants_of(rule: LoadedRule) -> list[Mutant]:
    """The mutants of an alert that are still PromQL.

    Raises:
        UnparsedError: the rule itself is not.

    Example:
        >>> rule = LoadedRule("rules.yml", 1, "g", "alert", "Down", "up == 0", for_seconds=60.0)
        >>> [str(mutant) for mutant in mutants_of(rule)][:3]
        ['metric renamed: up -> upx', 'comparison flipped: == -> !=', 'number changed: 0 -> 10']
    """
    names = {selector.name for selector in selectors(parse(rule.expr)) if selector.name}
    changed = [
        (one.operator, one.what, replace(rule, expr=one.expr))
        for one in expression_mutants(rule.expr, metric_pattern(names))
    ]
    changed += [*_numbers(rule), *_windows(rule), *_durations(rule), *_severities(rule)]
    whats = numbered((operator, what) for operator, what, _ in changed)
    found = [Mutant(operator, what, each) for (operator, _, each), what in zip(changed, whats, strict=True)]
    return [mutant for mutant in found if _is_valid(mutant.rule) and mutant.rule != rule]


def _is_valid(rule: LoadedRule) -> bool:
    try:
        parse(rule.expr)
    except UnparsedError:
        return False
    return True


def _numbers(rule: LoadedRule) -> Iterator[tuple[str, str, LoadedRule]]:
    # Digits in texts, ranges and offsets are no numbers of the expression.
    masked = _TEXT.sub(lambda found: " " * len(found[0]), rule.expr)
    for match in _NUMBER.finditer(masked):
        number = float(match[0])
        changed = [number * factor for factor in _FACTORS] if number else [10.0]
        for other in changed:
            expr = f"{rule.expr[: match.start()]}{other:.12g}{rule.expr[match.end() :]}"
            yield "number changed", f"{match[0]} -> {other:.6g}", replace(rule, expr=expr)


def _windows(rule: LoadedRule) -> Iterator[tuple[str, str, LoadedRule]]:
    for match in _WINDOW.finditer(rule.expr):
        for factor in (2.0, 0.5):
            other = duration_text(parse_duration(match[1]) * factor)
            expr = f"{rule.expr[: match.start(1)]}{other}{rule.expr[match.end(1) :]}"
            yield "window changed", f"{match[1]} -> {other}", replace(rule, expr=expr)


def _durations(rule: LoadedRule) -> Iterator[tuple[str, str, LoadedRule]]:
    hold = rule.for_seconds or 0.0
    for other in (hold * 2, hold / 2) if hold else (300.0,):
        what = f"{duration_text(hold)} -> {duration_text(other)}"
        yield "for changed", what, replace(rule, for_seconds=other)
    if rule.keep_firing_seconds:
        what = f"keep_firing_for {duration_text(rule.keep_firing_seconds)} -> nothing"
        yield "for changed", what, replace(rule, keep_firing_seconds=None)


def _severities(rule: LoadedRule) -> Iterator[tuple[str, str, LoadedRule]]:
    severity = rule.labels.get("severity")
    if severity is not None:
        other = next(each for each in _SEVERITIES if each != severity)
        changed = replace(rule, labels={**rule.labels, "severity": other})
        yield "severity changed", f"{severity} -> {other}", changed
