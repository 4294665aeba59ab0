"""`tallow alerts`, `silence`, `query` and the routing, with a real Alertmanager and strict fake receivers."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from starlette.applications import Starlette

from support.stack import Stack, expect_value, stack, wait_until
from tallow.cli import main
from tallow.stack.drill.receivers import serve as web
from tallow.stack.drill.receivers import slack
from tallow.stack.drill.receivers.message import Inbox
from tallow.stack.engines.errors import StackError
from tallow.stack.engines.services.api import Api
from tallow.stack.engines.services.definitions import ports

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("alerts")]

SCALE = 1 / 30
"""With it a group wait of 30 s takes one second, and an interval of 5 minutes ten."""
QUERY = re.compile(r"tallow query '([^']+)'")
WEBHOOK = "/services/T0AB/B0CD/token"


@contextmanager
def fake_slack() -> Iterator[tuple[Inbox, int]]:
    """A fake Slack webhook, as strict as Slack's own, in a thread; yields its inbox and its port."""
    inbox, loop, started = Inbox(), asyncio.new_event_loop(), threading.Event()
    port: list[int] = []
    stop = asyncio.Event()

    async def serve() -> None:
        async with web.serving(Starlette(routes=[slack.webhook_route(inbox, WEBHOOK)])) as number:
            port.append(number)
            started.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert started.wait(60)
    try:
        yield inbox, port[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(60)
        loop.close()


@pytest.fixture(scope="module")
def slack_receiver() -> Iterator[tuple[Inbox, int]]:
    with fake_slack() as found:
        yield found


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, slack_receiver: tuple[Inbox, int]) -> Iterator[Stack]:
    folder: Path = tmp_path_factory.mktemp("alerts")
    (folder / ".env").write_text(f"SLACK_WEBHOOK_URL=http://127.0.0.1:{slack_receiver[1]}{WEBHOOK}\n")
    with stack(folder, SCALE) as started:
        wait_until(lambda: "Watchdog" in tallow(started, "alerts", "--json").output, "the Watchdog arrives")
        yield started


def tallow(running: Stack, *arguments: str) -> Result:
    return CliRunner().invoke(main, [*arguments, "--home", str(running.state_dir.root)])


def post(running: Stack, name: str, instance: str, *, resolved: bool = False, **labels: str) -> None:
    """Send an alert to Alertmanager as Prometheus does."""
    now = datetime.now(UTC)
    given = {"severity": "warning", "category": "transfers", "service": "tallow", "job": "tallow", **labels}
    alert = {
        "labels": {"alertname": name, "instance": instance, **given},
        "annotations": {"summary": f"{name} on {instance}", "description": "It happens."},
        "startsAt": (now - timedelta(minutes=5)).isoformat(),
        "endsAt": (now if resolved else now + timedelta(hours=1)).isoformat(),
    }
    Api.of("alertmanager", running.state_dir).post("/api/v2/alerts", [alert])


def states(running: Stack, instance: str) -> dict[str, str]:
    """The state of each alert of one instance, by `tallow alerts --json`."""
    found: list[dict[str, Any]] = json.loads(tallow(running, "alerts", "--json").output)
    return {
        alert["labels"]["alertname"]: alert["state"]
        for alert in found
        if alert["labels"].get("instance") == instance
    }


def test_service_down_inhibits_the_other_alerts_of_its_instance_only(running: Stack) -> None:
    for instance in ("down:1", "fine:1"):
        post(running, "HighCPUUsage", instance, category="performance")
        post(running, "HighPQCFailureRate", instance, severity="critical", category="security")
    post(running, "HighCPUUsage", "down:1", category="performance", job="another")
    post(running, "ServiceDown", "down:1", severity="critical", category="availability")
    held = {"ServiceDown": "firing", "HighCPUUsage": "inhibited", "HighPQCFailureRate": "inhibited"}
    expect_value(
        lambda: states_by_job(running, "down:1"), {"tallow": held, "another": {"HighCPUUsage": "firing"}}
    )
    both = {"HighCPUUsage": "firing", "HighPQCFailureRate": "firing"}
    expect_value(lambda: states(running, "fine:1"), both)
    for instance in ("down:1", "fine:1"):
        post(running, "HighCPUUsage", instance, category="performance", resolved=True)
        post(running, "HighPQCFailureRate", instance, severity="critical", category="security", resolved=True)
    post(running, "HighCPUUsage", "down:1", category="performance", job="another", resolved=True)
    post(running, "ServiceDown", "down:1", severity="critical", category="availability", resolved=True)


