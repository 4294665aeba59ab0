"""The stack watching itself: a dead alert looks exactly like a quiet one."""

from __future__ import annotations

import re
from collections.abc import Iterable

from tallow.monitoring.catalog import PREFIX
from tallow.stack.alerts.links import Panel
from tallow.stack.alerts.rule import AnnotationQuery, Rule
from tallow.stack.durations import MINUTE

SAMPLE_LIMIT = 50_000
"""Samples a scrape of Tallow may have: beyond it Prometheus drops all of them and ``up`` is 0."""

_JOBS = {
    PREFIX: "tallow",
    "alertmanager_": "alertmanager",
    "prometheus_": "prometheus",
    "node_": "node-exporter",
}
"""How a metric's name begins, and the job that exposes it."""
_METRIC = re.compile(rf"\b(?:{'|'.join(_JOBS)})[a-z0-9_]+")

WATCHDOG = Rule(
    name="Watchdog",
    expr="vector(1)",
    startup_grace=0,
    group_labels=(),
    severity="info",
    category="monitoring",
    summary="Alerting works",
    description="""
Fires all the time, on purpose: the heartbeat checker pages when it stops arriving.
""",
    panel=Panel("tallow-overview"),
    on_absent="Needs no metric.",
)

TELEMETRY_DROPPED = Rule(
    name="TelemetryDropped",
    # Lasting loss, not a blip: something every window for three windows. What a peer reports beyond its
    # share is left out by design, and anybody with a room can do so: it must wake nobody.
    expr="""
sum by (job, instance) (
  increase(tallow_telemetry_dropped_total{job="tallow",pipeline!="client"}[$window])
) > $limit
""",
    for_seconds=15 * MINUTE,
    windows={"window": 5 * MINUTE},
    thresholds={"limit": 0},
    severity="warning",
    category="monitoring",
    summary="Telemetry of {{ $labels.instance }} is being lost",
    description="""
{{ $value | printf "%.0f" }} records, events or reports were given up in $window, and some in each $window
for 15 minutes: a pipeline is stuck, or its far end refuses.
""",
    panel=Panel("tallow-errors"),
    on_absent="Every pipeline and reason has a series from the start: reported by RuleInputMissing.",
)

LABEL_OVERFLOW = Rule(
    name="LabelOverflow",
    expr="""
sum by (job, instance) (increase(tallow_label_overflow_total{job="tallow"}[$window])) > $limit
""",
    for_seconds=15 * MINUTE,
    windows={"window": 15 * MINUTE},
    thresholds={"limit": 100},
    severity="warning",
    category="monitoring",
    summary="Unlisted label values on {{ $labels.instance }}",
    description="""
{{ $value | printf "%.0f" }} events in $window (limit $limit) carried a label value that the catalogue
does not list and were folded into other: a release books something new, or somebody probes.
""",
    panel=Panel("tallow-errors"),
    on_absent="Every labelled metric has a series from the start: reported by RuleInputMissing.",
)

CLIENT_REPORTS_REJECTED = Rule(
    name="ClientReportsRejected",
    expr="""
sum by (job, instance) (
  rate(tallow_client_reports_total{job="tallow",outcome=~"rejected|rate_limited"}[$window])
)
/
sum by (job, instance) (rate(tallow_client_reports_total{job="tallow"}[$window]))
> $limit
and
sum by (job, instance) (increase(tallow_client_reports_total{job="tallow"}[$window])) >= $minimum
""",
    for_seconds=15 * MINUTE,
    windows={"window": 15 * MINUTE},
    min_counts={"minimum": 40},
    thresholds={"limit": 0.25},
    severity="warning",
    category="monitoring",
    summary="{{ $value | humanizePercentage }} of client reports to {{ $labels.instance }} are refused",
    description="""
{{ $value | humanizePercentage }} of what peers reported in $window was rejected or came too fast (limit
$limit_percent%, from $minimum reports on): transfers happen that no metric shows.
""",
    panel=Panel("tallow-errors"),
    on_absent="Every outcome has a series from the start: reported by RuleInputMissing.",
)

