"""When the alerts on rejected configurations fire, and when not."""

from __future__ import annotations

from stack.alerts.cases.self_monitoring.programs import ALERTMANAGER, PROMETHEUS, of
from support.alert_rules.promtool import Case, gauge


def taken(prometheus: str, alertmanager: str) -> dict[str, str]:
    """Whether each program accepted its configuration at the last attempt."""
    return of(PROMETHEUS, "prometheus_config_last_reload_successful", prometheus) | of(
        ALERTMANAGER, "alertmanager_config_last_reload_successful", alertmanager
    )


TAKEN = gauge((80, 1))
CASES = [
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
