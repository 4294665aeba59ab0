"""Alerting and remote storage: whether alerts are evaluated and delivered, and samples arrive."""

from __future__ import annotations

from tallow.stack.alerts.links import Panel
from tallow.stack.alerts.rule import AnnotationQuery, Rule
from tallow.stack.durations import MINUTE

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

REMOTE_WRITE_FAILING = Rule(
    name="RemoteWriteFailing",
    # While the remote system is down, Prometheus retries and counts no failure; the age of the newest sample
    # that arrived shows it.
    expr="""
sum by (job, instance) (increase(prometheus_remote_storage_samples_failed_total[$window])) > $limit
or
max by (job, instance) (
  time() - last_over_time(prometheus_remote_storage_queue_highest_sent_timestamp_seconds[$hold])
) > $behind
""",
    for_seconds=15 * MINUTE,
    windows={"window": 5 * MINUTE, "hold": 1 * MINUTE},
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

RULES = (WATCHDOG, ALERTMANAGER_CANNOT_NOTIFY, RULE_EVALUATION_FAILING, REMOTE_WRITE_FAILING)