ALERTMANAGER_CANNOT_NOTIFY = Rule(
    name="AlertmanagerCannotNotify",
    # Alertmanager tries for a whole group interval before it counts a failure. What a reload interrupts it
    # sends again afterwards; from 0.27 on it tells these apart.
    expr="""
sum by (job, instance) (
  increase(alertmanager_notifications_failed_total{reason!="contextCanceled"}[$window])
) > $limit
""",
    for_seconds=10 * MINUTE,
    windows={"window": 15 * MINUTE},
    thresholds={"limit": 0},
    startup_grace=0,
    severity="critical",
    category="monitoring",
    summary="Alertmanager cannot deliver",
    description="""
{{ $value | printf "%.0f" }} notifications failed for good in $window: somebody should have been told and
was not.
""",
    panel=Panel("tallow-overview"),
    on_absent="Every integration has a series from the start: reported by RuleInputMissing; TargetMissing "
    "says that Alertmanager is not scraped.",
)

TARGET_MISSING = Rule(
    name="TargetMissing",
    expr="""
min by (job, instance) (up{job!="tallow"}) == 0
or
(group by (job) (up offset $ago) unless group by (job) (up))
""",
    for_seconds=10 * MINUTE,
    windows={"ago": 30 * MINUTE},
    startup_grace=0,
    severity="warning",
    category="monitoring",
    summary="{{ $labels.job }} is not being watched",
    description="""
{{ if $labels.instance }}The scrape of {{ $labels.instance }} (job {{ $labels.job }}) fails.
{{ else }}Job {{ $labels.job }} had targets $ago ago and has none now.{{ end }}
""",
    panel=Panel("tallow-overview"),
    on_absent="A job that vanishes altogether fires as well, for as long as it is remembered.",
)

SCRAPE_NEAR_SAMPLE_LIMIT = Rule(
    name="ScrapeNearSampleLimit",
    expr="""
max by (job, instance) (scrape_samples_post_metric_relabeling{job="tallow"}) > $limit
""",
    for_seconds=10 * MINUTE,
    thresholds={"limit": 0.8 * SAMPLE_LIMIT},
    startup_grace=0,
    severity="warning",
    category="monitoring",
    summary="The scrape of {{ $labels.instance }} nears its limit",
    description=f"""
{{{{ $value }}}} samples of {SAMPLE_LIMIT} (warned from $limit on): beyond the limit the scrape fails as a
whole and reads as ServiceDown.
""",
    panel=Panel("tallow-overview"),
    on_absent="Prometheus writes it with every scrape: ServiceDown says when there is none.",
)

RULE_EVALUATION_FAILING = Rule(
    name="RuleEvaluationFailing",
    expr="""
sum by (job, instance) (increase(prometheus_rule_evaluation_failures_total[$window])) > $limit
or
sum by (job, instance) (increase(prometheus_rule_group_iterations_missed_total[$window])) > $limit
""",
    for_seconds=10 * MINUTE,
    windows={"window": 5 * MINUTE},
    thresholds={"limit": 0},
    startup_grace=0,
    severity="critical",
    category="monitoring",
    summary="Prometheus cannot evaluate its rules",
    description="""
{{ $value | printf "%.0f" }} evaluations failed or were missed in $window: alerts sleep.
""",
    panel=Panel("tallow-overview"),
    on_absent="Every rule group has series: reported by RuleInputMissing; TargetMissing says that Prometheus "
    "does not scrape itself.",
)


def _age_of_configuration(program: str) -> AnnotationQuery:
    """How long ago a program took the configuration that it uses."""
    return AnnotationQuery(
        f"max(time() - {program}_config_last_reload_success_timestamp_seconds{{instance=$instance}})",
        "humanizeDuration",
    )


PROMETHEUS_CONFIG_REJECTED = Rule(
    name="PrometheusConfigRejected",
    # The maximum: a scrape that failed would end the condition otherwise.
    expr="""
max by (job, instance) (max_over_time(prometheus_config_last_reload_successful[$window])) == 0
""",
    for_seconds=10 * MINUTE,
    windows={"window": 5 * MINUTE},
    annotation_queries={"age": _age_of_configuration("prometheus")},
    startup_grace=0,
    severity="critical",
    category="monitoring",
    summary="Prometheus has refused its configuration",
    description="""
Prometheus on {{ $labels.instance }} could not load its configuration and goes on with the one that it loaded
$age ago: changed rules and targets have no effect, and it will not start again.
""",
    panel=Panel("tallow-overview"),
    on_absent="The gauge is there from the start: reported by RuleInputMissing; TargetMissing says that "
    "Prometheus does not scrape itself.",
)

