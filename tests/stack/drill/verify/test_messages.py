"""Received messages are matched to alerts and checked for their content."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tallow.stack import alerts
from tallow.stack.drill.environment.alert_observer import AlertObserver, AlertTimeline
from tallow.stack.drill.receivers.message import Inbox, ReceivedMessage
from tallow.stack.drill.verify.messages import concerns, deliveries, message_problems

RULE = alerts.RULES["HighErrorRate"]
SEEN = AlertTimeline(
    0.0, 1.0, True, "Tallow on 127.0.0.1:3000 makes many errors", "Over 20s: 1.5 errors a second"
)
MAIL = ReceivedMessage(
    "email",
    "default@drill.invalid",
    True,
    "[WARNING] DRILL · Tallow on 127.0.0.1:3000 makes many errors",
    "HighErrorRate · warning · 127.0.0.1:3000\nTallow on 127.0.0.1:3000 makes many errors\n"
    "Over 20s: 2 errors a second\nhttp://localhost:9095/runbooks/HighErrorRate http://localhost:3001/d/errors",
)


def test_a_message_is_matched_by_runbook_and_instance() -> None:
    assert concerns(MAIL, "HighErrorRate", "127.0.0.1:3000")
    assert not concerns(MAIL, "HighErrorRate", "127.0.0.1:3001")
    assert not concerns(MAIL, "HighError", "127.0.0.1:3000")
    assert concerns(MAIL, "HighErrorRate", "")


def test_a_message_without_instance_concerns_every_instance() -> None:
    message = ReceivedMessage(
        "slack", "slack", True, "Alertmanager cannot deliver", "/runbooks/AlertmanagerCannotNotify"
    )
    assert concerns(message, "AlertmanagerCannotNotify", "127.0.0.1:9093")


def test_deliveries_are_counted_by_destination() -> None:
    inbox = Inbox([MAIL, MAIL, replace(MAIL, firing=False)])
    found = deliveries(inbox, "HighErrorRate", "127.0.0.1:3000", firing=True, since=0)
    assert found == {("email", "default@drill.invalid"): 2}


def test_a_complete_message_has_no_problems() -> None:
    assert list(message_problems(MAIL, RULE, SEEN)) == []


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"subject": MAIL.subject.replace("DRILL · ", "")}, "not marked"),
        ({"subject": MAIL.subject.replace("WARNING", "ERROR")}, "does not name the severity"),
        ({"text": MAIL.text.replace("/d/errors", "")}, "no link to a panel"),
        ({"text": MAIL.text.replace("2 errors", "<no value> errors")}, "a value is missing"),
        ({"text": MAIL.text.replace("makes many errors", "is well")}, "no summary"),
        ({"text": MAIL.text.replace("Over 20s", "Once")}, "no description"),
    ],
)
def test_missing_content_is_a_problem(changed: dict[str, Any], expected: str) -> None:
    assert any(expected in one for one in message_problems(replace(MAIL, **changed), RULE, SEEN))


def alert(state: str, at: str = "2026-01-01T00:00:00.123456789Z") -> dict[str, object]:
    labels = {"alertname": "HighErrorRate", "instance": "127.0.0.1:3000"}
    return {"labels": labels, "annotations": {"summary": "s"}, "state": state, "activeAt": at}


def test_pending_firing_and_absent_alerts_are_recorded() -> None:
    observer = AlertObserver()
    observer.record([alert("pending")])
    seen = observer.current("HighErrorRate", "127.0.0.1:3000")
    assert seen is not None
    assert (round(seen.pending_at, 3), seen.firing_at) == (1767225600.123, None)
    observer.record([alert("firing")])
    assert seen.firing_at is not None
    assert observer.fired_alerts == {"127.0.0.1:3000": {"HighErrorRate"}}
    observer.record([])
    assert observer.current("HighErrorRate", "127.0.0.1:3000") is None


def test_a_recurring_alert_has_a_new_timeline() -> None:
    observer = AlertObserver()
    observer.record([alert("firing")])
    observer.record([])
    observer.record([alert("pending", "2026-01-01T01:00:00Z")])
    seen = observer.current("HighErrorRate", "127.0.0.1:3000")
    assert seen is not None
    assert seen.firing_at is None
