"""When the alerts on the stack itself fire, and when not."""

from __future__ import annotations

from support.alert_rules.promtool import INSTANCE, Case, counter, gauge, gauge_until_stale, located
from tallow.stack.alerts import RULES

ALERTMANAGER = {"job": "alertmanager", "instance": "localhost:9093"}
PROMETHEUS = {"job": "prometheus", "instance": "localhost:9090"}
NODE = {"job": "node-exporter", "instance": "localhost:9100"}


def of(place: dict[str, str], name: str, samples: str, labels: str = "") -> dict[str, str]:
    """A series of another program than Tallow."""
    inside = f"{{{labels}}}" if labels else ""
    return {located(f"{name}{inside}", **place): samples}


def dropped(samples: str, pipeline: str = "logs") -> dict[str, str]:
    return {f'tallow_telemetry_dropped_total{{pipeline="{pipeline}",reason="queue_full"}}': samples}


def overflowed(samples: str, metric: str = "errors_total") -> dict[str, str]:
    return {f'tallow_label_overflow_total{{metric="{metric}"}}': samples}


def reports(**outcomes: str) -> dict[str, str]:
    return {f'tallow_client_reports_total{{outcome="{name}"}}': samples for name, samples in outcomes.items()}


def unsent(samples: str, integration: str = "email", reason: str = "serverError") -> dict[str, str]:
    name = "alertmanager_notifications_failed_total"
    return of(ALERTMANAGER, name, samples, f'integration="{integration}",reason="{reason}"')


def taken(prometheus: str, alertmanager: str) -> dict[str, str]:
    """Whether each program accepted its configuration at the last attempt."""
    return of(PROMETHEUS, "prometheus_config_last_reload_successful", prometheus) | of(
        ALERTMANAGER, "alertmanager_config_last_reload_successful", alertmanager
    )


def remote(failed: str, sent: str, name: str = "a") -> dict[str, str]:
    """Prometheus's series about one remote storage."""
    labels = f'remote_name="{name}",url="http://mimir/{name}"'
    return of(PROMETHEUS, "prometheus_remote_storage_samples_failed_total", failed, labels) | of(
        PROMETHEUS, "prometheus_remote_storage_queue_highest_sent_timestamp_seconds", sent, labels
    )


def evaluations(failed: str, missed: str) -> dict[str, str]:
    group = 'rule_group="rules.yml;tallow_security"'
    return of(PROMETHEUS, "prometheus_rule_evaluation_failures_total", failed, group) | of(
        PROMETHEUS, "prometheus_rule_group_iterations_missed_total", missed, group
    )


WATCHDOG = [
    Case("Watchdog", "fires always", {}, firing=(0, 1, 30), labels={}, kinds=("fires",)),
    Case("Watchdog", "fires when nothing is scraped", {"up": gauge((40, 0))}, firing=(0, 30), labels={}),
]

TELEMETRY = [
    Case(
        "TelemetryDropped",
        "fires when something was lost every five minutes for a quarter of an hour, and resolves",
        dropped(counter((20, 0), (30, 1), (30, 0))),
        quiet=(20, 34.5, 55.5),
        firing=(35.75, 54.5),
        kinds=("fires",),
    ),
    Case(
        "TelemetryDropped",
        "stays quiet when peers report more than their share",
        dropped(counter((20, 0), (40, 5)), "client"),
        quiet=(36, 55),
    ),
    Case(
        "TelemetryDropped",
        "stays quiet when something was lost for nine minutes",
        dropped(counter((20, 0), (9, 1), (60, 0))),
        quiet=(30, 33, 34, 36, 60),
        kinds=("below",),
    ),
    Case(
        "LabelOverflow",
        "fires when unlisted values come all the time, and resolves",
        overflowed(counter((20, 0), (40, 4), (40, 0))) | overflowed(counter((20, 0), (40, 4), (40, 0)), "x"),
        quiet=(20, 46.5, 63.5),
        firing=(48.5, 61.5),
        kinds=("fires",),
    ),
    Case(
        "LabelOverflow",
        "stays quiet when just under a hundred come in a quarter of an hour",
        overflowed(counter((20, 0), (60, 6.6))),
        quiet=(40, 50, 79),
        kinds=("below",),
    ),
    Case(
        "ClientReportsRejected",
        "fires when more than a quarter of the reports are refused, and resolves",
        reports(
            accepted=counter((20, 2.9), (50, 2), (50, 2.9)),
            rejected=counter((20, 0), (50, 0.4), (50, 0)),
            rate_limited=counter((20, 0), (50, 0.4), (50, 0)),
        ),
        quiet=(20, 46, 74),
        firing=(49.5, 70.5),
        kinds=("fires", "enough"),
    ),
    Case(
        "ClientReportsRejected",
        "stays quiet when just under a quarter are refused",
        reports(accepted=counter((120, 30)), rejected=counter((120, 4.8)), rate_limited=counter((120, 4.8))),
        quiet=(40, 119),
        kinds=("below",),
    ),
    Case(
        "ClientReportsRejected",
        "stays quiet when fewer than 40 reports stand behind the share",
        reports(accepted=counter((120, 1)), rejected=counter((120, 0.7)), rate_limited=counter((120, 0.9))),
        quiet=(40, 119),
        kinds=("few",),
    ),
]

