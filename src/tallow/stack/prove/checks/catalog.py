"""All checks, and their application to a set of rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from tallow.stack.prove.alertmanager.config import AlertmanagerConfig
from tallow.stack.prove.checks import (
    absence,
    alerts,
    conditions,
    counters,
    labels,
    matchers,
    metrics,
    operands,
    quantiles,
    ratios,
    thresholds,
    windows,
)
from tallow.stack.prove.checks.model import Check, Finding, RuleSet, Severity
from tallow.stack.prove.checks.routing import inhibitions, receivers, routes
from tallow.stack.prove.checks.routing.model import RoutedAlert, Routing, RoutingCheck

CHECKS: Final[tuple[Check, ...]] = (
    *metrics.CHECKS,
    *counters.CHECKS,
    *windows.CHECKS,
    *conditions.CHECKS,
    *operands.CHECKS,
    *thresholds.CHECKS,
    *absence.CHECKS,
    *ratios.CHECKS,
    *labels.CHECKS,
    *quantiles.CHECKS,
    *matchers.CHECKS,
    *alerts.CHECKS,
)
ROUTING_CHECKS: Final[tuple[RoutingCheck, ...]] = (
    *routes.CHECKS,
    *receivers.CHECKS,
    *inhibitions.CHECKS,
)
SYNTAX: Final = "rule/syntax"
"""The check of expressions that are not parsed."""
FILE: Final = "rule/file"
"""The check of files that cannot be read."""
SEVERITY_OF: Final[Mapping[str, Severity]] = {
    **{check.name: check.severity for check in CHECKS},
    **{check.name: check.severity for check in ROUTING_CHECKS},
    SYNTAX: "error",
    FILE: "error",
}
"""The severity of every check, by its name."""


def run_checks(rules: RuleSet) -> Iterator[Finding]:
    """The findings of all checks that can run."""
    for parsed in rules.rules:
        for check in CHECKS:
            if (check.needs_metrics and rules.metrics is None) or (check.alerts_only and not parsed.is_alert):
                continue
            for message in dict.fromkeys(check.run(parsed, rules)):
                rule = parsed.rule
                yield Finding(rule.file, rule.line, rule.name, check.name, check.severity, message)


def run_routing_checks(rules: RuleSet, config: AlertmanagerConfig) -> Iterator[Finding]:
    """The findings of the checks of rules together with an Alertmanager configuration."""
    routing = Routing(config, [RoutedAlert.of(parsed) for parsed in rules.rules if parsed.is_alert])
    for check in ROUTING_CHECKS:
        yield from check.findings(routing)


def skipped_checks(rules: RuleSet) -> list[str]:
    """The names of the checks that need ``--metrics``, if it is not given."""
    return [check.name for check in CHECKS if check.needs_metrics and rules.metrics is None]
