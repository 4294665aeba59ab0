"""Check an alert rule: its expression, labels, texts and tests."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from string import Template

import promql_parser as ast

from tallow.stack.alerts.rule import WARM_UP, RenderedRule, Rule
from tallow.stack.lint.exceptions import without_exempt
from tallow.stack.lint.problem import Problem
from tallow.stack.lint.promql.catalog_rules import Finding
from tallow.stack.lint.promql.expressions import check_expression, nodes, selectors
from tallow.stack.lint.promql.type_inference import InferredType, infer_type
from tallow.stack.lint.promql.vocabulary import EXPOSED
from tallow.stack.routing.matrix import CATEGORIES, PAGERDUTY_SEVERITIES, SEVERITIES

_JOB = "tallow"
_ACTIONS = re.compile(r"\{\{.*?\}\}")
_LITERAL_DURATION = re.compile(r"\[\s*\d|\boffset\s+-?\d")
_PLACEHOLDER = re.compile(r"\$\{?\w+")
_MEASURED = re.compile(r"\$value|\| query")


@dataclass(frozen=True, slots=True)
class Evidence:
    """The names of the alerts that have a runbook, a promtool test and a drill.

    None: not checked, because the repository is not available.

    >>> from tallow.stack.alerts import RULES
    >>> [problem.rule for problem in check_alert(RULES["HighCPUUsage"], Evidence(drills=()))]
    ['alert/drill']
    """

    runbooks: Collection[str] | None = None
    tests: Collection[str] | None = None
    drills: Collection[str] | None = None


@dataclass(frozen=True, slots=True)
class ParsedRule:
    """A rule as data, as Prometheus reads it, and its parsed expression with the inferred type."""

    rule: Rule
    rendered: RenderedRule
    tree: ast.Expr
    inferred: InferredType = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "inferred", infer_type(self.tree))


def check_alert(rule: Rule, evidence: Evidence | None = None, *, where: str | None = None) -> list[Problem]:
    """The problems of an alert rule, including those of its expressions.

    Args:
        rule: the alert rule.
        evidence: which alerts have runbooks, tests and drills.
        where: the file and the alert, for messages; by default the alert.

    >>> from dataclasses import replace
    >>> from tallow.stack.alerts import RULES
    >>> [str(problem) for problem in check_alert(replace(RULES["HighCPUUsage"], on_absent=""))]
    ['HighCPUUsage: alert/absent: on_absent does not say what a missing metric means']
    """
    place = where or rule.name
    rendered = rule.render()
    problems = check_expression(rendered.expr, where=place)
    for figure in rule.annotation_queries.values():
        query = Template(figure.expr).substitute(
            rule.substitutions(), instance='"localhost:3000"', mountpoint='"/"'
        )
        problems += check_expression(query, where=place)
    if any(problem.rule == "promql/syntax" for problem in problems):
        return problems
    alert = ParsedRule(rule, rendered, ast.parse(rendered.expr))
    found = [
        *(finding for check in _CHECKS for finding in check(alert)),
        *_evidence(rule, evidence or Evidence()),
    ]
    return [
        *problems,
        *without_exempt(Problem(place, name, message) for name, message in dict.fromkeys(found)),
    ]


def _labels(alert: ParsedRule) -> Iterator[Finding]:
    rule, labels = alert.rule, alert.inferred.labels
    if rule.severity not in SEVERITIES:
        yield "alert/severity", f"no route matches severity '{rule.severity}': {', '.join(SEVERITIES)}"
    if rule.severity not in PAGERDUTY_SEVERITIES:
        yield "alert/severity", f"PagerDuty answers 400 to severity '{rule.severity}'"
    if rule.category not in CATEGORIES:
        yield "alert/category", f"no route matches category '{rule.category}': {', '.join(CATEGORIES)}"
    if labels is not None and labels != set(rule.group_labels):
        has, wants = ", ".join(sorted(labels)) or "none", ", ".join(rule.group_labels) or "none"
        yield "alert/labels", f"its series carry the labels {has}; inhibition and routing need {wants}"


def _selectors(alert: ParsedRule) -> Iterator[Finding]:
    for selector in selectors(alert.tree):
        if selector.name in EXPOSED and not _of_job(selector):
            yield (
                "alert/job",
                f'{selector.name} is read without job="{_JOB}": another job may expose the metric',
            )


def _counts_and_durations(alert: ParsedRule) -> Iterator[Finding]:
    rule = alert.rule
    if not (rule.min_counts or rule.fixed_min_counts) and _needs_traffic(alert.tree):
        yield "alert/minimum", "a ratio or quantile without a minimum count: a single event would fire it"
    if _LITERAL_DURATION.search(rule.expr):
        yield "alert/duration", "a range or offset is written as a number: a drill cannot scale it"
    if rule.for_seconds + rule.guard_seconds < WARM_UP:
        yield "alert/warm-up", f"can fire {rule.for_seconds + rule.guard_seconds} s after a clean start"


def _of_job(selector: ast.VectorSelector) -> bool:
    return any(
        matcher.name == "job" and matcher.value == _JOB and matcher.op == ast.MatchOp.Equal
        for matcher in selector.matchers.matchers
    )


def _needs_traffic(tree: ast.Expr) -> bool:
    """Whether the expression contains a quantile or a quotient of counters."""
    return any(
        (isinstance(node, ast.Call) and node.func.name == "histogram_quantile")
        or (isinstance(node, ast.BinaryExpr) and str(node.op) == "/" and _are_counters(node.lhs, node.rhs))
        for node in nodes(tree)
    )


def _are_counters(*sides: ast.Expr) -> bool:
    names = [name for side in sides for name in infer_type(side).metrics]
    return bool(names) and all(name in EXPOSED and EXPOSED[name].is_cumulative for name in names)


def _texts(alert: ParsedRule) -> Iterator[Finding]:
    rule, texts = alert.rule, alert.rendered.annotations
    for key in ("summary", "description"):
        if not texts[key]:
            yield "alert/words", f"no {key}"
        for name in _PLACEHOLDER.findall(_ACTIONS.sub("", texts[key])):
            yield "alert/words", f"the {key} says '{name}', which is not a name of the rule"
    if alert.inferred.metrics and not _MEASURED.search(texts["summary"] + texts["description"]):
        yield "alert/words", "neither summary nor description contains the measured value"
    for name in (*rule.min_counts, *rule.fixed_min_counts):
        if f"${name}" not in rule.description:
            yield "alert/words", f"the description does not contain the minimum count ${name}"
    if not rule.on_absent:
        yield "alert/absent", "on_absent does not say what a missing metric means"


_CHECKS = (_labels, _selectors, _counts_and_durations, _texts)


def _evidence(rule: Rule, evidence: Evidence) -> Iterator[Finding]:
    if evidence.runbooks is not None and rule.name not in evidence.runbooks:
        yield "alert/runbook", f"no page docs/runbooks/{rule.name}.md"
    if evidence.tests is not None and rule.name not in evidence.tests:
        yield "alert/test", "no promtool test shows that it can fire"
    if evidence.drills is not None and rule.name not in evidence.drills:
        yield "alert/drill", "no drill shows that a real fault fires it"
