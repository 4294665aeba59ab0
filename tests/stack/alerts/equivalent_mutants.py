"""Broken rules that mean the same as the shipped one: nothing could notice them, and why."""

from __future__ import annotations

import re
from dataclasses import dataclass

from support.alert_rules.rule_mutants import Mutant


@dataclass(frozen=True, slots=True)
class Equivalent:
    """``alerts`` and ``what`` are regular expressions that match as a whole."""

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


_ZERO = "what only rises is never negative: its sum is above 0, or 0, exactly when its largest part is"
_ONE = "one series a target and nothing to add up or choose from"
_ELSEWHERE = "the guard asks for a start of Tallow in the same place, and this alert is about another program"

EQUIVALENTS = (
    Equivalent(
        "CriticalErrors|TelemetryDropped|AlertmanagerCannotNotify|RemoteWriteFailing|NoActiveConnections",
        "aggregation changed",
        "sum -> max",
        _ZERO,
    ),
    Equivalent("NoSuccessfulTransfers", "aggregation changed", "sum -> max", _ZERO),
    Equivalent("RuleEvaluationFailing", "aggregation changed", "sum -> max( #2)?", _ZERO),
    Equivalent("HighMemoryUsage|TransferQueueBacklog", "aggregation changed", "sum -> max", _ONE),
    Equivalent("HighCPUUsage", "aggregation changed", "sum -> max( #2)?", _ONE),
    Equivalent("ServiceDown|TargetMissing", "aggregation changed", "min -> max", _ONE),
    Equivalent("NoSuccessfulTransfers", "aggregation changed", "min -> max|max -> min", _ONE),
    Equivalent(
        "ScrapeNearSampleLimit|RestartLoop|PrometheusConfigRejected|AlertmanagerConfigRejected",
        "aggregation changed",
        "max -> min",
        _ONE,
    ),
    Equivalent(
        "CriticalErrors|TelemetryDropped|AlertmanagerCannotNotify|NoSuccessfulTransfers|RemoteWriteFailing",
        "function changed",
        "increase -> rate",
        "a rate is the increase over its window divided by the window: one is 0 exactly when the other is",
    ),
    Equivalent(
        "RuleEvaluationFailing",
        "function changed",
        "increase -> rate( #2)?",
        "a rate is the increase over its window divided by the window: one is 0 exactly when the other is",
    ),
    Equivalent(
        "SlowTransfers|SlowPQCOperations|HighConnectionTime|SlowDatabaseOperations|LowTransferSpeed",
        "function changed",
        "rate -> increase( #2)?",
        "a quantile asks how buckets relate to one another, and a common factor changes nothing in that",
    ),
    Equivalent(
        "AlertmanagerCannotNotify|RuleEvaluationFailing|TargetMissing|Watchdog"
        "|PrometheusConfigRejected|AlertmanagerConfigRejected|RemoteWriteFailing",
        "start guard changed",
        "0 s -> 600 s",
        _ELSEWHERE,
    ),
    Equivalent(
        "RuleInputMissing",
        "label dropped from a selector",
        'job="alertmanager" -> nothing #2',
        "both sides are matched on job and instance",
    ),
    Equivalent(
        "ServiceDown",
        "start guard changed",
        "0 s -> 600 s",
        "a scrape that fails ends the series of the start time with all others: no guard applies",
    ),
)


def reason(mutant: Mutant) -> str | None:
    """Why nothing can notice a mutant; None: something has to."""
    return next((entry.reason for entry in EQUIVALENTS if entry.covers(mutant)), None)
