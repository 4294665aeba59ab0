"""What an alert says beside its expression: ``for``, texts, severity, and whether it exists twice."""

from __future__ import annotations

import difflib
import re
from typing import Final

import promql_parser as ast

from tallow.stack.prove.checks.conditions import compared_here
from tallow.stack.prove.checks.labels import result_labels
from tallow.stack.prove.checks.model import Check, Messages, ParsedRule, RuleSet
from tallow.stack.prove.checks.thresholds import quotient
from tallow.stack.prove.expression import (
    calls,
    conditions,
    selectors,
    unwrapped,
    walk,
)
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
        if text.count("{{") > text.count("}}"):
            yield f"{name} has {text.count('{{')} times '{{{{' and {text.count('}}')} times '}}}}'"
        for action in _ACTION.findall(text):
            if _WITHOUT_DOLLAR.match(action):
                yield f"{name}: '{{{{{action}}}}}' needs $labels or $value"


def changing_label(parsed: ParsedRule, _: RuleSet) -> Messages:
    """A label with the value of the alert: with each change it is another alert, and ``for`` starts again."""
    for name, text in parsed.rule.labels.items():
        for action in _ACTION.findall(text):
            if _VALUE.search(action) and not action.strip().startswith(("if", "else", "-if", "- if")):
                yield f"the label '{name}' has the value of the alert: with each change 'for' starts again"


_VALUE: Final = re.compile(r"\$value\b|(?<![\w)])\.Value\b")


def overwritten_label(parsed: ParsedRule, _: RuleSet) -> Messages:
    """The label ``alertname``, which Prometheus overwrites."""
    if parsed.rule.labels.get("alertname", parsed.rule.name) != parsed.rule.name:
        yield "Prometheus overwrites the label 'alertname' with the name of the alert"


def unknown_variable(parsed: ParsedRule, _: RuleSet) -> Messages:
    """A variable that templates do not have, such as ``$label``."""
    for name, text in parsed.rule.annotations.items():
        declared = set(re.findall(r"\$(\w+)(?=\s*(?:,\s*\$\w+\s*)?:=)", text)) | _VARIABLES
        for action in _ACTION.findall(text):
            for variable in re.findall(r"\$(\w+)", re.sub(r"\"(?:[^\"\\]|\\.)*\"|`[^`]*`", "", action)):
                if variable not in declared:
                    yield f"{name}: templates have no variable ${variable}; they have $labels and $value"


_VARIABLES: Final = frozenset({"labels", "value", "externalLabels", "externalURL"})


def percent_of_percent(parsed: ParsedRule, _: RuleSet) -> Messages:
    """``humanizePercentage`` of a value that is in percent already, and a ratio shown as ``0.5%``."""
    scale = _scale_of_value(parsed.tree)
    for name, text in parsed.rule.annotations.items() if scale is not None else ():
        if scale == "percent" and _HUMANIZED.search(text):
            yield f"{name}: humanizePercentage multiplies by 100, and the value is in percent already"
        elif scale == "ratio" and _PLAIN_PERCENT.search(text):
            yield f"{name}: '%' follows a value from 0 to 1; use humanizePercentage"


_HUMANIZED: Final = re.compile(r"\{\{-?\s*\$value\s*\|\s*humanizePercentage\s*-?\}\}")
_FORMATTED: Final = r"(?:humanize|printf \"%\.?\d*[fg]\")"
_PLAIN_PERCENT: Final = re.compile(
    rf"\{{\{{-?\s*(?:{_FORMATTED} )?\$value(?:\s*\|\s*{_FORMATTED})?\s*-?\}}\}} ?%"
)


def _scale_of_value(tree: ast.Expr) -> str | None:
    """Whether the value of the alert is in percent, or a ratio; None if that is not known."""
    node = next(iter(conditions(tree)))
    for operand, _op, limit in compared_here(node):
        found = quotient(operand)
        if found is not None and found.factor == 100 and limit > 1:
            return "percent"
        if found is not None and found.factor == 1 and 0 < limit < 1 and 100 not in _numbers(operand):
            return "ratio"
    return None


