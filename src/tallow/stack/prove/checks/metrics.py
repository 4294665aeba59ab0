"""Names that the metrics do not have: metric, label, value."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from typing import Final

import promql_parser as ast

from tallow.stack.prove.checks.model import Check, Messages, ParsedRule, RuleSet
from tallow.stack.prove.expression import number, operations, operator, selectors, unwrapped, walk
from tallow.stack.prove.metrics.model import SeriesFamily

TARGET_LABELS: Final = frozenset(
    {"cluster", "container", "endpoint", "env", "environment", "instance", "job", "namespace", "node", "pod"}
    | {"region", "service", "zone"}
)
"""Labels that targets commonly have and expositions do not show."""
_PARTS: Final = ("_bucket", "_sum", "_count", "_total")


def unknown_metric(parsed: ParsedRule, rules: RuleSet) -> Messages:
    """A selector of a name that no target has, or that is written like one that the source has."""
    for name, similar in _missing(parsed, rules):
        if similar or (rules.metrics is not None and rules.metrics.complete):
            yield f"{_origin(rules)} has no metric {name}{similar}"


def missing_metric(parsed: ParsedRule, rules: RuleSet) -> Messages:
    """A selector of a name that an exposition does not have: a collector may be off, or idle."""
    for name, similar in _missing(parsed, rules):
        if not similar and rules.metrics is not None and not rules.metrics.complete:
            yield f"{_origin(rules)} has no metric {name}; a part of the exporter may be off"


def _origin(rules: RuleSet) -> str:
    return rules.metrics.origin if rules.metrics is not None else ""


def _missing(parsed: ParsedRule, rules: RuleSet) -> Iterator[tuple[str, str]]:
    """The names that the source does not have, and the similar ones that it has."""
    metrics = rules.metrics
    assert metrics is not None
    for name in dict.fromkeys(selector.name for selector in selectors(parsed.tree)):
        if name and name not in rules.recorded and metrics.get(name) is None and metrics.covers(name):
            yield name, _similar(name, metrics.families)


def _similar(name: str, families: Mapping[str, SeriesFamily]) -> str:
    parts = [name + part for part in _PARTS if name + part in families]
    close = parts or difflib.get_close_matches(name, families, n=1, cutoff=_ALIKE)
    return f"; it has {', '.join(close)}" if close else ""


_ALIKE: Final = 0.85
"""Of two names, the share of characters in common from which on one is a misspelling of the other."""


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


def unknown_grouping(parsed: ParsedRule, rules: RuleSet) -> Messages:
    """``sum by (status) (x)``, where no series of x has the label: all of them become one."""
    for node in walk(parsed.tree):
        if not isinstance(node, ast.AggregateExpr) or not _groups_by(node) or _adds_labels(node.expr):
            continue
        families = [family for each in selectors(node.expr) if (family := rules.family(each.name))]
        if len(families) == len(selectors(node.expr)) and node.modifier is not None:
            yield from _missing_labels(families, node.modifier.labels, rules)


def _missing_labels(families: list[SeriesFamily], labels: list[str], rules: RuleSet) -> Messages:
    for label in labels:
        if not any(_has_label(family, label, rules) for family in families):
            names = " ".join(dict.fromkeys(family.name for family in families))
            yield f"{names} has no label '{label}', by which it is grouped"


def _groups_by(node: ast.AggregateExpr) -> bool:
    return node.modifier is not None and node.modifier.type == ast.AggModifierType.By


def _adds_labels(node: ast.Expr) -> bool:
    """Whether an expression gives its series labels that its metrics do not have."""
    return any(
        (isinstance(each, ast.Call) and each.func.name in ("label_replace", "label_join"))
        or (isinstance(each, ast.AggregateExpr) and str(each.op) == "count_values")
        for each in walk(node)
    )


def different_labels(parsed: ParsedRule, rules: RuleSet) -> Messages:
    """Two metrics that match by all of their labels, of which every series of one has more: none match."""
    for operation in operations(parsed.tree):
        modifier = operation.modifier
        if operator(operation) == "or" or (modifier is not None and modifier.matching is not None):
            continue
        one, other = (_plain_family(side, rules) for side in (operation.lhs, operation.rhs))
        if one is None or other is None:
            continue
        for family, labels in ((one, other.labels.keys()), (other, one.labels.keys())):
            if extra := family.common - labels - {"le"}:
                shown = ", ".join(sorted(extra))
                yield f"'{operator(operation)}' never matches: only {family.name} has the label {shown}"


def _plain_family(node: ast.Expr, rules: RuleSet) -> SeriesFamily | None:
    """The family whose labels an expression has: a metric, or a function of its range."""
    node = unwrapped(node)
    if isinstance(node, ast.Call) and len(node.args) and node.func.name not in _OTHER_LABELS:
        node = unwrapped(node.args[0])
    if isinstance(node, ast.MatrixSelector):
        node = node.vector_selector
    if isinstance(node, ast.BinaryExpr) and number(node.rhs) is not None:
        return _plain_family(node.lhs, rules)
    return rules.family(node.name) if isinstance(node, ast.VectorSelector) else None


_OTHER_LABELS: Final = frozenset({"absent", "absent_over_time", "label_replace", "label_join", "scalar"})


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
    if str(matcher.op) != "MatchOp.Equal":
        return _matches(matcher.value, value)
    return matcher.value == value or (
        matcher.name in ("le", "quantile") and _same_number(matcher.value, value)
    )


def _same_number(one: str, other: str) -> bool:
    """Whether two texts are the same bucket edge; Prometheus 3 writes 1 as 1.0."""
    try:
        return float(one) == float(other)
    except ValueError:
        return False


def _matches(pattern: str, value: str) -> bool:
    """Whether a regular expression matches a whole value; yes if Python cannot compile it."""
    try:
        return re.fullmatch(pattern, value) is not None
    except re.error:
        return True


CHECKS: Final = (
    Check("metrics/unknown-metric", "error", unknown_metric, needs_metrics=True),
    Check("metrics/missing-metric", "warning", missing_metric, needs_metrics=True),
    Check("metrics/unknown-label", "error", unknown_label, needs_metrics=True),
    Check("metrics/grouping", "warning", unknown_grouping, needs_metrics=True),
    Check("metrics/matching", "error", different_labels, needs_metrics=True),
    Check("metrics/unknown-value", "warning", unknown_value, needs_metrics=True),
)