def states_by_job(running: Stack, instance: str) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for alert in json.loads(tallow(running, "alerts", "--json").output):
        if alert["labels"].get("instance") == instance:
            found.setdefault(alert["labels"]["job"], {})[alert["labels"]["alertname"]] = alert["state"]
    return found


def test_a_critical_alert_inhibits_the_warnings_of_its_category(running: Stack) -> None:
    place = "critical:1"
    post(running, "NoSuccessfulTransfers", place, severity="critical")
    post(running, "HighTransferFailureRate", place)
    post(running, "NoActiveConnections", place, severity="info")
    post(running, "HighRelayUsage", place, category="connections")
    wanted = {
        "NoSuccessfulTransfers": "firing",
        "HighTransferFailureRate": "inhibited",
        "NoActiveConnections": "firing",
        "HighRelayUsage": "firing",
    }
    expect_value(lambda: states(running, place), wanted)
    assert not running.mail(f"HighTransferFailureRate on {place}"), "an inhibited alert sends nothing"


def test_a_fast_budget_burn_inhibits_only_the_slow_alert_of_its_objective(running: Stack) -> None:
    def burns(alert: str, severity: str) -> None:
        objective, *_ = alert.partition("BudgetBurns")
        post(running, alert, "", severity=severity, category="monitoring", objective=f"{objective.lower()}s")

    burns("TransferBudgetBurnsFast", "critical")
    for objective in ("Transfer", "Connection"):
        burns(f"{objective}BudgetBurnsSlow", "warning")
    wanted = {
        "TransferBudgetBurnsFast": "firing",
        "TransferBudgetBurnsSlow": "inhibited",
        "ConnectionBudgetBurnsSlow": "firing",
    }
    expect_value(lambda: {name: objective_states(running).get(name) for name in wanted}, wanted)


def objective_states(running: Stack) -> dict[str, str]:
    """The state of each alert that has an objective."""
    found: list[dict[str, Any]] = json.loads(tallow(running, "alerts", "--json").output)
    return {alert["labels"]["alertname"]: alert["state"] for alert in found if "objective" in alert["labels"]}


def test_security_warnings_are_not_inhibited_by_a_critical_alert(running: Stack) -> None:
    place = "secure:1"
    post(running, "HighPQCFailureRate", place, severity="critical", category="security")
    post(running, "UnauthorizedAPIAccess", place, category="security")
    wanted = {"HighPQCFailureRate": "firing", "UnauthorizedAPIAccess": "firing"}
    expect_value(lambda: states(running, place), wanted)
    assert wait_until(lambda: running.mail(f"UnauthorizedAPIAccess on {place}"), "the mail of the warning")


def test_a_message_is_sent_when_the_alert_is_resolved(running: Stack) -> None:
    post(running, "TransferQueueBacklog", "queue:1")
    wait_until(lambda: running.mail("TransferQueueBacklog on queue:1"), "the page")
    post(running, "TransferQueueBacklog", "queue:1", resolved=True)
    resolved = wait_until(
        lambda: [
            mail for mail in running.mail("TransferQueueBacklog on queue:1") if "RESOLVED" in mail.subject
        ],
        "the message that it is resolved",
    )
    assert "Resolved. The alert reported: It happens." in resolved[0].text


