"""`tallow alerts`, `silence`, `query` and the routing, through a real Alertmanager and strict far ends."""

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

from support.stack import Stack, stack, wait_until
from tallow.cli import main
from tallow.stack.drill.receivers import serve as web
from tallow.stack.drill.receivers import slack
from tallow.stack.drill.receivers.message import Inbox
from tallow.stack.engines.errors import StackError
from tallow.stack.engines.services.api import Api
from tallow.stack.engines.services.definitions import ports

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("alerts")]

SCALE = 1 / 30
"""A group wait of 30 s is one second, an interval of 5 minutes ten."""
QUERY = re.compile(r"tallow query '([^']+)'")
WEBHOOK = "/services/T0AB/B0CD/token"


@contextmanager
def slack_stand_in() -> Iterator[tuple[Inbox, int]]:
    """Slack's webhook as strict as Slack's own, in a thread: its tray and its port."""
    tray, loop, started = Inbox(), asyncio.new_event_loop(), threading.Event()
    port: list[int] = []
    stop = asyncio.Event()

    async def serve() -> None:
        async with web.serving(Starlette(routes=[slack.webhook_route(tray, WEBHOOK)])) as number:
            port.append(number)
            started.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert started.wait(10)
    try:
        yield tray, port[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        loop.close()


@pytest.fixture(scope="module")
def far_end() -> Iterator[tuple[Inbox, int]]:
    with slack_stand_in() as found:
        yield found


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, far_end: tuple[Inbox, int]) -> Iterator[Stack]:
    folder: Path = tmp_path_factory.mktemp("alerts")
    (folder / ".env").write_text(f"SLACK_WEBHOOK_URL=http://127.0.0.1:{far_end[1]}{WEBHOOK}\n")
    with stack(folder, SCALE) as started:
        wait_until(lambda: "Watchdog" in tallow(started, "alerts", "--json").output, "the Watchdog arrives")
        yield started


def tallow(running: Stack, *arguments: str) -> Result:
    return CliRunner().invoke(main, [*arguments, "--home", str(running.state_dir.root)])


def post(running: Stack, name: str, instance: str, *, over: bool = False, **labels: str) -> None:
    """An alert as Prometheus would send it."""
    now = datetime.now(UTC)
    given = {"severity": "warning", "category": "transfers", "service": "tallow", "job": "tallow", **labels}
    alert = {
        "labels": {"alertname": name, "instance": instance, **given},
        "annotations": {"summary": f"{name} on {instance}", "description": "It happens."},
        "startsAt": (now - timedelta(minutes=5)).isoformat(),
        "endsAt": (now if over else now + timedelta(hours=1)).isoformat(),
    }
    Api.of("alertmanager", running.state_dir).post("/api/v2/alerts", [alert])


def states(running: Stack, instance: str) -> dict[str, str]:
    """Alert to state for one instance, as `tallow alerts --json` says."""
    found: list[dict[str, Any]] = json.loads(tallow(running, "alerts", "--json").output)
    return {
        alert["labels"]["alertname"]: alert["state"]
        for alert in found
        if alert["labels"].get("instance") == instance
    }


def test_service_down_silences_the_rest_of_its_instance_and_no_other(running: Stack) -> None:
    for instance in ("down:1", "fine:1"):
        post(running, "HighCPUUsage", instance, category="performance")
        post(running, "HighPQCFailureRate", instance, severity="critical", category="security")
    post(running, "HighCPUUsage", "down:1", category="performance", job="another")
    post(running, "ServiceDown", "down:1", severity="critical", category="availability")
    held = {"ServiceDown": "firing", "HighCPUUsage": "inhibited", "HighPQCFailureRate": "inhibited"}
    wait_until(lambda: of_tallow(running, "down:1") == held, "the rest is held back")
    assert states(running, "fine:1") == {"HighCPUUsage": "firing", "HighPQCFailureRate": "firing"}
    assert states_by_job(running, "down:1")["another"] == {"HighCPUUsage": "firing"}
    for instance in ("down:1", "fine:1"):
        post(running, "HighCPUUsage", instance, category="performance", over=True)
        post(running, "HighPQCFailureRate", instance, severity="critical", category="security", over=True)
    post(running, "HighCPUUsage", "down:1", category="performance", job="another", over=True)
    post(running, "ServiceDown", "down:1", severity="critical", category="availability", over=True)


def states_by_job(running: Stack, instance: str) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for alert in json.loads(tallow(running, "alerts", "--json").output):
        if alert["labels"].get("instance") == instance:
            found.setdefault(alert["labels"]["job"], {})[alert["labels"]["alertname"]] = alert["state"]
    return found


def of_tallow(running: Stack, instance: str) -> dict[str, str]:
    return states_by_job(running, instance).get("tallow", {})


def test_a_critical_alert_silences_the_warnings_of_its_own_category(running: Stack) -> None:
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
    wait_until(lambda: states(running, place) == wanted, "the warning is held back")


def test_a_budget_that_burns_fast_silences_its_own_slow_alert_alone(running: Stack) -> None:
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
    wait_until(lambda: {name: budgets(running).get(name) for name in wanted} == wanted, "one is held back")