SENDING = [
    Case(
        "AlertmanagerCannotNotify",
        "fires when a notification failed, and resolves when the window has passed",
        unsent(gauge((20, 0), (60, 1))) | unsent(gauge((80, 0)), "pagerduty"),
        quiet=(20, 29.5, 35.5),
        firing=(30.75, 34.5),
        labels=ALERTMANAGER,
        kinds=("fires",),
    ),
    Case(
        "AlertmanagerCannotNotify",
        "stays quiet while every notification arrives",
        unsent(gauge((80, 3)))
        | of(ALERTMANAGER, "alertmanager_notifications_total", counter((80, 5)), 'integration="email"'),
        quiet=(20, 40, 79),
        labels=ALERTMANAGER,
        kinds=("below",),
    ),
    Case(
        "AlertmanagerCannotNotify",
        "fires when the version of Alertmanager does not tell the reason",
        of(
            ALERTMANAGER,
            "alertmanager_notifications_failed_total",
            gauge((20, 0), (60, 1)),
            'integration="email"',
        ),
        quiet=(20, 29.5, 35.5),
        firing=(30.75, 34.5),
        labels=ALERTMANAGER,
    ),
    Case(
        "AlertmanagerCannotNotify",
        "stays quiet when a reload interrupted notifications, which are sent again",
        unsent(gauge((20, 0), (60, 3)), reason="contextCanceled"),
        quiet=(20, 31, 40, 79),
        labels=ALERTMANAGER,
        kinds=("below",),
    ),
]

TARGETS = [
    Case(
        "TargetMissing",
        "fires when a scrape has failed for ten minutes, and resolves with the next good one",
        {"up": gauge((80, 1)), **of(NODE, "up", gauge((20, 1), (30, 0), (30, 1)))},
        quiet=(20, 29.5, 50.5),
        firing=(30.5, 49.5),
        labels=NODE,
        kinds=("fires",),
    ),
    Case(
        "TargetMissing",
        "stays quiet when a scrape fails for nine minutes",
        {"up": gauge((80, 1)), **of(NODE, "up", gauge((20, 1), (9, 0), (30, 1)))},
        quiet=(20, 25, 29.5, 31),
        labels=NODE,
        kinds=("below",),
    ),
    Case(
        "TargetMissing",
        "fires when a job has lost its last target, for as long as it is remembered",
        {"up": gauge((120, 1)), **of(NODE, "up", gauge_until_stale(40, 1))},
        quiet=(40, 49.5, 75.5),
        firing=(50.5, 69.5),
        labels={"job": "node-exporter"},
        kinds=("fires",),
    ),
    Case(
        "TargetMissing",
        "leaves the scrape of Tallow to ServiceDown",
        {"up": gauge((20, 1), (30, 0))},
        quiet=(30, 49),
    ),
]

LIMITS = [
    Case(
        "ScrapeNearSampleLimit",
        "fires when a scrape has more than 40,000 samples for ten minutes, and resolves",
        {"scrape_samples_post_metric_relabeling": gauge((20, 39_999), (30, 40_001), (30, 39_999))},
        quiet=(20, 29.5, 50.5),
        firing=(30.5, 49.5),
        kinds=("fires",),
    ),
    Case(
        "ScrapeNearSampleLimit",
        "stays quiet just below, whatever other jobs have",
        {"scrape_samples_post_metric_relabeling": gauge((60, 39_999))}
        | of(NODE, "scrape_samples_post_metric_relabeling", gauge((60, 49_999))),
        quiet=(20, 59),
        kinds=("below",),
    ),
]

