"""The alert contract as a table, with which the rules are compared."""

from __future__ import annotations

from collections.abc import Mapping

MINUTE = 60

# alert: seconds of `for`, severity, category
CORE: Mapping[str, tuple[int, str, str]] = {
    "ServiceDown": (1 * MINUTE, "critical", "availability"),
    "HighErrorRate": (5 * MINUTE, "warning", "availability"),
    "CriticalErrors": (0, "critical", "availability"),
    "HighMemoryUsage": (5 * MINUTE, "warning", "performance"),
    "HighCPUUsage": (5 * MINUTE, "warning", "performance"),
    "SlowTransfers": (10 * MINUTE, "warning", "performance"),
    "SlowPQCOperations": (5 * MINUTE, "warning", "performance"),
    "HighConnectionTime": (5 * MINUTE, "warning", "performance"),
    "HighTransferFailureRate": (5 * MINUTE, "warning", "transfers"),
    "NoSuccessfulTransfers": (0, "critical", "transfers"),
    "TransferQueueBacklog": (5 * MINUTE, "warning", "transfers"),
    "LowTransferSpeed": (10 * MINUTE, "warning", "transfers"),
    "HighConnectionFailureRate": (5 * MINUTE, "warning", "connections"),
    "NoActiveConnections": (30 * MINUTE, "info", "connections"),
    "HighRelayUsage": (15 * MINUTE, "warning", "connections"),
    "HighPQCFailureRate": (5 * MINUTE, "critical", "security"),
    "UnauthorizedAPIAccess": (0, "warning", "security"),
    "SlowDatabaseOperations": (5 * MINUTE, "warning", "database"),
    "LowCacheHitRate": (15 * MINUTE, "warning", "caching"),
}

EXTRA: Mapping[str, tuple[int, str, str]] = {
    "Watchdog": (0, "info", "monitoring"),
    "TelemetryDropped": (15 * MINUTE, "warning", "monitoring"),
    "LabelOverflow": (15 * MINUTE, "warning", "monitoring"),
    "ClientReportsRejected": (15 * MINUTE, "warning", "monitoring"),
    "AlertmanagerCannotNotify": (10 * MINUTE, "critical", "monitoring"),
    "TargetMissing": (10 * MINUTE, "warning", "monitoring"),
    "ScrapeNearSampleLimit": (10 * MINUTE, "warning", "monitoring"),
    "RuleEvaluationFailing": (10 * MINUTE, "critical", "monitoring"),
    "PrometheusConfigRejected": (10 * MINUTE, "critical", "monitoring"),
    "AlertmanagerConfigRejected": (10 * MINUTE, "critical", "monitoring"),
    "MetricSeriesGrowing": (10 * MINUTE, "warning", "monitoring"),
    "FileDescriptorsLow": (5 * MINUTE, "warning", "monitoring"),
    "PQCFailuresLowTraffic": (5 * MINUTE, "warning", "security"),
    "RemoteWriteFailing": (15 * MINUTE, "warning", "monitoring"),
    "RuleInputMissing": (10 * MINUTE, "warning", "monitoring"),
    "DiskFilling": (10 * MINUTE, "warning", "monitoring"),
    "RestartLoop": (0, "critical", "monitoring"),
    "TransferBudgetBurnsFast": (2 * MINUTE, "critical", "monitoring"),
    "TransferBudgetBurnsSlow": (15 * MINUTE, "warning", "monitoring"),
    "ConnectionBudgetBurnsFast": (2 * MINUTE, "critical", "monitoring"),
    "ConnectionBudgetBurnsSlow": (15 * MINUTE, "warning", "monitoring"),
}

ALL = {**CORE, **EXTRA}


def frame(alert: str) -> dict[str, str]:
    """The labels that the contract puts on an alert."""
    _, severity, category = ALL[alert]
    labels = {"severity": severity, "category": category, "service": "tallow"}
    objective, burns, _ = alert.partition("BudgetBurns")
    return labels | {"objective": f"{objective.lower()}s"} if burns else labels
