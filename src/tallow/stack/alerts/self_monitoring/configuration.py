"""Configuration that Prometheus or Alertmanager rejected."""

from __future__ import annotations

from tallow.stack.alerts.links import Panel
from tallow.stack.alerts.rule import AnnotationQuery, Rule
from tallow.stack.durations import MINUTE


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

RULES = (PROMETHEUS_CONFIG_REJECTED, ALERTMANAGER_CONFIG_REJECTED)