EVALUATION = [
    Case(
        "RuleEvaluationFailing",
        "fires when evaluations have failed for ten minutes, and resolves",
        evaluations(failed=counter((20, 0), (30, 1), (30, 0)), missed=gauge((80, 0))),
        quiet=(20, 29.5, 55.5),
        firing=(30.75, 54.5),
        labels=PROMETHEUS,
        kinds=("fires",),
    ),
    Case(
        "RuleEvaluationFailing",
        "fires when evaluations have been missed for ten minutes, and resolves",
        evaluations(failed=gauge((80, 0)), missed=counter((20, 0), (30, 1), (30, 0))),
        quiet=(20, 29.5, 55.5),
        firing=(30.75, 54.5),
        labels=PROMETHEUS,
        kinds=("fires",),
    ),
    Case(
        "RuleEvaluationFailing",
        "stays quiet when evaluations failed for four minutes",
        evaluations(failed=counter((20, 0), (4, 1), (30, 0)), missed=counter((20, 0), (4, 1), (30, 0))),
        quiet=(21, 25, 28.5, 31),
        labels=PROMETHEUS,
        kinds=("below",),
    ),
]

TAKEN = gauge((80, 1))
CONFIGURATION = [
    Case(
        "PrometheusConfigRejected",
        "fires when it has been refused for a quarter of an hour, and resolves when it is taken",
        taken(gauge((20, 1), (30, 0), (30, 1)), TAKEN),
        quiet=(20, 34, 50.5),
        firing=(35.5, 49.5),
        labels=PROMETHEUS,
        kinds=("fires",),
    ),
    Case(
        "PrometheusConfigRejected",
        "stays quiet when it was refused for fourteen minutes",
        taken(gauge((20, 1), (14, 0), (40, 1)), TAKEN),
        quiet=(20, 30, 34, 36, 60),
        labels=PROMETHEUS,
        kinds=("below",),
    ),
    Case(
        "PrometheusConfigRejected",
        "goes on through a gap of scrapes",
        taken(gauge((20, 1), (20, 0), (3, None), (20, 0)), TAKEN),
        firing=(35.5, 40.5, 42, 50),
        labels=PROMETHEUS,
    ),
    Case(
        "AlertmanagerConfigRejected",
        "fires when it has been refused for a quarter of an hour, and resolves when it is taken",
        taken(TAKEN, gauge((20, 1), (30, 0), (30, 1))),
        quiet=(20, 34, 50.5),
        firing=(35.5, 49.5),
        labels=ALERTMANAGER,
        kinds=("fires",),
    ),
    Case(
        "AlertmanagerConfigRejected",
        "stays quiet when it was refused for fourteen minutes",
        taken(TAKEN, gauge((20, 1), (14, 0), (40, 1))),
        quiet=(20, 30, 34, 36, 60),
        labels=ALERTMANAGER,
        kinds=("below",),
    ),
    Case(
        "AlertmanagerConfigRejected",
        "goes on through a gap of scrapes",
        taken(TAKEN, gauge((20, 1), (20, 0), (3, None), (20, 0))),
        firing=(35.5, 40.5, 42, 50),
        labels=ALERTMANAGER,
    ),
]