def _numbers(node: ast.Expr) -> set[float]:
    return {each.val for each in walk(node) if isinstance(each, ast.NumberLiteral)}


def unusable_runbook(parsed: ParsedRule, _: RuleSet) -> Messages:
    """A runbook that is no address."""
    for name, text in parsed.rule.annotations.items():
        if _RUNBOOK.search(name) and name.endswith("url") and not _ADDRESS.match(text.strip()):
            yield f"{name} '{text.strip()[:40]}' is not an address"


_ADDRESS: Final = re.compile(r"https?://[^/\s]+|\{\{")


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


def threshold_order(parsed: ParsedRule, rules: RuleSet) -> Messages:
    """A critical alert with a limit that is reached before that of the warning."""
    if parsed.rule.labels.get("severity") != "critical":
        return
    mine = _only_limit(parsed)
    if mine is None:
        return
    for other in rules.rules:
        is_warning = other.rule.labels.get("severity") == "warning" and other.text.startswith(mine[0])
        theirs = _only_limit(other) if is_warning else None
        if theirs is not None and _is_reached_before(mine, theirs):
            where = f"{other.rule.name} ({other.rule.file}:{other.rule.line})"
            yield f"the limit {mine[2]:g} is reached before {theirs[2]:g} of the warning {where}"


def _is_reached_before(mine: _Comparison, theirs: _Comparison) -> bool:
    if mine[:2] != theirs[:2]:
        return False
    return mine[2] < theirs[2] if mine[1] == ">" else mine[2] > theirs[2]


_Comparison = tuple[str, str, float]


def _only_limit(parsed: ParsedRule) -> _Comparison | None:
    """Operand, direction and number of an alert that is one comparison with a number."""
    found = list(compared_here(unwrapped(parsed.tree)))
    if not parsed.is_alert or len(found) != 1 or found[0][1][0] not in "<>":
        return None
    node, op, limit = found[0]
    return unwrapped(node).prettify(), op[0], limit


def conflicting_records(parsed: ParsedRule, rules: RuleSet) -> Messages:
    """Two rules that record the same series from different expressions."""
    if parsed.is_alert or result_labels(parsed.tree) != frozenset():
        return
    for other in rules.recording(parsed.rule.name):
        if other is parsed:
            return
        same = other.rule.labels == parsed.rule.labels and result_labels(other.tree) == frozenset()
        if same and other.text != parsed.text:
            yield f"{other.rule.file}:{other.rule.line} records the same series from another expression"


def unrecorded(parsed: ParsedRule, rules: RuleSet) -> Messages:
    """The name of a recorded series that no rule records, and that is like one that is recorded."""
    known = rules.metrics
    for selector in selectors(parsed.tree):
        name = selector.name or ""
        if ":" not in name or name in rules.recorded or (known is not None and known.get(name)):
            continue
        if close := difflib.get_close_matches(name, rules.recorded, n=1, cutoff=_ALIKE):
            yield f"no rule records {name}; one records {close[0]}"


_ALIKE: Final = 0.93


CHECKS: Final = (
    Check("alert/for", "note", no_for, alerts_only=True),
    Check("alert/text", "warning", no_text, alerts_only=True),
    Check("alert/runbook", "note", no_runbook, alerts_only=True),
    Check("alert/template", "error", unclosed_template, alerts_only=True),
    Check("alert/changing-label", "error", changing_label, alerts_only=True),
    Check("alert/alertname", "warning", overwritten_label, alerts_only=True),
    Check("alert/variable", "error", unknown_variable, alerts_only=True),
    Check("alert/percent", "warning", percent_of_percent, alerts_only=True),
    Check("alert/runbook-address", "warning", unusable_runbook, alerts_only=True),
    Check("alert/no-severity", "warning", no_severity, alerts_only=True),
    Check("alert/severity", "warning", misspelt_severity, alerts_only=True),
    Check("rule/duplicate", "error", duplicate),
    Check("rule/threshold-order", "warning", threshold_order, alerts_only=True),
    Check("rule/conflict", "error", conflicting_records),
    Check("rule/unrecorded", "warning", unrecorded),
    Check("rule/same-expression", "warning", same_expression, alerts_only=True),
)
