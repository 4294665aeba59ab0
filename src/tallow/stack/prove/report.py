"""Results of a run, and their forms: lines, JSON, SARIF."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from tallow import __version__
from tallow.stack.prove.alertmanager.config import AlertmanagerConfig
from tallow.stack.prove.checks.catalog import (
    ROUTING_CHECKS,
    SEVERITY_OF,
    SYNTAX,
    run_checks,
    run_routing_checks,
    skipped_checks,
)
from tallow.stack.prove.checks.model import SEVERITIES, Finding, ParsedRule, RuleSet
from tallow.stack.prove.expression import UnparsedError, parse
from tallow.stack.prove.metrics.model import KnownMetrics
from tallow.stack.prove.rule_file import LoadedRule

PAGE: Final = "docs/prove.md"
_SARIF_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"


@dataclass(frozen=True, slots=True)
class Report:
    """The findings of a run.

    Attributes:
        rules: checked, those that were not parsed included.
        unparsed: not parsed; each is a finding, too.
        skipped: checks that need an option that was not given, by the option.
    """

    rules: int
    unparsed: int
    findings: tuple[Finding, ...]
    skipped: Mapping[str, Sequence[str]]

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
    parsed, findings = [], []
    for rule in loaded:
        try:
            parsed.append(ParsedRule(rule, parse(rule.expr)))
        except UnparsedError as error:
            findings.append(Finding(rule.file, rule.line, rule.name, SYNTAX, "error", str(error)))
    if scrape_interval_seconds is None and metrics is not None:
        scrape_interval_seconds = metrics.scrape_interval_seconds
    rules = RuleSet(parsed, metrics, scrape_interval_seconds)
    unparsed = len(findings)
    findings += run_checks(rules)
    if alertmanager is not None:
        findings += run_routing_checks(rules, alertmanager)
    skipped = {"--metrics": skipped_checks(rules)}
    if alertmanager is None:
        skipped["--alertmanager"] = [check.name for check in ROUTING_CHECKS]
    return Report(len(loaded), unparsed, tuple(sorted(findings)), skipped)


def counts(report: Report) -> list[tuple[str, str, int]]:
    """Check, severity and number of findings, the most frequent first."""
    found = Counter((finding.check, str(finding.severity)) for finding in report.findings)
    return [(check, severity, count) for (check, severity), count in found.most_common()]


def as_json(report: Report) -> str:
    """The report for programs."""
    return json.dumps(asdict(report), indent=2, ensure_ascii=False)


def as_sarif(report: Report) -> str:
    """The report in SARIF 2.1.0, which code hosts show beside the lines.

    Source: OASIS, Static Analysis Results Interchange Format 2.1.0.
    """
    driver = {
        "name": "tallow prove",
        "version": __version__,
        "rules": [{"id": name, "helpUri": f"{PAGE}#{name.replace('/', '')}"} for name in SEVERITY_OF],
    }
    run = {"tool": {"driver": driver}, "results": [_sarif_result(finding) for finding in report.findings]}
    return json.dumps({"$schema": _SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)


def _sarif_result(finding: Finding) -> dict[str, Any]:
    location = {
        "artifactLocation": {"uri": finding.file.replace("\\", "/")},
        "region": {"startLine": finding.line},
    }
    return {
        "ruleId": finding.check,
        "level": finding.severity,
        "message": {"text": f"{finding.rule}: {finding.message}"},
        "locations": [{"physicalLocation": location}],
    }
