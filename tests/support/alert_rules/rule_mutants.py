"""Mutants of an alert rule: each differs from the shipped rule in one place.

The operators of :mod:`tallow.stack.prove.mutation.operators` apply to the expression before thresholds and
windows are inserted, so that one occurrence is one place in the source.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, get_args

from tallow.stack.alerts import Rule
from tallow.stack.alerts.rule import Category, Severity
from tallow.stack.prove.mutation.operators import EXPRESSION_OPERATORS, expression_mutants, numbered

_METRIC = re.compile(r"\b(?:tallow|alertmanager|prometheus|node|scrape)_\w+(?=[{\[\s)])|\bup\b(?=[{\s)])")


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
    descriptions = numbered((mutant.operator, mutant.what) for mutant in found)
    return [replace(mutant, what=what) for mutant, what in zip(found, descriptions, strict=True)]


def _in_expression(rule: Rule) -> Iterator[Mutant]:
    for mutant in expression_mutants(rule.expr, _METRIC):
        yield Mutant(mutant.operator, mutant.what, replace(rule, expr=mutant.expr))


OPERATORS = (
    *EXPRESSION_OPERATORS,
    "threshold changed",
    "window changed",
    "minimum changed",
    "for changed",
    "start guard changed",
    "severity changed",
    "category changed",
)
"""The kinds of mutation, in the order of the table."""


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
