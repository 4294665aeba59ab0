"""Mutants of an alert rule: each differs from the shipped rule in one place.

The mutation operators are textual. They apply to the expression before thresholds and windows are inserted,
so that one occurrence is one place in the source.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, get_args

from tallow.stack.alerts import Rule
from tallow.stack.alerts.rule import Category, Severity

_METRIC = re.compile(r"\b(?:tallow|alertmanager|prometheus|node|scrape)_\w+(?=[{\[\s)])|\bup\b(?=[{\s)])")
_MATCHER = re.compile(r'(\w+)(!~|=~|!=|=)("[^"]*")')
_BY = re.compile(r"\bby \(([^)]*)\)")
_COMPARISON = re.compile(r"(?<=\s)(==|>=|<=|>|<)(?=\s)")
_SET = re.compile(r"\b(and|or|unless)\b")
_AGGREGATION = re.compile(r"\b(sum|min|max|count)(?= by )")
_FUNCTION = re.compile(r"\b(rate|increase|min_over_time|max_over_time|floor|absent|changes)(?=\()")
_ARITHMETIC = re.compile(r"(?<=\s)-(?=\s)")
_QUANTILE = re.compile(r"(?<=histogram_quantile\()\s*0\.\d+")
_OFFSET = re.compile(r"\boffset \$\w+")

_FLIPPED = {">": "<", "<": ">", ">=": "<", "<=": ">", "==": "!="}
_CONNECTED = {"and": ("or", "unless"), "or": ("and", "unless"), "unless": ("and", "or")}
_AGGREGATED = {"sum": "max", "min": "max", "max": "min", "count": "sum"}
_CALLED = {
    "rate": "increase",
    "increase": "rate",
    "min_over_time": "max_over_time",
    "max_over_time": "min_over_time",
    "floor": "",
    "absent": "",
    "changes": "resets",
}


@dataclass(frozen=True, slots=True)
class Mutant:
    """``operator`` is the kind of mutation; ``what`` describes the change without its position."""

    operator: str
    what: str
    rule: Rule

    def __str__(self) -> str:
        return f"{self.rule.name}: {self.operator}: {self.what}"


def mutants(rule: Rule) -> list[Mutant]:
    """Every mutant of ``rule``. Mutants with equal descriptions are numbered in reading order."""
    found = [*_in_expression(rule), *_in_facts(rule)]
    counts: dict[tuple[str, str], int] = {}
    numbered = []
    for mutant in found:
        key = mutant.operator, mutant.what
        counts[key] = counts.get(key, 0) + 1
        number = f" #{counts[key]}" if counts[key] > 1 else ""
        numbered.append(replace(mutant, what=mutant.what + number))
    return numbered


def _in_expression(rule: Rule) -> Iterator[Mutant]:
    for operator, pattern, change in _OPERATORS:
        for match in pattern.finditer(rule.expr):
            for text in change(match):
                expr = rule.expr[: match.start()] + text + rule.expr[match.end() :]
                shown = " ".join(match[0].split())
                what = f"{shown} -> {' '.join(text.split()) or 'nothing'}"
                yield Mutant(operator, what, replace(rule, expr=_without_empty_selectors(expr)))


def _renamed(match: re.Match[str]) -> Iterator[str]:
    yield f"{match[0]}x"


def _dropped(match: re.Match[str]) -> Iterator[str]:
    yield ""


def _other_value(match: re.Match[str]) -> Iterator[str]:
    yield f'{match[1]}{match[2]}"x{match[3][1:]}'
    yield f"{match[1]}{ {'=': '!=', '!=': '=', '=~': '!~', '!~': '=~'}[match[2]] }{match[3]}"


def _ungrouped(match: re.Match[str]) -> Iterator[str]:
    labels = [label.strip() for label in match[1].split(",")]
    for label in labels:
        yield f"by ({', '.join(other for other in labels if other != label)})"


def _flipped(match: re.Match[str]) -> Iterator[str]:
    yield _FLIPPED[match[1]]


def _connected(match: re.Match[str]) -> Iterator[str]:
    yield from _CONNECTED[match[1]]


def _aggregated(match: re.Match[str]) -> Iterator[str]:
    yield _AGGREGATED[match[1]]


def _called(match: re.Match[str]) -> Iterator[str]:
    yield _CALLED[match[1]]


def _added(_: re.Match[str]) -> Iterator[str]:
    yield "+"


def _quantiled(match: re.Match[str]) -> Iterator[str]:
    yield "0.5" if "0.5" not in match[0] else "0.95"


_OPERATORS: tuple[tuple[str, re.Pattern[str], Any], ...] = (
    ("metric renamed", _METRIC, _renamed),
    ("label dropped from a selector", _MATCHER, _dropped),
    ("label value changed", _MATCHER, _other_value),
    ("label dropped from by()", _BY, _ungrouped),
    ("comparison flipped", _COMPARISON, _flipped),
    ("connective changed", _SET, _connected),
    ("aggregation changed", _AGGREGATION, _aggregated),
    ("function changed", _FUNCTION, _called),
    ("arithmetic changed", _ARITHMETIC, _added),
    ("quantile changed", _QUANTILE, _quantiled),
    ("offset dropped", _OFFSET, _dropped),
)
OPERATORS = (
    *(name for name, _, _ in _OPERATORS),
    "threshold changed",
    "window changed",
    "minimum changed",
    "for changed",
    "start guard changed",
    "severity changed",
    "category changed",
)
"""The kinds of mutation, in the order of the table."""


def _without_empty_selectors(expr: str) -> str:
    """Remove the comma or braces that a removed matcher leaves."""
    return re.sub(r",(?=[,}])|(?<=\{),|\{\}", "", expr)


def _in_facts(rule: Rule) -> Iterator[Mutant]:
    yield from _numbers(rule, "threshold changed", "thresholds", rule.thresholds, (10, 0.1))
    yield from _numbers(rule, "window changed", "windows", rule.windows, (2, 0.5))
    yield from _numbers(rule, "minimum changed", "min_counts", rule.min_counts, (10, 2, 0.5, 0.1))
    yield from _numbers(rule, "minimum changed", "fixed_min_counts", rule.fixed_min_counts, (10, 2, 0.5))
    yield from _for_changed(rule)
    yield from _startup_grace_changed(rule)
    yield from _labels_changed(rule)


def _for_changed(rule: Rule) -> Iterator[Mutant]:
    for hold in {rule.for_seconds * 2, rule.for_seconds // 2} if rule.for_seconds else {300}:
        # The startup grace depends on `for` unless it is set explicitly: keep its value.
        changed = replace(rule, for_seconds=hold, startup_grace=rule.guard_seconds)
        yield Mutant("for changed", f"{rule.for_seconds} s -> {hold} s", changed)
    if kept := rule.keep_firing_seconds:
        for other in (0, kept / 2, kept * 2):
            changed = replace(rule, keep_firing_seconds=other)
            yield Mutant("for changed", f"keep firing {kept:g} s -> {other:g} s", changed)


def _startup_grace_changed(rule: Rule) -> Iterator[Mutant]:
    guard = rule.guard_seconds
    for other in (0, guard // 2, guard * 2) if guard else (600,):
        yield Mutant("start guard changed", f"{guard} s -> {other} s", replace(rule, startup_grace=other))
    for other in (rule.restart_memory / 2, rule.restart_memory * 2) if guard else ():
        what = f"restarts counted over {other:g} s"
        yield Mutant("start guard changed", what, replace(rule, restart_memory=other))
    if guard:
        for label in rule.group_labels:
            by = tuple(other for other in rule.group_labels if other != label)
            yield Mutant("start guard changed", f"by without {label}", replace(rule, group_labels=by))


def _labels_changed(rule: Rule) -> Iterator[Mutant]:
    for severity in get_args(Severity):
        if severity != rule.severity:
            what = f"{rule.severity} -> {severity}"
            yield Mutant("severity changed", what, replace(rule, severity=severity))
    category: Category = "caching" if rule.category != "caching" else "database"
    yield Mutant("category changed", f"{rule.category} -> {category}", replace(rule, category=category))


def _numbers(
    rule: Rule, operator: str, field: str, numbers: Mapping[str, float], factors: tuple[float, ...]
) -> Iterator[Mutant]:
    for name, number in numbers.items():
        for changed in sorted({_times(number, factor) for factor in factors} - {number}):
            change: Any = {field: {**numbers, name: changed}}
            yield Mutant(operator, f"{name} {number:g} -> {changed:g}", replace(rule, **change))


def _times(number: float, factor: float) -> float:
    """``number`` times ``factor``; an integer stays an integer of at least 1, and 0 becomes 10."""
    product = round(number * factor, 9) if number else 10
    return max(1, int(product)) if isinstance(number, int) else product
