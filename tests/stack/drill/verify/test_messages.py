"""Messages read as their reader would."""

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


def test_the_runbook_names_the_alert_and_the_instance_its_server() -> None:
    assert concerns(MAIL, "HighErrorRate", "127.0.0.1:3000")
    assert not concerns(MAIL, "HighErrorRate", "127.0.0.1:3001")
    assert not concerns(MAIL, "HighError", "127.0.0.1:3000")
    assert concerns(MAIL, "HighErrorRate", "")


def test_a_message_about_no_instance_is_about_any() -> None:
    message = ReceivedMessage(
        "slack", "slack", True, "Alertmanager cannot deliver", "/runbooks/AlertmanagerCannotNotify"
    )
    assert concerns(message, "AlertmanagerCannotNotify", "127.0.0.1:9093")


def test_arrivals_are_counted_by_place() -> None:
    tray = Inbox([MAIL, MAIL, replace(MAIL, firing=False)])
    came = deliveries(tray, "HighErrorRate", "127.0.0.1:3000", firing=True, since=0)
    assert came == {("email", "default@drill.invalid"): 2}


def test_a_whole_message_lacks_nothing() -> None:
    assert list(message_problems(MAIL, RULE, SEEN)) == []


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"subject": MAIL.subject.replace("DRILL · ", "")}, "not marked"),
        ({"subject": MAIL.subject.replace("WARNING", "ERROR")}, "does not name the severity"),
        ({"text": MAIL.text.replace("/d/errors", "")}, "no link to a panel"),
        ({"text": MAIL.text.replace("2 errors", "<no value> errors")}, "a value is missing"),
        ({"text": MAIL.text.replace("makes many errors", "is well")}, "no summary"),
        ({"text": MAIL.text.replace("Over 20s", "Once")}, "no description"),
    ],
)
def test_what_a_message_lacks_is_said(changed: dict[str, Any], said: str) -> None:
    assert any(said in one for one in message_problems(replace(MAIL, **changed), RULE, SEEN))


def alert(state: str, at: str = "2026-01-01T00:00:00.123456789Z") -> dict[str, object]:
    labels = {"alertname": "HighErrorRate", "instance": "127.0.0.1:3000"}
    return {"labels": labels, "annotations": {"summary": "s"}, "state": state, "activeAt": at}


def test_an_alert_is_seen_pending_firing_and_gone() -> None:
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


def test_an_alert_that_comes_again_is_a_new_one() -> None:
    observer = AlertObserver()
    observer.record([alert("firing")])
    observer.record([])
    observer.record([alert("pending", "2026-01-01T01:00:00Z")])
    seen = observer.current("HighErrorRate", "127.0.0.1:3000")
    assert seen is not None
    assert seen.firing_at is None
