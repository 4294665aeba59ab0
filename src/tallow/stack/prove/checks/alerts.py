"""What an alert says beside its expression: ``for``, texts, severity, and whether it exists twice."""

from __future__ import annotations

import re
from typing import Final

import promql_parser as ast

from tallow.stack.prove.checks.model import Check, Messages, ParsedRule, RuleSet
from tallow.stack.prove.expression import calls, walk
from tallow.stack.routing.matrix import PAGERDUTY_SEVERITIES

_LONG_RANGE_S: Final = 300.0
_RUNBOOK: Final = re.compile(r"runbook|playbook", re.IGNORECASE)
_SUMMARIES: Final = ("summary", "description", "message", "title")
_ACTION: Final = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_WITHOUT_DOLLAR: Final = re.compile(r"-?\s*(labels\.|value\s*(\||-?$))")
"""``value`` with an argument is a function of templates."""


def no_for(parsed: ParsedRule, _: RuleSet) -> Messages:
    """An alert on present values without ``for``: one bad scrape fires it."""
    rule = parsed.rule
    if rule.for_seconds is None and not _is_smoothed(parsed.tree):
        yield "no 'for': a single scrape fires the alert; write 'for: 0s' if that is meant"


def _is_smoothed(tree: ast.Expr) -> bool:
    """Whether the expression reads a range of minutes, or only constants."""
    ranges = [node.range for node in walk(tree) if isinstance(node, ast.MatrixSelector | ast.SubqueryExpr)]
    if any(each is not None and each.total_seconds() >= _LONG_RANGE_S for each in ranges):
        return True
    return all(call.func.name == "vector" for call in calls(tree)) and not any(
        isinstance(node, ast.VectorSelector) for node in walk(tree)
    )


def no_text(parsed: ParsedRule, _: RuleSet) -> Messages:
    """An alert without summary and description."""
    if not any(parsed.rule.annotations.get(name, "").strip() for name in _SUMMARIES):
        yield f"no text: none of the annotations {', '.join(_SUMMARIES)}"


def no_runbook(parsed: ParsedRule, rules: RuleSet) -> Messages:
    """An alert without the address of a runbook, among alerts that have one."""
    if not _has_runbook(parsed) and any(_has_runbook(one) for one in rules.rules if one.is_alert):
        yield "no annotation runbook_url, which other alerts have"


def _has_runbook(parsed: ParsedRule) -> bool:
    return any(_RUNBOOK.search(name) for name in parsed.rule.annotations)


def unclosed_template(parsed: ParsedRule, _: RuleSet) -> Messages:
    """A template whose braces do not match, or that reads ``labels`` without ``$``."""
    for name, text in (*parsed.rule.labels.items(), *parsed.rule.annotations.items()):
        if text.count("{{") != text.count("}}"):
            yield f"{name} has {text.count('{{')} times '{{{{' and {text.count('}}')} times '}}}}'"
        for action in _ACTION.findall(text):
            if _WITHOUT_DOLLAR.match(action):
                yield f"{name}: '{{{{{action}}}}}' needs $labels or $value"


def no_severity(parsed: ParsedRule, rules: RuleSet) -> Messages:
    """An alert without a severity, among alerts that have one."""
    has = [one.rule.labels.get("severity") for one in rules.rules if one.is_alert]
    if not parsed.rule.labels.get("severity") and any(has):
        yield "no label severity, which other alerts have: routes and inhibition do not see it"


def misspelt_severity(parsed: ParsedRule, _: RuleSet) -> Messages:
    """A severity that is another word or another case than the usual ones."""
    severity = parsed.rule.labels.get("severity", "")
    usual = severity.strip().lower()
    if severity != usual and usual in PAGERDUTY_SEVERITIES:
        yield f"severity '{severity}' is not '{usual}': routes compare the exact text"
    elif usual in _SYNONYMS:
        yield f"severity '{severity}' is not accepted by PagerDuty: {', '.join(PAGERDUTY_SEVERITIES)}"


_SYNONYMS: Final = frozenset(
    ("crit", "fatal", "emergency", "high", "medium", "low", "minor", "major", "warn", "err", "notice", "page")
)


def duplicate(parsed: ParsedRule, rules: RuleSet) -> Messages:
    """A rule that exists twice: the same alert and labels, or the same recorded series."""
    first = rules.first_with_same_rule(parsed)
    if first is not parsed:
        yield f"the same rule is in {first.rule.file}:{first.rule.line}"


def same_expression(parsed: ParsedRule, rules: RuleSet) -> Messages:
    """Two alerts of different names and the same expression and severity."""
    first = rules.first_with_same_expression(parsed)
    if first.rule.name != parsed.rule.name:
        yield f"{first.rule.name} ({first.rule.file}:{first.rule.line}) has the same expression"


CHECKS: Final = (
    Check("alert/for", "note", no_for, alerts_only=True),
    Check("alert/text", "warning", no_text, alerts_only=True),
    Check("alert/runbook", "note", no_runbook, alerts_only=True),
    Check("alert/template", "error", unclosed_template, alerts_only=True),
    Check("alert/no-severity", "warning", no_severity, alerts_only=True),
    Check("alert/severity", "warning", misspelt_severity, alerts_only=True),
    Check("rule/duplicate", "error", duplicate),
    Check("rule/same-expression", "warning", same_expression, alerts_only=True),
)
