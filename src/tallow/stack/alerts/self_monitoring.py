"""Rules on the monitoring itself: an alert that cannot fire looks like one that has no reason to."""

from __future__ import annotations

from tallow.stack.alerts.links import Panel
from tallow.stack.alerts.rule import AnnotationQuery, Rule
from tallow.stack.durations import MINUTE

SAMPLE_LIMIT = 50_000
"""Samples that a scrape of Tallow may have. Above it Prometheus drops all of them, and ``up`` is 0."""

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
    # Loss in three windows in a row, so that a short loss does not fire. The pipeline `client` is left out:
    # any peer can exceed its quota, and that must not page.
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
    summary="{{ $labels.instance }} loses telemetry",
    description="""
{{ $value | printf "%.0f" }} records, events or reports were dropped in $window, and some in each $window
for 15 minutes: a pipeline is blocked, or its receiver refuses them.
""",
    panel=Panel("tallow-errors"),
    on_absent="Every pipeline and reason has a series from the start: RuleInputMissing reports its absence.",
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
{{ $value | printf "%.0f" }} events in $window (limit $limit) had a label value that the catalogue does
not list and were counted as other: a release records a new value, or a client probes the endpoint.
""",
    panel=Panel("tallow-errors"),
    on_absent="Every labelled metric has a series from the start: RuleInputMissing reports its absence.",
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
    summary="{{ $value | humanizePercentage }} of client reports to {{ $labels.instance }} are rejected",
    description="""
{{ $value | humanizePercentage }} of the peers' reports in $window were rejected or rate limited (limit
$limit_percent%, evaluated from $minimum reports): metrics lack those transfers.
""",
    panel=Panel("tallow-errors"),
    on_absent="Every outcome has a series from the start: RuleInputMissing reports its absence.",
)

ALERTMANAGER_CANNOT_NOTIFY = Rule(
    name="AlertmanagerCannotNotify",
    # Alertmanager retries for a whole group interval before it counts a failure. It sends a notification
    # that a reload interrupts again; from 0.27 on these have a reason of their own.
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
{{ $value | printf "%.0f" }} notifications failed permanently in $window and were not delivered.
""",
    panel=Panel("tallow-overview"),
    on_absent="Every integration has a series from the start: RuleInputMissing reports its absence, and "
    "TargetMissing that Alertmanager is not scraped.",
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
    summary="{{ $labels.job }} is not monitored",
    description="""
{{ if $labels.instance }}The scrape of {{ $labels.instance }} (job {{ $labels.job }}) fails.
{{ else }}Job {{ $labels.job }} had targets $ago ago and has none now.{{ end }}
""",
    panel=Panel("tallow-overview"),
    on_absent="A job without any target fires as well, for as long as the offset reaches its last samples.",
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
    summary="The scrape of {{ $labels.instance }} is close to its sample limit",
    description=f"""
{{{{ $value }}}} of at most {SAMPLE_LIMIT} samples (fires above $limit): beyond the limit the whole scrape
fails, and ServiceDown fires.
""",
    panel=Panel("tallow-overview"),
    on_absent="Prometheus writes it with every scrape: ServiceDown reports its absence.",
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
{{ $value | printf "%.0f" }} evaluations failed or were missed in $window: these alerts cannot fire.
""",
    panel=Panel("tallow-overview"),
    on_absent="Every rule group has series: RuleInputMissing reports their absence, and TargetMissing that "
    "Prometheus does not scrape itself.",
)


def _age_of_configuration(program: str) -> AnnotationQuery:
    """The age of the configuration that a program uses."""
    return AnnotationQuery(
        f"max(time() - {program}_config_last_reload_success_timestamp_seconds{{instance=$instance}})",
        "humanizeDuration",
    )


PROMETHEUS_CONFIG_REJECTED = Rule(
    name="PrometheusConfigRejected",
    # max_over_time: a failed scrape must not end the condition.
    expr="""
max by (job, instance) (max_over_time(prometheus_config_last_reload_successful[$window])) == 0
""",
    for_seconds=10 * MINUTE,
    windows={"window": 5 * MINUTE},
    annotation_queries={"age": _age_of_configuration("prometheus")},
    startup_grace=0,
    severity="critical",
    category="monitoring",
    summary="Prometheus rejected its configuration",
    description="""
Prometheus on {{ $labels.instance }} could not load its configuration and keeps using the one that it loaded
$age ago: changed rules and targets have no effect, and it cannot restart.
""",
    panel=Panel("tallow-overview"),
    on_absent="Exposed from the start: RuleInputMissing reports its absence, and TargetMissing that "
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
    summary="Alertmanager rejected its configuration",
    description="""
Alertmanager on {{ $labels.instance }} could not load its configuration and keeps using the one that it
loaded $age ago: changed receivers and routes have no effect, and it cannot restart.
""",
    panel=Panel("tallow-overview"),
    on_absent="Exposed from the start: RuleInputMissing reports its absence, and TargetMissing that "
    "Alertmanager is not scraped.",
)

REMOTE_WRITE_FAILING = Rule(
    name="RemoteWriteFailing",
    # While the remote system is down, Prometheus retries and counts no failure; the age of the newest sample
    # that arrived shows it.
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
$failed samples were refused in $window, and the newest that arrived is $age old. The remote system loses
samples that are not delivered within about two hours; this Prometheus keeps them.
""",
    panel=Panel("tallow-overview"),
    on_absent="The series exist only with remote write.",
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
