"""The list of alerts is complete at every width, and its text cannot control the terminal."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from rich.console import Console

from tallow.stack.alerts import RULES
from tallow.stack.clients.alertmanager import Alert
from tallow.stack.commands.output.alerts import show_alerts

SUMMARY = "The objective burns three times as fast as it may: 12.3 % of connections fail over six hours"
ADDRESS = "http://localhost:9095/runbooks/{}"


def alert(name: str, severity: str = "warning", **given: Any) -> Alert:
    labels = {"alertname": name, "severity": severity, "job": "tallow", "instance": "localhost:3000"}
    return Alert(
        labels | given.pop("labels", {}),
        {"summary": SUMMARY, "runbook_url": ADDRESS.format(name)} | given.pop("annotations", {}),
        given.pop("state", "firing"),
        datetime.now(UTC) - timedelta(minutes=5),
        ("default",),
        **given,
    )


def shown(*alerts: Alert, width: int = 80, has_watchdog: bool = True) -> str:
    out = io.StringIO()
    show_alerts(Console(file=out, width=width), alerts, has_watchdog=has_watchdog)
    return out.getvalue()


@pytest.mark.parametrize("width", [60, 80, 120])
def test_every_alert_is_shown_completely(width: int) -> None:
    text = shown(*map(alert, RULES), width=width)
    assert "…" not in text
    for name in RULES:
        assert f"  {name}  " in text
        assert ADDRESS.format(name) in text  # never wrapped, so that it can be opened
    assert " ".join(text.split()).count(SUMMARY) == len(RULES)
    assert all(len(line) <= width for line in text.splitlines() if "http" not in line)
    assert not any(line.endswith(" ") for line in text.splitlines() if not line.startswith(" "))


def test_an_alert_takes_one_line_on_a_wide_terminal() -> None:
    first = shown(alert("HighCPUUsage")).splitlines()[0]
    assert first.split() == ["warning", "HighCPUUsage", "tallow", "localhost:3000", "firing", "for", "5", "m"]


def test_a_location_that_does_not_fit_is_shown_below() -> None:
    long = alert("HighCPUUsage", labels={"instance": "a-rather-long-host-name.example.org:3000"})
    first, second, *_ = shown(long, width=60).splitlines()
    assert first == "warning   HighCPUUsage  firing for 5 m"
    assert second == "          tallow a-rather-long-host-name.example.org:3000"


def test_silenced_and_inhibited_alerts_have_no_runbook() -> None:
    silenced = shown(alert("HighCPUUsage", state="silenced", suppressed_by=("0123456789ab", "fedcba987654")))
    assert "firing for 5 m, silenced by 01234567, fedcba98" in silenced
    assert "runbooks" not in silenced
    assert "firing for 5 m, inhibited" in shown(alert("HighCPUUsage", state="inhibited"))


@pytest.mark.parametrize("place", ["labels", "annotations"])
def test_text_of_an_alert_cannot_control_the_terminal(place: str) -> None:
    attack = "web\x1b[2J\x07\r\x9b31m\u202e\n[red]x"
    given: Any = (
        {"labels": {"instance": attack}} if place == "labels" else {"annotations": {"summary": attack}}
    )
    text = shown(alert("HighCPUUsage", **given), width=200)
    assert "web\\x1b[2J\\x07\\r\\x9b31m\\u202e\\n[red]x" in text
    assert all(line.isprintable() for line in text.splitlines())


def test_without_watchdog_a_warning_is_shown() -> None:
    assert shown(has_watchdog=False).startswith("Watchdog does not fire")
    assert shown() == "nothing fires\n"