ALERTMANAGER_CONFIG_REJECTED = Rule(
    name="AlertmanagerConfigRejected",
    expr="""
max by (job, instance) (max_over_time(alertmanager_config_last_reload_successful[$window])) == 0
""",
    for_seconds=10 * MINUTE,
    windows={"window": 5 * MINUTE},
    annotation_queries={"age": _age_of_configuration("alertmanager")},
    startup_grace=0,
    severity="critical",
    category="monitoring",
    summary="Alertmanager has refused its configuration",
    description="""
Alertmanager on {{ $labels.instance }} could not load its configuration and goes on with the one that it
loaded $age ago: changed receivers and routes have no effect, and it will not start again.
""",
    panel=Panel("tallow-overview"),
    on_absent="The gauge is there from the start: reported by RuleInputMissing; TargetMissing says that "
    "Alertmanager is not scraped.",
)

REMOTE_WRITE_FAILING = Rule(
    name="RemoteWriteFailing",
    # Refused for good, or not taken at all: while the far end is down Prometheus tries again and counts no
    # failure, and the newest sample that has arrived gets older.
    expr="""
sum by (job, instance) (increase(prometheus_remote_storage_samples_failed_total[$window])) > $limit
or
max by (job, instance) (time() - prometheus_remote_storage_queue_highest_sent_timestamp_seconds) > $behind
""",
    for_seconds=15 * MINUTE,
    windows={"window": 5 * MINUTE},
    thresholds={"limit": 0, "behind": 5 * MINUTE},
    annotation_queries={
        "failed": AnnotationQuery(
            "sum(increase(prometheus_remote_storage_samples_failed_total{instance=$instance}[$window]))",
            'printf "%.0f"',
        ),
        "age": AnnotationQuery(
            "max(time() - "
            "prometheus_remote_storage_queue_highest_sent_timestamp_seconds{instance=$instance})",
            "humanizeDuration",
        ),
    },
    startup_grace=0,
    optional=True,
    severity="warning",
    category="monitoring",
    summary="Samples of {{ $labels.instance }} do not arrive in remote storage",
    description="""
$failed samples were refused in $window, and the newest that arrived is $age old. What is not delivered within
about two hours is lost there; it stays in this Prometheus.
""",
    panel=Panel("tallow-overview"),
    on_absent="The series exist only with remote write: without it there is nothing to deliver.",
)

RULES = (
    WATCHDOG,
    TELEMETRY_DROPPED,
    LABEL_OVERFLOW,
    CLIENT_REPORTS_REJECTED,
    ALERTMANAGER_CANNOT_NOTIFY,
    TARGET_MISSING,
    SCRAPE_NEAR_SAMPLE_LIMIT,
    RULE_EVALUATION_FAILING,
    PROMETHEUS_CONFIG_REJECTED,
    ALERTMANAGER_CONFIG_REJECTED,
    REMOTE_WRITE_FAILING,
)


def rule_input_missing(rules: Iterable[Rule]) -> Rule:
    """The rule that keeps the others honest: a metric they read has no series although the scrape works."""
    read = (rule.template for rule in rules if not rule.optional)
    metrics = sorted({name for template in read for name in _METRIC.findall(template)})
    return Rule(
        name="RuleInputMissing",
        expr="\nor\n".join(_missing(metric) for metric in metrics),
        for_seconds=10 * MINUTE,
        startup_grace=0,
        group_labels=("job", "instance", "metric"),
        severity="warning",
        category="monitoring",
        summary="{{ $labels.metric }} is missing on {{ $labels.instance }}",
        description="""
The scrape of {{ $labels.instance }} works and has no series of {{ $labels.metric }}: every alert that
reads it sleeps.
""",
        panel=Panel("tallow-overview"),
        on_absent="This is the rule that says so; without a scrape, ServiceDown and TargetMissing do.",
    )


def _missing(metric: str) -> str:
    job = next(job for prefix, job in _JOBS.items() if metric.startswith(prefix))
    return f"""label_replace(
  group by (job, instance) (up{{job="{job}"}} == 1)
  unless on (job, instance) group by (job, instance) ({metric}{{job="{job}"}}),
  "metric", "{metric}", "", ""
)"""
