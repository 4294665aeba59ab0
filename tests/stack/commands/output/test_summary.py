"""What `up` and `status` show about notifications."""

from __future__ import annotations

import pytest
from rich.console import Console
from rich.panel import Panel

from tallow.stack.commands.output.summary import notification_summary
from tallow.stack.routing import AlertSettings

MAIL = {"smtp_host": "mail.example.org", "alert_email_default": "ops@example.org"}
OUTSIDE = {"heartbeat_url": "https://hc.example.org/ping"}
CHAT = {"slack_webhook_url": "https://hooks.slack.com/services/T/B/x"}
NO_MAIL, NO_CHAT = "no notifications by e-mail", "no notifications by telephone or chat"
NO_HEARTBEAT = "heartbeat: HEARTBEAT_URL is not set"


def lines_by_style(given: dict[str, str]) -> dict[str, list[str]]:
    """The lines of the summary by the style in which they are shown."""
    console = Console(width=200, record=True, force_terminal=True)
    found: dict[str, list[str]] = {}
    summary = notification_summary(AlertSettings.model_validate(given))
    for segments in console.render_lines(summary, pad=False):
        for segment in segments:
            if segment.text.strip("╭╮╰╯│─ "):
                found.setdefault(str(segment.style), []).append(segment.text.strip())
    return found


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({}, [NO_MAIL, NO_CHAT, NO_HEARTBEAT]),
        (MAIL, [NO_CHAT, NO_HEARTBEAT]),
        (MAIL | OUTSIDE, [NO_CHAT]),
        (MAIL | CHAT, [NO_HEARTBEAT]),
    ],
)
def test_a_channel_that_notifies_nobody_is_red(given: dict[str, str], missing: list[str]) -> None:
    assert isinstance(notification_summary(AlertSettings.model_validate(given)), Panel)
    red = lines_by_style(given)["bold red"]
    assert len(red) == len(missing)
    assert all(line.startswith(start) for line, start in zip(red, missing, strict=True))


def test_a_channel_that_one_receiver_lacks_is_yellow() -> None:
    found = lines_by_style(MAIL | OUTSIDE | CHAT)
    assert list(found) == ["yellow"]
    assert "critical-alerts: no pagerduty: PAGERDUTY_ROUTING_KEY is not set" in found["yellow"]