def test_alerts_shows_what_fires_and_since_when(running: Stack) -> None:
    post(running, "HighMemoryUsage", "show:1", category="performance")
    expect_value(lambda: states(running, "show:1"), {"HighMemoryUsage": "firing"})
    shown = tallow(running, "alerts")
    assert shown.exit_code == 1
    # One line per alert if all lines fit the width, otherwise a block per alert.
    row = r"warning\s+HighMemoryUsage\s+(tallow\s+show:1\s+firing for 5 m|firing for 5 m\s+tallow\s+show:1)"
    assert len(re.findall(row, shown.output)) == 1, shown.output
    assert "HighMemoryUsage on show:1" in shown.output
    assert "Watchdog" not in shown.output


def test_a_silence_is_added_listed_and_expired(running: Stack) -> None:
    post(running, "SlowTransfers", "silence:1", category="performance")
    wait_until(lambda: states(running, "silence:1") == {"SlowTransfers": "firing"}, "it fires")
    added = tallow(
        running, "silence", "add", "SlowTransfers", "instance=silence:1", "--for", "2h", "--comment", "a test"
    )
    assert added.exit_code == 0, added.output
    identity = added.output.split()[0]
    wait_until(lambda: states(running, "silence:1") == {"SlowTransfers": "silenced"}, "it is silenced")
    assert f"silenced by {identity[:8]}" in tallow(running, "alerts").output
    listed = tallow(running, "silence", "list").output
    assert f"{identity[:8]}  until" in listed
    assert 'alertname="SlowTransfers" instance="silence:1"' in listed
    assert "a test" in listed
    assert "ended" in tallow(running, "silence", "expire", identity[:8]).output
    wait_until(lambda: states(running, "silence:1") == {"SlowTransfers": "firing"}, "it fires again")
    assert "nothing is silenced" in tallow(running, "silence", "list").output
    assert f"{identity[:8]}  " in tallow(running, "silence", "list", "--all").output


def test_expire_reports_an_unknown_silence(running: Stack) -> None:
    done = tallow(running, "silence", "expire", "zzzz")
    assert done.exit_code == 1
    assert done.output == "Error: no silence begins with 'zzzz'; see: tallow silence list\n"


def ports_in(text: str) -> set[int]:
    """The ports of all loopback addresses in a text."""
    return {int(port) for port in re.findall(r"(?:localhost|127\.0\.0\.1):(\d+)", text)}


HOSTILE = (
    "<!channel> <https://evil.example|click> \x1b[2J\u202e\u009b31m `x`\r\nBcc: x@example.org " + "long " * 60
)


def test_text_of_labels_is_escaped_in_terminal_chat_and_mail(
    running: Stack, slack_receiver: tuple[Inbox, int]
) -> None:
    inbox, _ = slack_receiver
    now = datetime.now(UTC)
    labels = {"alertname": "Hostile", "severity": "critical", "category": "security", "instance": HOSTILE}
    annotations = {"summary": HOSTILE, "description": HOSTILE, "runbook_url": f"javascript:{HOSTILE}"}
    body = {
        "labels": labels,
        "annotations": annotations,
        "startsAt": now.isoformat(),
        "endsAt": (now + timedelta(hours=1)).isoformat(),
    }
    Api.of("alertmanager", running.state_dir).post("/api/v2/alerts", [body])
    (mail, *_) = wait_until(lambda: running.mail("evil.example"), "the mail")
    page = wait_until(lambda: [one for one in inbox.messages if "evil.example" in one.text], "the page")[0]
    assert len(mail.subject) == 200
    assert mail.subject.startswith("[CRITICAL] <!channel>")
    assert mail.subject.endswith("\N{HORIZONTAL ELLIPSIS}")
    assert "[MENTION" not in f"{page.subject}{page.text}"
    assert "<!channel>" in page.subject
    for arguments in (["inbox"], ["inbox", str(mail.number)], ["alerts"]):
        shown = tallow(running, *arguments).stdout
        assert "evil.example" in shown
        assert all(character.isprintable() or character == "\n" for character in shown)
    (found,) = [one for one in json.loads(tallow(running, "inbox", "--json").output) if one["id"] == mail.key]
    assert found["subject"] == mail.subject


