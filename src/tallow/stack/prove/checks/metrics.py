"""Names that the metrics do not have: metric, label, value."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from typing import Final

import promql_parser as ast

from tallow.stack.prove.checks.model import Check, Messages, ParsedRule, RuleSet
from tallow.stack.prove.expression import selectors
from tallow.stack.prove.metrics.model import SeriesFamily

TARGET_LABELS: Final = frozenset(
    {"cluster", "container", "endpoint", "env", "environment", "instance", "job", "namespace", "node", "pod"}
    | {"region", "service", "zone"}
)
"""Labels that targets commonly have and expositions do not show."""
_PARTS: Final = ("_bucket", "_sum", "_count", "_total")


def unknown_metric(parsed: ParsedRule, rules: RuleSet) -> Messages:
    """A selector of a name that the source does not have."""
    metrics = rules.metrics
    assert metrics is not None
    for name in dict.fromkeys(selector.name for selector in selectors(parsed.tree)):
        if name and name not in rules.recorded and metrics.get(name) is None and metrics.covers(name):
            yield f"{metrics.origin} has no metric {name}{_similar(name, metrics.families)}"


def _similar(name: str, families: object) -> str:
    assert isinstance(families, dict)
    parts = [name + part for part in _PARTS if name + part in families]
    close = parts or difflib.get_close_matches(name, families, n=1, cutoff=0.8)
    return f"; it has {', '.join(close)}" if close else ""


def unknown_label(parsed: ParsedRule, rules: RuleSet) -> Messages:
    """A matcher on a label that no series of the metric has."""
    for selector, family in _known(parsed, rules):
        for matcher in selector.matchers.matchers:
            if not _has_label(family, matcher.name, rules) and not _accepts_absence(matcher):
                shown = ", ".join(sorted(family.labels)) or "none"
                yield f"{family.name} has no label '{matcher.name}'; it has {shown}"


def unknown_value(parsed: ParsedRule, rules: RuleSet) -> Messages:
    """A matcher that no value of the label fits."""
    for selector, family in _known(parsed, rules):
        for matcher in selector.matchers.matchers:
            values = family.labels.get(matcher.name)
            if values and str(matcher.op) in _POSITIVE and not any(_fits(matcher, value) for value in values):
                shown = ", ".join(sorted(values)[:8])
                yield f"no series of {family.name} has {matcher.name} '{matcher.value}'; it has {shown}"


_POSITIVE: Final = ("MatchOp.Equal", "MatchOp.Re")


def _known(parsed: ParsedRule, rules: RuleSet) -> Iterator[tuple[ast.VectorSelector, SeriesFamily]]:
    for selector in selectors(parsed.tree):
        family = rules.family(selector.name)
        if family is not None:
            yield selector, family


def _has_label(family: SeriesFamily, label: str, rules: RuleSet) -> bool:
    assert rules.metrics is not None
    if label == "__name__" or label in family.labels:
        return True
    return not rules.metrics.complete and label in TARGET_LABELS


def _accepts_absence(matcher: ast.Matcher) -> bool:
    """Whether a matcher also selects series without the label."""
    if str(matcher.op) == "MatchOp.Equal":
        return matcher.value == ""
    return str(matcher.op) == "MatchOp.Re" and _matches(matcher.value, "")


def _fits(matcher: ast.Matcher, value: str) -> bool:
    return matcher.value == value if str(matcher.op) == "MatchOp.Equal" else _matches(matcher.value, value)


def _matches(pattern: str, value: str) -> bool:
    """Whether a regular expression matches a whole value; yes if Python cannot compile it."""
    try:
        return re.fullmatch(pattern, value) is not None
    except re.error:
        return True


CHECKS: Final = (
    Check("metrics/unknown-metric", "error", unknown_metric, needs_metrics=True),
    Check("metrics/unknown-label", "error", unknown_label, needs_metrics=True),
    Check("metrics/unknown-value", "warning", unknown_value, needs_metrics=True),
)
