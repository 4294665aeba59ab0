"""After a clean start only ServiceDown and CriticalErrors may fire within ten minutes.

Each case has its fault from the first scrape on, on an instance that has just started. A second, healthy
instance that started long ago must have no influence.
"""

from __future__ import annotations

from collections.abc import Mapping

from stack.alerts.cases.availability import errors
from stack.alerts.cases.connections import attempts, finished
from stack.alerts.cases.host import REQUESTED, START
from stack.alerts.cases.performance import CPU, MEMORY, WORKERS, connections, durations, operations
from stack.alerts.cases.security import answers, exchanges
from stack.alerts.cases.self_monitoring.capacity import SAMPLES, SERIES, descriptors
from stack.alerts.cases.self_monitoring.telemetry import dropped, overflowed, reports
from stack.alerts.cases.shared import outcomes
from stack.alerts.cases.slo import slow_or_failed
from stack.alerts.cases.storage import lookups, statements
from stack.alerts.cases.transfers import QUEUE, speeds, transfers
from support.alert_rules.promtool import INSTANCE, TWO_HOURS_BEFORE, Case, counter, gauge, merged
from tallow.stack.alerts import RULES

EXEMPT = {"ServiceDown", "CriticalErrors", "Watchdog", "RestartLoop"}
"""Alerts that may fire at once: two by contract, Watchdog, and RestartLoop, which needs four starts."""
WITHOUT_GRACE = {
    "AlertmanagerCannotNotify",
    "TargetMissing",
    "RuleEvaluationFailing",
    "PrometheusConfigRejected",
    "AlertmanagerConfigRejected",
    "RemoteWriteFailing",
    "RuleInputMissing",
    "DiskFilling",
}
"""Alerts without a start-up grace whose ``for`` is at least ten minutes."""

MUCH = counter((180, 100))

# alert: its fault, and the first minute at which it may fire
FAULTS: Mapping[str, tuple[dict[str, str], float]] = {
    "HighErrorRate": (errors(MUCH), 10),
    "HighMemoryUsage": ({MEMORY: gauge((180, 2e9))}, 10),
    "HighCPUUsage": ({CPU: counter((180, 58)), WORKERS: gauge((180, 1))}, 10),
    "SlowTransfers": (durations(300, MUCH), 10),
    "SlowPQCOperations": (operations(10, MUCH, "keygen"), 10),
    "HighConnectionTime": (connections(60, MUCH, "relay"), 10),
    "HighTransferFailureRate": (transfers(failed=MUCH), 10),
    "NoSuccessfulTransfers": (
        transfers(success=counter((180, 0)), failed=MUCH) | {QUEUE: gauge((180, 5))},
        15,
    ),
    "TransferQueueBacklog": ({QUEUE: gauge((180, 200))}, 10),
    "LowTransferSpeed": (speeds(0.5, MUCH), 10),
    "HighConnectionFailureRate": (attempts(failed=MUCH), 10),
    "NoActiveConnections": ({'tallow_active_connections{type="relay"}': gauge((180, 0))}, 30),
    "HighRelayUsage": (finished(relay=MUCH), 15),
    "HighPQCFailureRate": (exchanges(failed=MUCH), 10),
    "PQCFailuresLowTraffic": (outcomes("key_exchange", success=counter((180, 0)), failed=MUCH), 10),
    "MetricSeriesGrowing": (dict.fromkeys((SERIES, SAMPLES), counter((180, 20_000))), 10),
    "FileDescriptorsLow": (descriptors(gauge((180, 900))), 10),
    "UnauthorizedAPIAccess": (answers("401", MUCH), 10),
    "SlowDatabaseOperations": (statements(5, MUCH, "select"), 10),
    "LowCacheHitRate": (lookups(counter((180, 0)), MUCH), 15),
    "TelemetryDropped": (dropped(MUCH), 15),
    "LabelOverflow": (overflowed(MUCH), 16),
    "ScrapeNearSampleLimit": ({"scrape_samples_post_metric_relabeling": gauge((180, 45_000))}, 10),
    "ClientReportsRejected": (reports(accepted=counter((180, 0)), rejected=MUCH), 15),
    "TransferBudgetBurnsFast": (slow_or_failed(MUCH), 10),
    "TransferBudgetBurnsSlow": (slow_or_failed(MUCH), 17),
    "ConnectionBudgetBurnsFast": (attempts(success=counter((180, 0)), failed=MUCH), 10),
    "ConnectionBudgetBurnsSlow": (attempts(success=counter((180, 0)), failed=MUCH), 19),
}


FIRST, SECOND, THIRD = 60, 100, 170
"""Minutes of restarts: two within an hour, and one long after them."""


def _labels(alert: str) -> dict[str, str]:
    return {"job": "tallow"} if "Budget" in alert else {"job": "tallow", "instance": INSTANCE}


def _restarted(alert: str, fault: dict[str, str], *, requested: bool) -> Case:
    """The fault goes on while the process restarts, without a request or with one."""
    starts = gauge(
        (FIRST, TWO_HOURS_BEFORE),
        (SECOND - FIRST, FIRST * 60),
        (THIRD - SECOND, SECOND * 60),
        (10, THIRD * 60),
    )
    early, late = (FIRST + 2, THIRD + 2), (SECOND + 1, SECOND + 3)
    return Case(
        alert,
        "waits again after each requested restart"
        if requested
        else "does not wait after the second restart within an hour",
        merged(fault, {START: starts, REQUESTED: starts if requested else gauge((180, TWO_HOURS_BEFORE))}),
        quiet=(*early, *late) if requested else early,
        firing=(FIRST - 1, SECOND - 1) if requested else (FIRST - 1, SECOND - 1, *late),
        labels=_labels(alert),
    )


def _case(alert: str, fault: dict[str, str], ready: float) -> Case:
    of_job = "Budget" in alert
    beside = {} if of_job else {f'{START}{{instance="old:3000"}}': gauge((180, -7200))}
    early = tuple(minute for minute in (1, 2.5, 5, 6, 7.5, 9, 9.5, ready - 0.5) if minute < ready)
    return Case(
        alert,
        "stays quiet for ten minutes after a clean start, and then no longer",
        merged(fault, {START: gauge((180, 0))}, beside),
        quiet=tuple(sorted(set(early))),
        firing=(ready + 1.25, 60),
        labels=_labels(alert),
        kinds=("start",),
    )


GUARDED = [alert for alert in FAULTS if RULES[alert].guard_seconds]
CASES = [
    *(_case(alert, fault, ready) for alert, (fault, ready) in FAULTS.items()),
    *(_restarted(alert, FAULTS[alert][0], requested=False) for alert in GUARDED),
    *(_restarted(alert, FAULTS[alert][0], requested=True) for alert in ("HighErrorRate", "HighMemoryUsage")),
]