def test_silences_are_listed_as_json(running: Stack) -> None:
    done = tallow(running, "silence", "add", "HighCPUUsage", "instance=json:1", "--comment", "why \x1b[2J")
    identity = done.output.split()[0]
    found = json.loads(tallow(running, "silence", "list", "--json").output)
    (ours,) = [one for one in found if one["id"] == identity]
    assert ours["state"] in {"active", "pending"}
    assert ours["comment"] == "why \x1b[2J"
    assert {"name": "instance", "value": "json:1", "regex": False, "equal": True} in ours["matchers"]
    assert datetime.fromisoformat(ours["ends"]) > datetime.now(UTC)
    assert "why \\x1b[2J" in tallow(running, "silence", "list").output
    tallow(running, "silence", "expire", identity)
    active = json.loads(tallow(running, "silence", "list", "--json").output)
    assert identity not in [one["id"] for one in active]
    every = json.loads(tallow(running, "silence", "list", "--all", "--json").output)
    assert identity in [one["id"] for one in every]


def test_a_test_alert_is_delivered_through_the_real_routing(
    running: Stack, slack_receiver: tuple[Inbox, int]
) -> None:
    inbox, _ = slack_receiver
    done = tallow(running, "alerts", "test", "security-alerts")
    assert done.exit_code == 0, done.output
    assert "email      delivered after" in done.output
    assert "stored in the mailbox: tallow inbox" in done.output
    assert "slack      delivered after" in done.output
    identity = done.output.split()[1].rstrip(":")
    assert any(identity in str(message) for message in inbox.messages)
    (mail, *_) = running.mail(identity)
    assert "TEST" in mail.subject
    assert f"http://localhost:{running.port('heartbeat')}/runbooks/Watchdog" in mail.text
    assert f"http://localhost:{running.port('dashboards')}/d/tallow-overview" in mail.text
    assert ports_in(mail.text) <= set(ports(running.options.port_offset).values())
    wait_until(
        lambda: any("RESOLVED" in one.subject for one in running.mail(identity)), "its resolution is mailed"
    )


def test_a_test_alert_lists_receivers_that_are_not_configured(running: Stack) -> None:
    done = tallow(running, "alerts", "test", "critical-alerts")
    assert "pagerduty  left out: PAGERDUTY_ROUTING_KEY is not set" in done.output


def test_a_test_alert_reports_the_response_of_a_failing_receiver(running: Stack) -> None:
    secret = running.state_dir.secrets / "alertmanager" / "slack_webhook_url"
    kept = secret.read_text()
    secret.write_text(kept.replace("token", "revoked"))
    try:
        done = tallow(running, "alerts", "test", "security-alerts")
    finally:
        secret.write_text(kept)
    assert done.exit_code == 1
    (line,) = (line for line in done.output.splitlines() if line.startswith("slack"))
    assert "failed" in line
    assert "404" in line
    assert "email      delivered" in done.output


def test_query_prints_a_line_for_each_series(running: Stack) -> None:
    found = wait_until(lambda: tallow(running, "query", 'up{job="tallow"} == 1').output, "an answer")
    assert found.split()[0] == "1"
    assert 'job="tallow"' in found
    assert tallow(running, "query", "1 + 1").output == "2\n"
    assert tallow(running, "query", "absent_metric").output == "no series\n"
    refused = tallow(running, "query", "sum(")
    assert refused.exit_code == 1
    assert "Error: prometheus answers 400" in refused.output


def test_every_query_of_every_runbook_is_answered(running: Stack) -> None:
    pages = Path(__file__).parents[2] / "docs" / "runbooks"
    asked = {query for page in pages.glob("*.md") for query in QUERY.findall(page.read_text("utf-8"))}
    assert len(asked) > 60
    api = Api.of("prometheus", running.state_dir)
    refused = {query: error for query in asked if (error := query_error(api, query))}
    assert refused == {}


def query_error(api: Api, query: str) -> str:
    """Prometheus's error for a query; empty if there is none."""
    try:
        api.get("/api/v1/query", query=query)
    except StackError as error:
        return str(error)
    return ""
