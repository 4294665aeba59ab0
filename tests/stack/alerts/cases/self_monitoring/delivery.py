"""When the alerts on evaluation, notification and remote storage fire, and when not."""

from __future__ import annotations

from stack.alerts.cases.self_monitoring.configuration import taken
from stack.alerts.cases.self_monitoring.programs import ALERTMANAGER, PROMETHEUS, of
from support.alert_rules.promtool import Case, counter, gauge


def unsent(samples: str, integration: str = "email", reason: str = "serverError") -> dict[str, str]:
    name = "alertmanager_notifications_failed_total"
    return of(ALERTMANAGER, name, samples, f'integration="{integration}",reason="{reason}"')


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

CASES = [*WATCHDOG, *SENDING, *EVALUATION, *REMOTE]
