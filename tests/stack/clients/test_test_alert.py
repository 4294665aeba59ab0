"""The result of a test alert is not mixed up with those of other notifications.

Alertmanager's metrics are scripted: when a real one repeats another notification cannot be chosen.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import pytest

from tallow.stack.alerts.links import Links
from tallow.stack.clients import test_alert
from tallow.stack.engines.services.api import Api
from tallow.stack.engines.state.state_dir import StateDir
from tallow.stack.routing.matrix import DEFAULT

GROUP_WAIT_S = 0.2


class Alertmanager:
    """Answers with the counters of its schedule: ``(seconds, requests, failed)`` from a time on."""

    def __init__(self, *schedule: tuple[float, int, int]) -> None:
        self._schedule = schedule
        self._now = 0.0

    def monotonic(self) -> float:
        return self._now

    def sleep(self, seconds: float) -> None:
        self._now += seconds

    def post(self, _path: str, _body: object) -> None:
        """Accept an alert."""

    def text(self, _path: str) -> str:
        _, requests, failed = [step for step in self._schedule if step[0] <= self._now][-1]
        return (
            f'alertmanager_notification_requests_total{{integration="email"}} {requests}\n'
            f'alertmanager_notification_requests_failed_total{{integration="email"}} {failed}\n'
        )


def result(
    monkeypatch: pytest.MonkeyPatch, home: StateDir, alertmanager: Alertmanager
) -> test_alert.TestAlertResult:
    monkeypatch.setattr(test_alert, "time", alertmanager)
    monkeypatch.setattr(test_alert, "POLL_S", GROUP_WAIT_S / 20)
    api = cast("Api", alertmanager)
    sent = test_alert.TestAlert.send(
        api, DEFAULT, ("email",), Links("http://localhost:9095/runbooks", "http://localhost:3001")
    )
    (found,) = sent.results(api, home, GROUP_WAIT_S, 1.0)
    return found


def log_error(home: StateDir, text: str, ago: timedelta) -> None:
    line = {
        "ts": (datetime.now(UTC) - ago).isoformat().replace("+00:00", "Z"),
        "level": "warn",
        "msg": "Notify attempt failed, will retry later",
        "receiver": DEFAULT.name,
        "integration": "email[0]",
        "err": text,
    }
    with (home.logs / "alertmanager.log").open("a") as log:
        log.write(json.dumps(line) + "\n")


@pytest.fixture
def home(tmp_path: Path) -> StateDir:
    made = StateDir(tmp_path / "home")
    made.make()
    made.logs.mkdir(exist_ok=True)
    return made


@pytest.mark.parametrize(
    ("during_the_wait", "after_it", "outcome"),
    [
        ((9, 5), (10, 5), "delivered"),
        ((9, 5), (10, 6), "failed"),
        ((9, 4), (10, 5), "failed"),
        ((9, 5), (9, 5), "silent"),
    ],
)
def test_notifications_before_the_group_wait_ends_are_others(
    monkeypatch: pytest.MonkeyPatch,
    home: StateDir,
    during_the_wait: tuple[int, int],
    after_it: tuple[int, int],
    outcome: str,
) -> None:
    scripted = Alertmanager(
        (0, 8, 4), (0.25 * GROUP_WAIT_S, *during_the_wait), (1.05 * GROUP_WAIT_S, *after_it)
    )
    found = result(monkeypatch, home, scripted)
    assert found.outcome == outcome
    assert found.seconds > GROUP_WAIT_S


def test_the_reason_of_a_repeated_failure_is_the_one_that_was_logged(
    monkeypatch: pytest.MonkeyPatch, home: StateDir
) -> None:
    log_error(home, "an error of yesterday", timedelta(days=1))
    log_error(home, "530 Must issue a STARTTLS command first", timedelta(minutes=1))
    failing = Alertmanager((0, 1, 1), (1.05 * GROUP_WAIT_S, 2, 2))
    assert result(monkeypatch, home, failing).detail == "530 Must issue a STARTTLS command first"


def test_without_a_logged_reason_the_log_is_named(monkeypatch: pytest.MonkeyPatch, home: StateDir) -> None:
    log_error(home, "an error of yesterday", timedelta(days=1))
    failing = Alertmanager((0, 1, 1), (1.05 * GROUP_WAIT_S, 2, 2))
    assert "tallow logs alertmanager" in result(monkeypatch, home, failing).detail