def budgets(running: Stack) -> dict[str, str]:
    """Alert to state, of those that tell of an objective."""
    found: list[dict[str, Any]] = json.loads(tallow(running, "alerts", "--json").output)
    return {alert["labels"]["alertname"]: alert["state"] for alert in found if "objective" in alert["labels"]}


def test_security_warnings_are_not_silenced_by_a_critical_one(running: Stack) -> None:
    place = "secure:1"
    post(running, "HighPQCFailureRate", place, severity="critical", category="security")
    post(running, "UnauthorizedAPIAccess", place, category="security")
    wanted = {"HighPQCFailureRate": "firing", "UnauthorizedAPIAccess": "firing"}
    wait_until(lambda: states(running, place) == wanted, "both fire")
    wait_until(lambda: running.mail(f"UnauthorizedAPIAccess on {place}"), "its mail")


def test_a_message_says_that_it_is_resolved(running: Stack) -> None:
    post(running, "TransferQueueBacklog", "queue:1")
    wait_until(lambda: running.mail("TransferQueueBacklog on queue:1"), "the page")
    post(running, "TransferQueueBacklog", "queue:1", over=True)
    over = wait_until(
        lambda: [
            mail for mail in running.mail("TransferQueueBacklog on queue:1") if "RESOLVED" in mail.subject
        ],
        "the word that it is over",
    )
    assert "It is over. What it said: It happens." in over[0].text


def test_alerts_shows_what_fires_since_when_and_where_to_read_on(running: Stack) -> None:
    post(running, "HighMemoryUsage", "show:1", category="performance")
    wait_until(lambda: states(running, "show:1"), "it is there")
    shown = tallow(running, "alerts")
    assert shown.exit_code == 1
    # One line an alert where all of them fit the width, else a block an alert.
    row = r"warning\s+HighMemoryUsage\s+(tallow\s+show:1\s+firing for 5 m|firing for 5 m\s+tallow\s+show:1)"
    assert len(re.findall(row, shown.output)) == 1, shown.output
    assert "HighMemoryUsage on show:1" in shown.output
    assert "Watchdog" not in shown.output


def test_a_silence_is_added_listed_and_ended(running: Stack) -> None:
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
    wait_until(lambda: states(running, "silence:1") == {"SlowTransfers": "firing"}, "it speaks again")
    assert "nothing is silenced" in tallow(running, "silence", "list").output
    assert f"{identity[:8]}  " in tallow(running, "silence", "list", "--all").output


def test_expire_names_what_it_does_not_find(running: Stack) -> None:
    done = tallow(running, "silence", "expire", "zzzz")
    assert done.exit_code == 1
    assert done.output == "Error: no silence begins with 'zzzz'; see: tallow silence list\n"


def ports_in(text: str) -> set[int]:
    """The ports of all addresses of this host."""
    return {int(port) for port in re.findall(r"(?:localhost|127\.0\.0\.1):(\d+)", text)}


HOSTILE = (
    "<!channel> <https://evil.example|click> \x1b[2J\u202e\u009b31m `x`\r\nBcc: x@example.org " + "long " * 60
)


def test_text_of_labels_controls_neither_terminal_nor_chat_nor_mail(
    running: Stack, far_end: tuple[Inbox, int]
) -> None:
    tray, _ = far_end
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
    page = wait_until(lambda: [one for one in tray.messages if "evil.example" in one.text], "the page")[0]
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


def test_a_test_page_goes_the_real_way(running: Stack, far_end: tuple[Inbox, int]) -> None:
    tray, _ = far_end
    done = tallow(running, "alerts", "test", "security-alerts")
    assert done.exit_code == 0, done.output
    assert "email      delivered after" in done.output
    assert "kept in the mailbox: tallow inbox" in done.output
    assert "slack      delivered after" in done.output
    identity = done.output.split()[1].rstrip(":")
    assert any(identity in str(message) for message in tray.messages)
    (mail, *_) = running.mail(identity)
    assert "TEST" in mail.subject
    assert f"http://localhost:{running.port('heartbeat')}/runbooks/Watchdog" in mail.text
    assert f"http://localhost:{running.port('dashboards')}/d/tallow-overview" in mail.text
    assert ports_in(mail.text) <= set(ports(running.options.port_offset).values())
    wait_until(lambda: any("RESOLVED" in one.subject for one in running.mail(identity)), "its end is said")


def test_a_test_page_says_what_is_left_out(running: Stack) -> None:
    done = tallow(running, "alerts", "test", "critical-alerts")
    assert "pagerduty  left out: PAGERDUTY_ROUTING_KEY is not set" in done.output


def test_a_test_page_says_what_the_far_end_said(running: Stack) -> None:
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


def test_query_answers_with_a_line_for_each_series(running: Stack) -> None:
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
    refused = {query: said for query in asked if (said := refusal(api, query))}
    assert refused == {}


def refusal(api: Api, query: str) -> str:
    """Why Prometheus does not answer a query; empty if it does."""
    try:
        api.get("/api/v1/query", query=query)
    except StackError as error:
        return str(error)
    return ""