NONE_FAILED = gauge((120, 0))
ARRIVES = counter((120, 60), start=0)
"""The time of the newest sample that arrived; it advances by a minute each minute."""
REMOTE = [
    Case(
        "RemoteWriteFailing",
        "fires when samples have been refused for a quarter of an hour, and resolves",
        remote(counter((20, 0), (30, 1), (70, 0)), ARRIVES)
        | remote(counter((20, 0), (30, 2), (70, 0)), ARRIVES, "b"),
        quiet=(20, 34.5, 55.5, 100),
        firing=(35.75, 54.5),
        labels=PROMETHEUS,
        kinds=("fires",),
    ),
    Case(
        "RemoteWriteFailing",
        "stays quiet when samples were refused for nine minutes",
        remote(counter((20, 0), (9, 1), (91, 0)), ARRIVES),
        quiet=(20, 30, 34, 36, 60),
        labels=PROMETHEUS,
        kinds=("below",),
    ),
    Case(
        "RemoteWriteFailing",
        "fires when for a quarter of an hour the newest sample that arrived is older than five minutes",
        remote(NONE_FAILED, counter((20, 60), (30, 0), (70, 100))) | remote(NONE_FAILED, ARRIVES, "b"),
        quiet=(20, 39, 95),
        firing=(41.5, 60),
        labels=PROMETHEUS,
        kinds=("fires",),
    ),
    Case(
        "RemoteWriteFailing",
        "stays quiet when the newest sample that arrived is always four minutes old",
        remote(NONE_FAILED, counter((120, 60), start=-240)),
        quiet=(20, 40, 119),
        labels=PROMETHEUS,
        kinds=("below",),
    ),
    Case(
        "RemoteWriteFailing",
        "fires when nothing has ever arrived",
        remote(NONE_FAILED, gauge((120, -36_000))),
        quiet=(14,),
        firing=(15.75, 60),
        labels=PROMETHEUS,
    ),
    Case(
        "RemoteWriteFailing",
        "stays quiet without remote write",
        taken(gauge((120, 1)), gauge((120, 1))),
        quiet=(20, 60, 119),
        labels=PROMETHEUS,
        kinds=("below",),
    ),
]

MEMORY = "tallow_process_resident_memory_bytes"
INPUTS = {
    line.split('"')[3]: line
    for line in RULES["RuleInputMissing"].expr.splitlines()
    if line.strip().startswith('"metric"')
}
"""The metrics whose absence the rule reports."""
PLACES = {
    "tallow": {"job": "tallow", "instance": INSTANCE},
    "alertmanager": ALERTMANAGER,
    "prometheus": PROMETHEUS,
    "node": NODE,
}


def place_of(metric: str) -> dict[str, str]:
    return PLACES[metric.partition("_")[0]]


def exposed(*missing: str) -> dict[str, str]:
    """Every metric that rules read, except those ``missing``, from targets that are up."""
    ups = {key: value for place in PLACES.values() for key, value in of(place, "up", gauge((60, 1))).items()}
    metrics = [metric for metric in INPUTS if metric not in missing]
    return {
        **ups,
        **{key: value for name in metrics for key, value in of(place_of(name), name, gauge((60, 1))).items()},
    }


def _disappears(metric: str) -> Case:
    """A metric that is missing for a while and then returns."""
    samples = f"{gauge_until_stale(2, 1)} {gauge((11.75, None), (10, 1))}"
    return Case(
        "RuleInputMissing",
        f"fires when {metric} has been missing for ten minutes although the scrape works, and resolves",
        exposed(metric) | of(place_of(metric), metric, samples),
        quiet=(1.5, 11.5, 14.5),
        firing=(12.75, 13.5),
        labels={**place_of(metric), "metric": metric},
        kinds=("fires",),
    )


MISSING = [
    *(_disappears(metric) for metric in INPUTS),
    Case(
        "RuleInputMissing",
        "stays quiet when every metric is there",
        exposed(),
        quiet=(10.5, 20),
        kinds=("below",),
    ),
    Case(
        "RuleInputMissing",
        "leaves a target whose scrape fails to the rules about that",
        {key: gauge((60, 0)) for place in PLACES.values() for key in of(place, "up", "")}
        | {"tallow_process_start_time_seconds": gauge((60, None))},
        quiet=(10.5, 20),
    ),
    Case(
        "RuleInputMissing",
        "notices it on one instance although another has the metric",
        exposed()
        | {'up{instance="other:3000"}': gauge((60, 1))}
        | {
            key: value
            for metric in INPUTS
            if metric.startswith("tallow_") and metric != MEMORY
            for key, value in {f'{metric}{{instance="other:3000"}}': gauge((60, 1))}.items()
        },
        quiet=(9,),
        firing=(10.75, 20),
        labels={"job": "tallow", "instance": "other:3000", "metric": MEMORY},
    ),
]

CASES = [
    *WATCHDOG,
    *TELEMETRY,
    *SENDING,
    *TARGETS,
    *LIMITS,
    *EVALUATION,
    *CONFIGURATION,
    *REMOTE,
    *MISSING,
]
