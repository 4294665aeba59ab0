"""What strangers can move: which metrics, how far one address prefix at its quotas, and three honest ones.

A prefix is an IPv4 address or a /48 of IPv6. Its quotas are the settings of the server (docs/limits.md);
those of reports hold in any ten minutes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from stack.alerts.cases.availability import errors, requests
from stack.alerts.cases.connections import attempts
from stack.alerts.cases.performance import connections, durations, operations
from stack.alerts.cases.security import answers, exchanges
from stack.alerts.cases.security import operations as pqc
from stack.alerts.cases.self_monitoring.capacity import SAMPLES, SERIES, descriptors
from stack.alerts.cases.self_monitoring.telemetry import dropped, overflowed, reports
from stack.alerts.cases.storage import lookups, statements
from stack.alerts.cases.transfers import QUEUE, speeds, transfers
from stack.alerts.fleet import REQUESTED, START
from support.alert_rules.promtool import counter, merged
from tallow.app.server.limits.address_quota import WINDOW_S
from tallow.app.server.settings import ServerSettings
from tallow.app.wire import REPORTED_METRICS
from tallow.monitoring.catalog import METRICS
from tallow.stack.alerts import RULES, Rule

SERVER_SEEN: Final = {
    "active_connections": "sockets that clients hold open",
    "api_errors_total": "requests that are refused",
    "cache_hits_total": "joins of rooms",
    "client_outcomes_total": "outcomes that clients report",
    "client_reports_total": "reports that are refused",
    "db_operation_duration_seconds": "rooms that are created",
    "http_request_duration_seconds": "requests",
    "label_overflow_total": "methods that the catalogue does not list",
    "metric_series": "methods on routes that nobody has asked for yet",
    "process_open_fds": "sockets that clients hold open",
    "telemetry_dropped_total": "reports above the quota",
    "transfer_queue_depth": "pairs in rooms that do not start",
}
"""Metrics of the server that requests move, and by what."""
OPERATORS: Final = {
    "cache_misses_total": "a cache that loses rooms: one that does not exist, or is too old, is no miss",
    "process_cpu_seconds_total": "bounded by the limits of requests; a load of many is the fault it reports",
    "process_max_fds": "a setting",
    "process_requested_start_time_seconds": "a request of the operator",
    "process_resident_memory_bytes": "bounded by the limits of rooms, sockets and bodies",
    "process_start_time_seconds": "a start",
    "workers": "a setting",
}
"""Metrics of the server that no request moves by itself, and why."""
ABUSE: Final = frozenset({"UnauthorizedAPIAccess", "ClientReportsRejected", "LabelOverflow"})
"""Warnings about a stranger; one address may fire them."""
_METRIC = re.compile(r"\btallow_(\w+?)(?:_bucket|_count)?(?=[{\[\s)])")


def read_by(rule: Rule) -> set[str]:
    """The metrics of Tallow that a rule reads, without the start-up grace."""
    return {name for name in _METRIC.findall(rule.expr) if name in METRICS}


def movable(rule: Rule) -> set[str]:
    """Those of them that strangers can move."""
    return read_by(rule) & (REPORTED_METRICS.keys() | SERVER_SEEN.keys())


EXISTENCE: Final = "RuleInputMissing"
"""It reads whether a metric has series; every series exists from the start."""
CONCERNED: Final = [
    name for name, rule in RULES.items() if movable(rule) and name != EXISTENCE and name not in ABUSE
]
"""The rules that strangers could fire, if it were not for quotas and minima."""

STEP_S = 30
DAY_MINUTES = 24 * 60
QUOTA_MINUTES = round(WINDOW_S / 60)
"""The window of the quotas of reports."""
OTHER_MINUTES = 5
"""The time for which what has no such window is given below."""


def _default(setting: str) -> int:
    return int(ServerSettings.model_fields[setting].default)


FAILURES = _default("failures_per_address")
ERRORS = _default("errors_per_address")
RELAYED = _default("relayed_per_address")
QUEUED = _default("queued_per_address")
SOCKETS = _default("sockets_per_address")
LOOKUPS = 4 * OTHER_MINUTES * _default("joins_per_minute")
"""A /48 has the joins of four /64 at most (docs/limits.md). None of them is a miss."""
LONGEST_QUEUED_MINUTES = 7.5
SCANNED_LINES = 7_200
"""Lines that every method on every route with every class of status adds to the exposition."""


def bursts(count: float, minutes: int = DAY_MINUTES, every: int = OTHER_MINUTES) -> str:
    """A counter that rises by ``count`` at once every few minutes: as much as a sliding window allows."""
    steps = every * 60 // STEP_S
    return " ".join(f"{number * count:g}x{steps - 1}" for number in range(minutes // every + 1))


def spread(count: float, minutes: int = DAY_MINUTES, every: int = OTHER_MINUTES) -> str:
    """The same, spread evenly over these minutes."""
    return f"0+{count / (every * 60 // STEP_S):g}x{minutes * 60 // STEP_S}"


def arriving(prefixes: int) -> Callable[[float, int, int], str]:
    """One attacker sends as much at once as it may; several honest clients do not agree on a time."""
    return bursts if prefixes == 1 else spread


def steady(value: float, minutes: int = DAY_MINUTES) -> str:
    return f"{value:g}x{minutes * 60 // STEP_S}"


def lasting(series: Mapping[str, str]) -> dict[str, str]:
    """The series, with the empty buckets of histograms for a whole day."""
    return {name: steady(0) if samples == counter((180, 0)) else samples for name, samples in series.items()}


def _queue(prefixes: int) -> str:
    """Rooms that count as queued for as long as one prefix can keep them so, and a short pause."""
    if prefixes > 1:
        return steady(prefixes * QUEUED)
    on_, off = round(LONGEST_QUEUED_MINUTES * 60 / STEP_S), 5
    return " ".join([f"{QUEUED}x{on_ - 1} 0x{off - 1}"] * (DAY_MINUTES * 60 // STEP_S // (on_ + off)))


def _outcomes(prefixes: int) -> dict[str, str]:
    """Each prefix counts once in six hours for each kind and status."""
    every_six_hours = " ".join(f"{number * prefixes}x719" for number in range(1, 5))
    return {
        f'tallow_client_outcomes_total{{kind="{kind}",status="{status}"}}': samples
        for kind in ("transfer", "connection", "key_exchange")
        for status, samples in (("failed", f"0 {every_six_hours}"), ("success", steady(0)))
    }


def failing(prefixes: int, minutes: int = DAY_MINUTES) -> dict[str, str]:
    """Every quota used up by failures."""
    series_of = arriving(prefixes)
    bad = series_of(prefixes * FAILURES, minutes, QUOTA_MINUTES)
    none = steady(0, minutes)
    series = merged(
        transfers(success=none, failed=bad),
        transfers("relay", success=none, cancelled=series_of(prefixes * RELAYED, minutes, QUOTA_MINUTES)),
        durations(1, bad, status="failed", size="1mb_10mb"),
        durations(1, none, size="1mb_10mb"),
        attempts(success=none, failed=bad),
        exchanges(success=none, failed=bad),
        pqc(success=none, failed=bad),
        errors(series_of(prefixes * ERRORS, minutes, QUOTA_MINUTES), severity="high"),
        lookups(series_of(prefixes * LOOKUPS, minutes, OTHER_MINUTES), none),
        _outcomes(prefixes),
        {QUEUE: _queue(prefixes)},
    )
    return lasting(series)


def slow(prefixes: int, minutes: int = DAY_MINUTES) -> dict[str, str]:
    """Every quota used up by events that succeed, slowly."""
    bad = arriving(prefixes)(prefixes * FAILURES, minutes, QUOTA_MINUTES)
    series = merged(
        durations(3600, bad),
        connections(60, bad, "relay"),
        operations(10, bad, "keygen"),
        speeds(0.5, bad),
    )
    return lasting(series)


def nuisance() -> dict[str, str]:
    """Requests that are refused or useless; abuse alerts may fire."""
    series = merged(
        answers("401", bursts(600)),
        requests(steady(0), bursts(600)),
        reports(accepted=steady(0), rejected=bursts(600), rate_limited=bursts(600)),
        overflowed(bursts(600)),
        dropped(bursts(6000), "client"),
        dropped(steady(0), "logs"),
        statements(0.01, bursts(600), "insert"),
        descriptors(steady(SOCKETS + 60), steady(1024)),
        {
            'tallow_active_connections{type="websocket"}': steady(SOCKETS),
            f'{SERIES}{{metric="http_request_duration_seconds"}}': f"1700x99 {1700 + SCANNED_LINES}x2780",
            SAMPLES: f"1700x99 {1700 + SCANNED_LINES}x2780",
        },
    )
    return lasting(series)


def server() -> dict[str, str]:
    return {"up": steady(1), START: steady(-72_000), REQUESTED: steady(-72_000)}


HOURS = 8
"""Length of the cases of three honest prefixes."""
THREE: Final[Mapping[str, Mapping[str, str]]] = {
    **{
        alert: failing(3, HOURS * 60)
        for alert in (
            "HighTransferFailureRate",
            "NoSuccessfulTransfers",
            "TransferQueueBacklog",
            "HighConnectionFailureRate",
            "HighRelayUsage",
            "HighPQCFailureRate",
            "PQCFailuresLowTraffic",
            "TransferBudgetBurnsFast",
            "TransferBudgetBurnsSlow",
            "ConnectionBudgetBurnsFast",
            "ConnectionBudgetBurnsSlow",
        )
    },
    **{
        alert: slow(3, HOURS * 60)
        for alert in ("SlowTransfers", "SlowPQCOperations", "HighConnectionTime", "LowTransferSpeed")
    },
    "LowCacheHitRate": lookups(steady(0), spread(3 * 20)),
    "HighErrorRate": requests("0x300 1x20 2x20 3x1000", steady(0)),
    "CriticalErrors": errors("0x950 1x50", "storage", "critical"),
    "NoActiveConnections": {'tallow_active_connections{type="websocket"}': steady(0)},
    "SlowDatabaseOperations": lasting(statements(2.5, bursts(3 * 60), "insert")),
    "TelemetryDropped": dropped(bursts(3), "logs"),
    "MetricSeriesGrowing": dict.fromkeys(
        (f'{SERIES}{{metric="errors_total"}}', SAMPLES), "1700x300 20000x2600"
    ),
    "FileDescriptorsLow": descriptors(steady(900), steady(1024)),
}
"""The real fault of each alert, as the clients of three prefixes see or report it within their quotas."""
