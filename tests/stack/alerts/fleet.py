"""Series of a fleet over hours, with every metric that rules read, during typical events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from stack.alerts.cases.connections import attempts
from stack.alerts.cases.performance import CPU, MEMORY, WORKERS, connections, durations, operations
from stack.alerts.cases.security import answers, exchanges
from stack.alerts.cases.security import operations as pqc
from stack.alerts.cases.self_monitoring.configuration import taken
from stack.alerts.cases.self_monitoring.delivery import evaluations, unsent
from stack.alerts.cases.self_monitoring.programs import ALERTMANAGER, NODE, PROMETHEUS, of
from stack.alerts.cases.storage import lookups, statements
from stack.alerts.cases.transfers import QUEUE, sizes, speeds, transfers
from stack.alerts.contract import frame
from support.alert_rules.promtool import Document, counter, gauge, located, merged
from tallow.stack.alerts import RULES

Span = tuple[float, float | None]
"""Minutes and their load: 1 is normal traffic, 0 none, None no samples."""
START = "tallow_process_start_time_seconds"
REQUESTED = "tallow_process_requested_start_time_seconds"
BEFORE = -7200.0
ALWAYS = {"Watchdog"}


@dataclass(frozen=True)
class ProcessRun:
    """One process: its spans of load, its initial counts and its start time."""

    spans: Sequence[Span]
    counted: float = 0
    started: float = BEFORE
    workers: int = 2

    def counters(self, rate: float) -> str:
        return counter(*((minutes, _times(busy, rate)) for minutes, busy in self.spans), start=self.counted)

    def gauges(self, level: float, idle: float = 0) -> str:
        return gauge(*((minutes, _level(busy, level, idle)) for minutes, busy in self.spans))


def _times(busy: float | None, rate: float) -> float | None:
    return None if busy is None else busy * rate


def _level(busy: float | None, level: float, idle: float) -> float | None:
    if busy is None:
        return None
    return level if busy else idle


def server(run: ProcessRun) -> dict[str, str]:
    """The series of Tallow, with a normal number of failures."""
    of_ = run.counters
    http = "tallow_http_request_duration_seconds_count"
    return merged(
        transfers(success=of_(6), failed=of_(0.2), cancelled=of_(0.5)),
        transfers("relay", success=of_(2), failed=of_(0.05), cancelled=of_(0.1)),
        durations(30, of_(5.9), size="under_1mb"),
        durations(120, of_(0.1), size="10mb_100mb"),
        durations(600, of_(0.5), size="over_1gb"),
        durations(10, of_(0.25), status="failed", size="1mb_10mb"),
        speeds(50, of_(6)),
        sizes(4194304, of_(7)),
        attempts(success=of_(6), failed=of_(0.03)),
        attempts("relay", success=of_(1.5), failed=of_(0.03)),
        connections(1, of_(6), "direct"),
        connections(20, of_(0.2), "relay"),
        exchanges(success=of_(7), failed=of_(0)),
        pqc("keygen", success=of_(14), failed=of_(0)),
        operations(0.001, of_(14), "keygen"),
        statements(0.01, of_(60), "select"),
        statements(2.5, of_(0.5), "insert"),
        lookups(of_(60), of_(12)),
        answers("401", of_(0.2)),
        {
            'tallow_errors_total{type="network",severity="low"}': of_(0.5),
            'tallow_errors_total{type="internal",severity="critical"}': of_(0),
            f'{http}{{method="POST",route="/api/rooms",status_code="2xx"}}': of_(30),
            f'{http}{{method="POST",route="/api/rooms",status_code="5xx"}}': of_(0.1),
            f'{http}{{method="GET",route="/metrics",status_code="2xx"}}': counter(
                *((minutes, _times(busy, 0) if busy is None else 4) for minutes, busy in run.spans)
            ),
            'tallow_telemetry_dropped_total{pipeline="logs",reason="queue_full"}': of_(0),
            'tallow_label_overflow_total{metric="errors_total"}': of_(0.2),
            'tallow_client_reports_total{outcome="accepted"}': of_(20),
            'tallow_client_reports_total{outcome="rejected"}': of_(0.4),
            'tallow_client_reports_total{outcome="rate_limited"}': of_(0.2),
            **{
                f'tallow_client_outcomes_total{{kind="{kind}",status="{status}"}}': of_(rate)
                for kind in ("transfer", "connection", "key_exchange")
                for status, rate in (("success", 0.5), ("failed", 0.02))
            },
            'tallow_metric_series{metric="tallow_errors_total"}': run.gauges(2500, 2000),
            'tallow_active_connections{type="websocket"}': run.gauges(12),
            "tallow_process_open_fds": run.gauges(80, 40),
            "tallow_process_max_fds": run.gauges(1024, 1024),
            QUEUE: run.gauges(2),
            MEMORY: run.gauges(3e8, 2e8),
            CPU: of_(20 * run.workers),
            WORKERS: run.gauges(run.workers, run.workers),
            START: run.gauges(run.started, run.started),
            REQUESTED: run.gauges(BEFORE, BEFORE),
            "scrape_samples_post_metric_relabeling": run.gauges(5000, 5000),
        },
    )


def in_sequence(*runs: Mapping[str, str]) -> dict[str, str]:
    """Series of one instance whose processes follow each other."""
    names = dict.fromkeys(name for run in runs for name in run)
    return {name: " ".join(run[name] for run in runs) for name in names}


def other_programs(minutes: float, *gaps: Span) -> dict[str, str]:
    """Series of healthy Prometheus, Alertmanager and node_exporter, with the gaps ``gaps``."""
    spans = gaps or ((minutes, 1),)

    def where_present(value: float) -> list[tuple[float, float | None]]:
        return [(length, None if busy is None else value) for length, busy in spans]

    level = where_present(1)
    ups = {
        name: value
        for place in (ALERTMANAGER, PROMETHEUS, NODE)
        for name, value in of(place, "up", gauge(*level)).items()
    }
    labels = 'device="/dev/sda1",fstype="ext4",mountpoint="/"'
    quiet = gauge(*where_present(0))
    return merged(
        ups,
        unsent(quiet),
        taken(gauge(*level), gauge(*level)),
        evaluations(quiet, quiet),
        of(NODE, "node_filesystem_avail_bytes", counter(*where_present(-0.005), start=50), labels),
        of(
            NODE,
            "node_filesystem_size_bytes",
            gauge(*where_present(100)),
            labels,
        ),
        of(NODE, "node_filesystem_files_free", gauge(*where_present(90)), labels),
        of(NODE, "node_filesystem_files", gauge(*where_present(100)), labels),
        of(NODE, "node_filesystem_readonly", quiet, labels),
    )


def on(instance: str, series: Mapping[str, str]) -> dict[str, str]:
    """Series of a named instance of Tallow."""
    placed = {}
    for name, samples in series.items():
        metric, _, rest = name.partition("{")
        inner = rest.removesuffix("}")
        placed[f'{metric}{{{inner}{"," if inner else ""}instance="{instance}"}}'] = samples
    return placed


@dataclass(frozen=True)
class Event:
    """An event in a fleet.

    Alerts are checked at each of ``minutes``; ``expected`` has the spans in which they have to fire, and
    ``of_job`` those of alerts without an instance.
    """

    name: str
    series: Mapping[str, str]
    minutes: Sequence[float]
    expected: Mapping[tuple[str, str], Sequence[tuple[float, float]]] = field(default_factory=dict)
    stretch: int = 1
    of_job: Mapping[str, Sequence[tuple[float, float]]] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.name

    def firing(self, alert: str, at: float) -> list[str]:
        """The instances for which an alert has to fire at a minute."""
        return [
            instance
            for (name, instance), spans in self.expected.items()
            if name == alert and any(begin <= at <= end for begin, end in spans)
        ]


def document(event: Event) -> Document:
    """The event as a ``tests`` entry that checks every alert at every minute."""
    return {
        "name": event.name,
        "interval": f"{15 * event.stretch}s",
        "input_series": [
            {"series": located(name), "values": values} for name, values in event.series.items()
        ],
        "alert_rule_test": [
            {
                "eval_time": f"{round(at * 60 * event.stretch)}s",
                "alertname": alert,
                "exp_alerts": _expected(event, alert, at),
            }
            for at in event.minutes
            for alert in RULES
        ],
    }


def _expected(event: Event, alert: str, at: float) -> list[Document]:
    if alert in ALWAYS:
        return [{"exp_labels": frame(alert)}]
    if any(begin <= at <= end for begin, end in event.of_job.get(alert, ())):
        return [{"exp_labels": {"job": "tallow", **frame(alert)}}]
    return [
        {"exp_labels": {"job": "tallow", "instance": place, **frame(alert)}}
        for place in event.firing(alert, at)
    ]
