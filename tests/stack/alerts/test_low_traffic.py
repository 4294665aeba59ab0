"""A small server: ten transfers an hour."""

from __future__ import annotations

from pathlib import Path

import pytest

from stack.alerts.cases.connections import attempts
from stack.alerts.cases.performance import durations
from stack.alerts.cases.security import exchanges
from stack.alerts.cases.shared import events
from stack.alerts.cases.transfers import QUEUE, transfers
from stack.alerts.fleet import ALWAYS, REQUESTED, START, Event, document, on
from support.alert_rules.promtool import bare, counter, gauge, merged, run
from tallow.stack.alerts import RULES

pytestmark = pytest.mark.slow

NIGHT = 120
"""Minutes of a case. They are stretched by six: twelve hours."""
STRETCH = 6
PLACE = "a:3000"
NOTIFYING = {name for name, rule in RULES.items() if rule.severity != "info"}


def night(failures: str, prefixes: tuple[float, ...], successes: str = gauge((NIGHT, 7))) -> dict[str, str]:
    """Transfers that fail with their key exchange and connection, and the minutes of each prefix's first."""
    outcomes = {
        f'tallow_client_outcomes_total{{kind="{kind}",status="{status}"}}': samples
        for kind in ("transfer", "connection", "key_exchange")
        for status, samples in (("failed", events(*prefixes, until=NIGHT)), ("success", gauge((NIGHT, 7))))
    }
    return on(
        PLACE,
        merged(
            transfers(success=successes, failed=failures),
            durations(10, failures, status="failed", size="1mb_10mb"),
            attempts(success=successes, failed=failures),
            exchanges(success=successes, failed=failures),
            outcomes,
            {
                "up": gauge((NIGHT, 1)),
                'tallow_errors_total{type="network",severity="medium"}': failures,
                'tallow_active_connections{type="websocket"}': gauge((NIGHT, 1)),
                QUEUE: gauge((NIGHT, 0)),
                START: gauge((NIGHT, -72_000)),
                REQUESTED: gauge((NIGHT, -72_000)),
            },
        ),
    )


PROGRAMS = {
    f'up{{job="{job}",instance="{job}:1"}}': gauge((NIGHT, 1))
    for job in ("alertmanager", "prometheus", "node-exporter")
}
HOURLY = counter((NIGHT, 1))
"""Ten an hour: one a minute of the case."""
AT = (15, 30, 45, 60, 61, 75, 90, 119)
WARNINGS = ("HighTransferFailureRate", "HighConnectionFailureRate", "PQCFailuresLowTraffic")


def check(event: Event, folder: Path) -> str:
    test = document(event)
    checks = test["alert_rule_test"]
    assert isinstance(checks, list)
    test["alert_rule_test"] = [
        one for one in checks if one["alertname"] in NOTIFYING - {"RuleInputMissing"} | ALWAYS
    ]
    return run([test], [bare(rule.render()) for rule in RULES.values()], folder, 15 * STRETCH)


def test_ten_failing_transfers_an_hour_from_three_prefixes_notify_within_six_hours(tmp_path: Path) -> None:
    """They do within minutes of the third prefix, and for as long as it lasts."""
    test = night(HOURLY, (20, 22, 24, 80, 82, 84)) | PROGRAMS
    fired = {(alert, PLACE): [(26, 119.0)] for alert in (*WARNINGS, "NoSuccessfulTransfers")}
    slow = {alert: [(28, 119.0)] for alert in ("TransferBudgetBurnsSlow", "ConnectionBudgetBurnsSlow")}
    event = Event("ten failing transfers an hour", test, AT, fired, STRETCH, slow)
    assert check(event, tmp_path) == ""


def test_a_single_failure_at_night_notifies_nobody(tmp_path: Path) -> None:
    event = Event("one failure", night(events(30, until=NIGHT), (30,)) | PROGRAMS, AT, stretch=STRETCH)
    assert check(event, tmp_path) == ""


def test_one_client_that_retries_all_night_notifies_nobody(tmp_path: Path) -> None:
    """It fails every minute, as often as its quota allows, and counts once in six hours."""
    event = Event("one client", night(counter((NIGHT, 6)), (20, 80)) | PROGRAMS, AT, stretch=STRETCH)
    assert check(event, tmp_path) == ""


def test_two_clients_that_retry_all_night_notify_nobody(tmp_path: Path) -> None:
    event = Event("two clients", night(counter((NIGHT, 2)), (20, 22, 80, 82)) | PROGRAMS, AT, stretch=STRETCH)
    assert check(event, tmp_path) == ""
