"""Check rules, and what a run found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from tallow.stack.prove.alertmanager.config import AlertmanagerConfig
from tallow.stack.prove.checks.catalog import (
    CHECKS,
    FILE,
    ROUTING_CHECKS,
    SYNTAX,
    run_checks,
    run_routing_checks,
    skipped_checks,
)
from tallow.stack.prove.checks.model import SEVERITIES, Finding, ParsedRule, RuleSet, Severity
from tallow.stack.prove.expression import UnparsedError, parse
from tallow.stack.prove.metrics.model import KnownMetrics
from tallow.stack.prove.rule_file import LoadedRule, RuleFileError
from tallow.stack.prove.witnesses.findings import DESCRIPTIONS, witness_findings
from tallow.stack.prove.witnesses.witness import Witness

PAGE: Final = "docs/prove.md"


@dataclass(frozen=True, slots=True)
class Report:
    """The findings of a run.

    Attributes:
        rules: checked, those that were not parsed included.
        unparsed: not parsed; each is a finding, too.
        skipped: checks that need an option that was not given, by the option.
        flagged: rules with an error or a warning.
        clean: rules without any finding.
        witnesses: what was found for each alert, if it was searched.
    """

    rules: int
    unparsed: int
    findings: tuple[Finding, ...]
    skipped: Mapping[str, Sequence[str]]
    flagged: int = 0
    clean: int = 0
    witnesses: tuple[Witness, ...] = ()

    def worst(self) -> str:
        """The worst severity, or an empty text."""
        found = {finding.severity for finding in self.findings}
        return next((severity for severity in SEVERITIES if severity in found), "")


def check_rules(
    loaded: Sequence[LoadedRule],
    metrics: KnownMetrics | None = None,
    scrape_interval_seconds: float | None = None,
    alertmanager: AlertmanagerConfig | None = None,
) -> Report:
    """Check rules.

    Args:
        loaded: see :func:`tallow.stack.prove.rule_file.load_rules`.
        metrics: of the source; None without one.
        scrape_interval_seconds: of the metrics that the rules read; None if it is not known.
        alertmanager: the configuration to which the alerts are sent; None without one.

    Example:
        >>> from tallow.stack.prove.rule_file import parse_rules
        >>> rules = parse_rules("groups: [{name: a, rules: [{record: b, expr: 'rate(up[5m])'}]}]", "a.yml")
        >>> [finding.check for finding in check_rules(rules).findings]
        ['gauge/rate']
    """
    parsed, findings = _parsed(loaded)
    if scrape_interval_seconds is None and metrics is not None:
        scrape_interval_seconds = metrics.scrape_interval_seconds
    rules = RuleSet(parsed, metrics, scrape_interval_seconds)
    unparsed = len(findings)
    findings += run_checks(rules)
    skipped = {"--metrics": skipped_checks(rules)}
    if alertmanager is None:
        skipped["--alertmanager"] = [check.name for check in ROUTING_CHECKS]
    else:
        findings += run_routing_checks(rules, alertmanager)
    return _with_totals(Report(len(loaded), unparsed, tuple(sorted(findings)), skipped), loaded)


def add_witnesses(report: Report, witnesses: Sequence[Witness], loaded: Sequence[LoadedRule]) -> Report:
    """A report with what was found for each alert. Alerts without a witness are findings of it.

    Args:
        loaded: the rules of the report.
    """
    findings = sorted([*report.findings, *witness_findings(witnesses)])
    return _with_totals(replace(report, findings=tuple(findings), witnesses=tuple(witnesses)), loaded)


def add_unread_files(report: Report, problems: Iterable[RuleFileError]) -> Report:
    """A report with a finding for each file that cannot be read."""
    unread = (
        Finding(one.file, one.line or 1, _UNREAD, FILE, "error", f"not read: {one.problem}")
        for one in problems
    )
    return replace(report, findings=tuple(sorted([*report.findings, *unread])))


_UNREAD: Final = "rule file"
"""What the findings about files name in the place of a rule."""


def _with_totals(report: Report, loaded: Sequence[LoadedRule]) -> Report:
    flagged = _with_findings(finding for finding in report.findings if finding.severity != "note")
    clean = len(loaded) - _among(_with_findings(report.findings), loaded)
    return replace(report, flagged=_among(flagged, loaded), clean=clean)


def _parsed(loaded: Sequence[LoadedRule]) -> tuple[list[ParsedRule], list[Finding]]:
    """The rules that the parser accepts, and a finding for each of the others."""
    parsed, findings = [], []
    for rule in loaded:
        try:
            parsed.append(ParsedRule(rule, parse(rule.expr)))
        except UnparsedError as error:
            findings.append(Finding(rule.file, rule.line, rule.name, SYNTAX, "error", str(error)))
    return parsed, findings


def _among(places: set[tuple[str, int, str]], loaded: Sequence[LoadedRule]) -> int:
    """How many of the rules are at these places; parts of an Alertmanager configuration are no rules."""
    return sum((rule.file, rule.line, rule.name) in places for rule in loaded)


def _with_findings(findings: Iterable[Finding]) -> set[tuple[str, int, str]]:
    return {(finding.file, finding.line, finding.rule) for finding in findings}


def counts(report: Report) -> list[tuple[str, Severity, int]]:
    """Check, severity and number of findings: the worst first, of one severity the most frequent."""
    found = Counter((finding.check, finding.severity) for finding in report.findings)
    rows = [(check, severity, count) for (check, severity), count in found.most_common()]
    return sorted(rows, key=lambda row: SEVERITIES.index(row[1]))


def description(check: str) -> str:
    """What a check finds, in one sentence."""
    return _DESCRIPTIONS[check]


def _first_sentence(text: str | None) -> str:
    return (text or "").strip().partition("\n")[0].replace("``", "")


_DESCRIPTIONS: Final[Mapping[str, str]] = {
    **{check.name: _first_sentence(check.run.__doc__) for check in CHECKS},
    **{check.name: _first_sentence(check.run.__doc__) for check in ROUTING_CHECKS},
    **DESCRIPTIONS,
    FILE: "A file that cannot be read, or is no rule file: none of its rules was checked.",
    SYNTAX: "An expression that is not PromQL, or that the parser does not know.",
}
