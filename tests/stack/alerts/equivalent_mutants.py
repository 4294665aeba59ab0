"""Mutants that are equivalent to their rule, so that no test can detect them, with reasons."""

from __future__ import annotations

import re
from dataclasses import dataclass

from support.alert_rules.rule_mutants import Mutant


@dataclass(frozen=True, slots=True)
class Equivalent:
    """Equivalent mutants; ``alerts`` and ``what`` are regular expressions for the whole text."""

    alerts: str
    operator: str
    what: str
    reason: str

    def covers(self, mutant: Mutant) -> bool:
        return (
            mutant.operator == self.operator
            and re.fullmatch(self.alerts, mutant.rule.name) is not None
            and re.fullmatch(self.what, mutant.what) is not None
        )


_ZERO = "increases are never negative: their sum is 0 exactly when their maximum is"
_ONE = "each target has one series, so the aggregation has no effect"
_OUTCOME = "an instance has one series of the failed outcomes of a kind"
_OTHER_PROGRAM = "the grace refers to a start of Tallow, and this alert is about another program"

EQUIVALENTS = (
    Equivalent("DiskFilling", "aggregation changed", "max -> min( #2)?", "all of the values are 1"),
    Equivalent(
        "DiskFilling",
        "label dropped from a selector",
        'alertstate="firing" -> nothing',
        "an alert that is pending because the disk became read-only fires while that is in the window",
    ),
    Equivalent(
        ".*BudgetBurns.*",
        "label dropped from a selector",
        'job="tallow" -> nothing #7',
        "both sides are matched on job",
    ),
    Equivalent(
        "MetricSeriesGrowing",
        "label dropped from a selector",
        'job="tallow" -> nothing #2',
        "both sides are matched on job",
    ),
    Equivalent(
        "RestartLoop",
        "start guard changed",
        "0 s -> 600 s",
        "two restarts within an hour have no grace, and the alert needs four",
    ),
    Equivalent(
        "CriticalErrors|TelemetryDropped|AlertmanagerCannotNotify|RemoteWriteFailing|NoActiveConnections",
        "aggregation changed",
        "sum -> max",
        _ZERO,
    ),
    Equivalent("NoSuccessfulTransfers", "aggregation changed", "sum -> max( #3)?", _ZERO),
    Equivalent("NoSuccessfulTransfers", "aggregation changed", "sum -> max #4", _OUTCOME),
    Equivalent("RuleEvaluationFailing", "aggregation changed", "sum -> max( #2)?", _ZERO),
    Equivalent("HighMemoryUsage|TransferQueueBacklog", "aggregation changed", "sum -> max", _ONE),
    Equivalent("HighCPUUsage|FileDescriptorsLow", "aggregation changed", "sum -> max( #2)?", _ONE),
    Equivalent(
        "HighTransferFailureRate|HighConnectionFailureRate",
        "aggregation changed",
        "sum -> max #[46]",
        _OUTCOME,
    ),
    Equivalent("PQCFailuresLowTraffic", "aggregation changed", "sum -> max( #3)?", _OUTCOME),
    Equivalent("ServiceDown|TargetMissing|MetricSeriesGrowing", "aggregation changed", "min -> max", _ONE),
    Equivalent("NoSuccessfulTransfers", "aggregation changed", "min -> max|max -> min", _ONE),
    Equivalent(
        "ScrapeNearSampleLimit|FileDescriptorsLow|RestartLoop|PrometheusConfigRejected|AlertmanagerConfigRejected",
        "aggregation changed",
        "max -> min",
        _ONE,
    ),
    Equivalent(
        "CriticalErrors|TelemetryDropped|AlertmanagerCannotNotify|NoSuccessfulTransfers|RemoteWriteFailing",
        "function changed",
        "increase -> rate",
        "a rate is the increase divided by the window: one is 0 exactly when the other is",
    ),
    Equivalent(
        "NoSuccessfulTransfers",
        "function changed",
        "increase -> rate #3",
        "a rate is the increase divided by the window: one is 0 exactly when the other is",
    ),
    Equivalent(
        "RuleEvaluationFailing",
        "function changed",
        "increase -> rate( #2)?",
        "a rate is the increase divided by the window: one is 0 exactly when the other is",
    ),
    Equivalent(
        "SlowTransfers|SlowPQCOperations|HighConnectionTime|SlowDatabaseOperations|LowTransferSpeed",
        "function changed",
        "rate -> increase( #2)?",
        "a quantile depends on the ratios of buckets, which a common factor does not change",
    ),
    Equivalent(
        "AlertmanagerCannotNotify|RuleEvaluationFailing|TargetMissing|Watchdog"
        "|PrometheusConfigRejected|AlertmanagerConfigRejected|RemoteWriteFailing",
        "start guard changed",
        "0 s -> 600 s",
        _OTHER_PROGRAM,
    ),
    Equivalent(
        "ServiceDown",
        "start guard changed",
        "0 s -> 600 s",
        "a failed scrape ends the series of the start time, so that no grace applies",
    ),
)


def reason(mutant: Mutant) -> str | None:
    """Why a mutant is equivalent; None if it is not."""
    return next((entry.reason for entry in EQUIVALENTS if entry.covers(mutant)), None)
