"""What one evaluation of a rule group reads: series and samples, for each instance."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Final

import promql_parser as ast

from tallow.stack import alerts
from tallow.stack.lint.promql.vocabulary import (
    EXPOSED,
    RUNTIME_VALUES,
    TARGET_LABELS,
    ExposedSeries,
    label_of,
)
from tallow.stack.prometheus import SCRAPE_INTERVAL_S
from tallow.stack.sizing.measurements import Measurements
from tallow.stack.sizing.series_bound import combinations

_JOB: Final = "tallow"
_PER_TARGET: Final = re.compile(r"up|scrape_\w+")


@dataclass(frozen=True, slots=True)
class RuleGroupCost:
    """What one evaluation of a group reads for each instance.

    Attributes:
        series: series that its selectors select; one selected twice counts twice.
        samples: samples within the selected ranges, at the shipped scrape interval.
        longest_window_seconds: the longest range.
        fleet_wide: names of rules whose series are not distinguished by instance.
        is_recordable: whether all its rules are of that kind: each reads sums that a recording rule can
            compute over a short window, and is cheap then.
    """

    name: str
    series: float
    samples: float
    longest_window_seconds: float
    fleet_wide: tuple[str, ...]
    is_recordable: bool


@dataclass(frozen=True, slots=True)
class Read:
    """One selector, its range in seconds (0: an instant) and how often an evaluation runs it."""

    selector: ast.VectorSelector
    range_seconds: float
    times: float

    @property
    def samples(self) -> float:
        """The samples that it reads of each series."""
        return self.times * max(1.0, self.range_seconds / SCRAPE_INTERVAL_S)


def group_costs(measurements: Measurements) -> tuple[RuleGroupCost, ...]:
    """The cost of every shipped group."""
    return tuple(_group_cost(name, measurements) for name in alerts.GROUPS)


def reads(expr: str) -> tuple[Read, ...]:
    """The selectors of an expression.

    Example:
        >>> [(read.range_seconds, read.samples) for read in reads("rate(a_total[5m]) > b")]
        [(300.0, 20.0), (0.0, 1.0)]
    """
    return tuple(_reads(ast.parse(expr), 1.0))


def matching_share(selector: ast.VectorSelector, exposed: ExposedSeries) -> float:
    """The share of a metric's series that a selector's matchers select, by the catalogue's values.

    Matchers on labels without listed values (routes, caches) count as selecting all.
    """
    share = 1.0
    for matcher in selector.matchers.matchers:
        values = _values(exposed, matcher.name)
        if matcher.name not in TARGET_LABELS and values:
            share *= sum(selects(matcher, value) for value in values) / len(values)
    return share


def shortest_window_seconds() -> float:
    """The shortest range of a shipped rule."""
    return min(
        read.range_seconds for name in alerts.RULES for read in _reads_of_rule(name) if read.range_seconds
    )


@cache
def _reads_of_rule(name: str) -> tuple[Read, ...]:
    return reads(alerts.RULES[name].render().expr)


@cache
def _shares_of_rule(name: str) -> tuple[float, ...]:
    """For each read of a rule, the share of its metric's series; 0 for a metric outside the catalogue."""
    exposed = ((read.selector, EXPOSED.get(read.selector.name or "")) for read in _reads_of_rule(name))
    return tuple(matching_share(selector, found) if found else 0.0 for selector, found in exposed)


def _group_cost(name: str, measurements: Measurements) -> RuleGroupCost:
    found = [
        (read, _series(read.selector, share, measurements))
        for rule in alerts.GROUPS[name]
        for read, share in zip(_reads_of_rule(rule.name), _shares_of_rule(rule.name), strict=True)
    ]
    rules = alerts.GROUPS[name]
    fleet_wide = tuple(rule.name for rule in rules if is_fleet_wide(rule))
    return RuleGroupCost(
        name,
        series=sum(series for _, series in found),  # a subquery selects its series once, for all steps
        samples=sum(read.samples * series for read, series in found),
        longest_window_seconds=max((read.range_seconds for read, _ in found), default=0),
        fleet_wide=fleet_wide,
        is_recordable=len(fleet_wide) == len(rules),
    )


def is_fleet_wide(rule: alerts.Rule) -> bool:
    """Whether a rule combines series of several instances, so that it needs all of them in one place."""
    return bool(rule.group_labels) and "instance" not in rule.group_labels


def _series(selector: ast.VectorSelector, share: float, measurements: Measurements) -> float:
    """The series of one instance that a selector selects."""
    name = selector.name or ""
    exposed = EXPOSED.get(name)
    if exposed is not None:
        measured = measurements.series_by_name.get(name)
        series = _catalogue_series(exposed, measurements.registered) if measured is None else measured
        return series * share
    jobs = [matcher.value for matcher in selector.matchers.matchers if matcher.name == "job"]
    return float(_PER_TARGET.fullmatch(name) is not None and (not jobs or _JOB in jobs))


def _catalogue_series(exposed: ExposedSeries, registered: Mapping[str, int]) -> int:
    """The series of a name that the measured server did not have: every combination of label values."""
    buckets = len(exposed.metric.buckets) + 1 if exposed.part == "bucket" else 1
    return combinations(exposed.metric, registered) * buckets


def _values(exposed: ExposedSeries, name: str) -> tuple[str, ...]:
    label = label_of(exposed, name)
    if label is None:
        return ()
    known = dict.fromkeys((*label.values, *RUNTIME_VALUES.get((exposed.metric.full_name, name), ())))
    return () if label.registered and len(known) < 2 else tuple(known)


_SELECTS: Final[Mapping[object, Callable[[str, str], bool]]] = {
    str(ast.MatchOp.Equal): lambda pattern, value: pattern == value,
    str(ast.MatchOp.NotEqual): lambda pattern, value: pattern != value,
    str(ast.MatchOp.Re): lambda pattern, value: re.fullmatch(pattern, value) is not None,
    str(ast.MatchOp.NotRe): lambda pattern, value: re.fullmatch(pattern, value) is None,
}


def selects(matcher: ast.Matcher, value: str) -> bool:
    """Whether a matcher accepts a value."""
    return _SELECTS[str(matcher.op)](matcher.value, value)


def _reads(node: ast.Expr, times: float) -> Iterator[Read]:
    """The selectors below a node. ``times``: how often an evaluation evaluates the node."""
    if isinstance(node, ast.VectorSelector):
        yield Read(node, 0.0, times)
    elif isinstance(node, ast.MatrixSelector):
        yield Read(node.vector_selector, _seconds(node.range), times)
    elif isinstance(node, ast.SubqueryExpr):
        steps = _seconds(node.range) / (_seconds(node.step) or SCRAPE_INTERVAL_S)
        yield from _reads(node.expr, times * max(1.0, steps))
    else:
        for child in _children(node):
            yield from _reads(child, times)


def _seconds(duration: timedelta | None) -> float:
    return duration.total_seconds() if duration else 0.0


def _children(node: ast.Expr) -> tuple[ast.Expr, ...]:
    if isinstance(node, ast.BinaryExpr):
        return node.lhs, node.rhs
    if isinstance(node, ast.Call):
        return tuple(node.args)
    if isinstance(node, ast.AggregateExpr | ast.ParenExpr | ast.UnaryExpr):
        return (node.expr,)
    return ()
