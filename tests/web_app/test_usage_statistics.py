"""What Plausible receives about pages: funnels and goals, and nothing private. One id for a transfer."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from support.web_app.files import make_file
from support.web_app.installation import install_page
from support.web_app.server import PageServer, serving_page
from support.web_app.tabs import POLL_S, WAIT_S, ChromiumTab, NewTab, wait_until
from support.web_app.transfers import accept, command_line, link_of, start_send, wait_for_state
from tallow.monitoring.testing import (
    FakePlausible,
    FakeSentry,
    find_leaks,
    plausible_endpoint,
    sentry_endpoint,
)

pytestmark = [pytest.mark.integration, pytest.mark.proof, pytest.mark.timeout(600)]

CANARY = "canary-4b8e21"
TRANSFER = ("Transfer: start", "Transfer: file", "Transfer: peer", "Transfer: complete")
CONNECTION = ("Connection: start", "Connection: signals", "Connection: candidates", "Connection: connected")
GOALS = ("Link opened", "Transfer completed", "App installed")
CONTROLLED = "navigator.serviceWorker.controller !== null"


@dataclass
class Received:
    """What reached the backends, and the private values of the pages."""

    plausible: FakePlausible
    sentry: FakeSentry
    planted: list[str] = field(default_factory=list)

    def properties(self, name: str) -> list[dict[str, str]]:
        """The properties of each event with a name."""
        return [event["props"] for _, event in self.plausible.events if event["name"] == name]

    def wait_for(self, name: str) -> None:
        """Wait until an event with a name has arrived."""
        end = time.monotonic() + WAIT_S
        while name not in self.plausible.names:
            assert time.monotonic() < end, f"{name} has not arrived"
            time.sleep(POLL_S)

    def plant(self, link: str) -> str:
        """Note the parts of a link that nobody else may learn; returns the link."""
        room, _, secret = link.partition("#")[2].partition(".")
        self.planted += [room, secret, link]
        return link


@contextmanager
def statistics_server(folder: Path, **environment: str) -> Iterator[tuple[PageServer, Received]]:
    with plausible_endpoint() as plausible, sentry_endpoint() as sentry:
        settings = {
            "PLAUSIBLE_HOST": plausible.url,
            "PLAUSIBLE_DOMAIN": "tallow.example.org",
            "SENTRY_DSN": sentry.dsn,
            "SENTRY_TRACES_SAMPLE_RATE": "1",
            "LOG_LEVEL": "debug",
        }
        with serving_page(folder, **settings, **environment) as server:
            yield server, Received(plausible, sentry, [CANARY])
        assert (plausible.rejections, sentry.rejections) == ([], [])


def transfer(received: Received, sender: ChromiumTab, receiver: ChromiumTab, source: Path) -> tuple[str, str]:
    """Send a file from page to page; returns how it ended on both."""
    receiver.open(received.plant(start_send(sender, [source])))
    accept(receiver)
    states = [wait_for_state(tab, "done", "failed", seconds=120) for tab in (receiver, sender)]
    return states[0], states[1]


def test_both_funnels_and_each_goal_come_from_real_pages(
    profile_tab: ChromiumTab, new_tab: NewTab, tmp_path: Path
) -> None:
    folder, installed, receiver = tmp_path / "server", profile_tab, new_tab()
    source = make_file(tmp_path / f"{CANARY}.bin", 200_000)
    with statistics_server(folder) as (server, received):
        installed.open(f"{server.url}/?campaign={CANARY}")
        wait_until(installed, CONTROLLED)
        install_page(installed, server.url)
        assert transfer(received, installed, receiver, source) == ("done", "done")
        server.wait_for('tallow_client_reports_total{outcome="accepted"}', 2)

        installed.open(server.url)
        quota = receiver.page.context.new_cdp_session(receiver.page)
        quota.send("Storage.overrideQuotaForOrigin", {"origin": server.url, "quotaSize": 1})
        assert transfer(received, installed, receiver, source) == ("failed", "failed")
        received.wait_for("Transfer: fail")

        installed.open(server.url)
        installed.click(".drop button:nth-child(3)")
        installed.page.fill("textarea", f"typed {CANARY}")
        installed.click("button[type=submit]")
        installed.click("button.wide")
        received.plant(link_of(installed))
        installed.click(".actions button")
        assert wait_for_state(installed, "cancelled") == "cancelled"
        logged = server.log
    names = received.plausible.names
    assert {*TRANSFER, *CONNECTION, *GOALS, "Transfer: fail"} <= set(names)
    assert [names.count(name) for name in ("Transfer: start", "Transfer: peer")] == [3, 2]
    assert (names.count("Transfer: complete"), names.count("Transfer: fail")) == (1, 1)
    order = [name for name in names if name in {*TRANSFER, *CONNECTION}][:8]
    assert [order.index(name) for name in TRANSFER] == sorted(order.index(name) for name in TRANSFER)
    assert [order.index(name) for name in CONNECTION] == sorted(order.index(name) for name in CONNECTION)
    assert received.properties("Transfer: fail") == [{"reason": "storage", "method": "p2p"}]
    assert received.properties("App installed") == [{"platform": "desktop"}]
    assert {"feature": "send", "stage": "used"} in received.properties("Feature")
    check_nothing_private(received, folder, logged)


def check_nothing_private(received: Received, folder: Path, log: Path) -> None:
    """Search the backends, and the log and the database of the server."""
    assert len(received.planted) > 6
    written = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    texts = {
        "Plausible": received.plausible.text,
        "Sentry": received.sentry.text,
        "files of the server": written.decode(errors="replace"),
    }
    assert log.read_text()
    # The server knows the room; what opens it is the secret.
    secrets = [value for value in received.planted if not value.isalnum() or len(value) > 16]
    for name, text in texts.items():
        planted = secrets if name == "files of the server" else received.planted
        assert find_leaks(planted, text) == [], name


def test_a_failed_connection_of_pages_is_a_step(new_tab: NewTab, tmp_path: Path) -> None:
    """One page refuses the relay, and the other uses nothing else."""
    source = make_file(tmp_path / f"{CANARY}.bin", 1000)
    with statistics_server(tmp_path / "server") as (server, received):
        tabs = new_tab(), new_tab()
        for tab, path in zip(tabs, ("direct", "relay"), strict=True):
            tab.open(server.url)
            chosen = json.dumps(json.dumps({"relay_preference": path}))
            tab.run(f"void localStorage.setItem('tallow.settings', {chosen})")
            tab.open(server.url)
        tabs[1].open(received.plant(start_send(tabs[0], [source])))
        for tab in tabs:
            assert wait_for_state(tab, "failed", seconds=180) == "failed"
        received.wait_for("Transfer: fail")  # the pages report it after they have shown it
    assert received.properties("Connection: fail") == [{"reason": "network"}]
    assert received.properties("Transfer: fail") == [{"reason": "network"}]
    assert "Connection: connected" not in received.plausible.names


def test_the_page_the_server_and_the_other_peer_use_one_id(new_tab: NewTab, tmp_path: Path) -> None:
    """The id in the page's reports is that of the server's records and of the command's log."""
    log = tmp_path / "peer.log"
    ids: set[str] = set()
    tab = new_tab()
    tab.page.on(
        "request",
        lambda request: ids.update(
            [request.headers["x-request-id"]] if request.url.endswith("/api/telemetry") else []
        ),
    )
    with serving_page(tmp_path / "server", LOG_LEVEL="debug") as server:
        tab.open(server.url)
        link = start_send(tab, [make_file(tmp_path / "a.bin", 1000)])
        receive = ("receive", "--yes", "-o", str(tmp_path / "out"))
        with command_line(*receive, stdin=link, LOG_FILE=str(log)) as receiver:
            assert receiver.wait(timeout=60) == 0
        assert wait_for_state(tab, "done") == "done"
        server.wait_for('tallow_client_reports_total{outcome="accepted"}', 2)
        shown = tab.run(
            "[...document.querySelectorAll('dd.mono')].map((found) => found.textContent.trim())[0] ?? null"
        )
        server_log = server.log
    [one] = ids
    assert shown == one
    assert "Connected" in messages_with(log, one)
    assert {"Peer joined", "Transfer started"} & messages_with(server_log, one)


def messages_with(log: Path, correlation_id: str) -> set[str]:
    """The messages of a log under a correlation id."""
    records: list[dict[str, Any]] = [
        json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")
    ]
    return {record["message"] for record in records if record.get("correlation_id") == correlation_id}
