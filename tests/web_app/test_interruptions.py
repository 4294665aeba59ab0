"""What goes wrong: a clear message on both sides, and never an incomplete file under its name."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.web_app.files import make_file, wait_for_download
from support.web_app.server import PageServer
from support.web_app.tabs import NewTab, ScriptedTab, Tab, wait_until
from support.web_app.tampering import tampering_server
from support.web_app.transfers import accept, command_line, shown_error, start_send, wait_for_state

pytestmark = [pytest.mark.integration, pytest.mark.proof, pytest.mark.timeout(600)]

SIZE = 6_000_000
RATE = "1M"
"""Limit of the sender: the transfer takes some seconds, so that something can happen meanwhile."""
PAUSE_S = 31
"""Browsers end a service worker that has had no event for half a minute."""
SOCKETS = 'tallow_active_connections{type="websocket"}'
NO_STORAGE = """() => {
  navigator.storage.getDirectory = () => Promise.reject(new DOMException('no', 'SecurityError'));
}"""
"""A browser without an origin-private file system: files stream through the service worker."""
MOVING = "document.querySelector('[data-state=transferring] progress')?.value > 0"


@contextlib.contextmanager
def slow_sender(server: PageServer, source: Path, tab: Tab) -> Iterator[subprocess.Popen[str]]:
    """A command-line sender, whose link the tab has opened and accepted; data flows."""
    options = ["--json", "--relay", "--limit", RATE]
    with command_line("send", "--server", server.url, *options, str(source)) as sender:
        assert sender.stdout is not None
        tab.open(next(found for line in sender.stdout if (found := json.loads(line).get("link"))))
        accept(tab)
        wait_until(tab, MOVING)
        yield sender


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return make_file(tmp_path / "slow.bin", SIZE)


def nothing_saved(downloads: Path) -> bool:
    """Whether no file has its final name with content; a browser's own partial file has another name."""
    return not any(path.name == "slow.bin" and path.stat().st_size for path in downloads.iterdir())


def outcome_of(sender: subprocess.Popen[str]) -> tuple[int, str]:
    """Exit status and last event of a command-line sender."""
    out, _ = sender.communicate(timeout=60)
    return sender.returncode, out.strip().splitlines()[-1]


def test_a_wrong_secret_ends_with_an_error_and_changes_nothing(
    server: PageServer, new_tab: NewTab, downloads: Path, source: Path
) -> None:
    sender, receiver = new_tab(), new_tab()
    sender.open(server.url)
    link = start_send(sender, [source])
    receiver.open(f"{link[:-22]}{'A' * 22}")
    assert shown_error(receiver) == "unknown_room"
    assert wait_for_state(sender, "waiting") == "waiting"
    assert nothing_saved(downloads)


def test_a_receiver_waits_for_a_sender_that_vanished_before_it_connected(
    server: PageServer, new_tab: NewTab, source: Path
) -> None:
    tab = new_tab()
    with command_line("send", "--server", server.url, "--json", str(source)) as sender:
        assert sender.stdout is not None
        link = next(found for line in sender.stdout if (found := json.loads(line).get("link")))
        server.wait_for(SOCKETS, 1)
        sender.send_signal(signal.SIGSTOP)
        tab.open(link)
        server.wait_for("tallow_transfer_queue_depth", 1)  # both have joined
        assert wait_for_state(tab, "connecting") == "connecting"
        sender.kill()
        assert wait_for_state(tab, "waiting") == "waiting"


@pytest.mark.parametrize("first_byte", [0x01, 0x02], ids=["hello", "reply"])
def test_a_server_that_changes_the_key_exchange_is_detected(
    new_tab: NewTab, tmp_path: Path, downloads: Path, source: Path, first_byte: int
) -> None:
    with tampering_server(tmp_path / "server") as (url, malicious):

        def change(message: bytes) -> list[bytes]:
            if message[0] != first_byte:
                return [message]
            return [message[:10] + bytes((message[10] ^ 1,)) + message[11:]]

        malicious.from_sender = malicious.from_receiver = change
        tabs = [new_tab(), new_tab()]
        for tab in tabs:
            tab.open(url)
            tab.run("void localStorage.setItem('tallow.settings', '{\"relay_preference\": \"relay\"}')")
        tabs[0].open(url)
        tabs[1].open(start_send(tabs[0], [source]))
        codes = {shown_error(tab) for tab in tabs}
        assert codes & {"key_exchange", "wrong_secret"}, codes
        assert nothing_saved(downloads)


def test_a_server_that_changes_data_is_detected(
    new_tab: NewTab, tmp_path: Path, downloads: Path, source: Path
) -> None:
    with tampering_server(tmp_path / "server") as (url, malicious):
        malicious.from_sender = lambda message: [
            message[:-1] + bytes((message[-1] ^ 1,)) if message[0] == 18 else message
        ]
        tabs = [new_tab(), new_tab()]
        for tab in tabs:
            tab.open(url)
            tab.run("void localStorage.setItem('tallow.settings', '{\"relay_preference\": \"relay\"}')")
        tabs[0].open(url)
        tabs[1].open(start_send(tabs[0], [source]))
        accept(tabs[1])
        assert {shown_error(tab) for tab in tabs} == {"modified"}
        assert nothing_saved(downloads)


def test_cancelling_here_ends_the_other_side(
    server: PageServer, new_tab: NewTab, downloads: Path, source: Path
) -> None:
    tab = new_tab()
    with slow_sender(server, source, tab) as sender:
        tab.click(".actions button")
        assert wait_for_state(tab, "cancelled", "failed", "done") == "cancelled"
        status, last = outcome_of(sender)
    assert status != 0
    assert json.loads(last)["outcome"] == "cancelled"
    assert nothing_saved(downloads)
    assert server.wait_for('tallow_transfers_total{status="cancelled",method="relay"}', 1)


def test_cancelling_there_ends_this_side(
    server: PageServer, new_tab: NewTab, downloads: Path, source: Path
) -> None:
    tab = new_tab()
    with slow_sender(server, source, tab) as sender:
        sender.send_signal(signal.SIGINT)
        assert wait_for_state(tab, "cancelled", "failed", "done") == "cancelled"
    assert shown_error(tab) == "peer_stopped"
    assert tab.run("document.querySelector('.actions button.primary').innerText") == "Continue"
    assert nothing_saved(downloads)


def test_a_closed_tab_leaves_no_file_and_the_sender_says_so(
    server: PageServer, new_tab: NewTab, downloads: Path, source: Path
) -> None:
    tab = new_tab()
    with slow_sender(server, source, tab) as sender:
        tab.page.close()
        assert sender.stdout is not None
        events = (json.loads(line)["event"] for line in sender.stdout)
        assert next(event for event in events if event not in {"progress", "file", "offer"})
        sender.send_signal(signal.SIGINT)
        assert outcome_of(sender)[0] != 0
    assert nothing_saved(downloads)


@pytest.mark.parametrize("browser_name", ["chromium", "firefox"])
def test_a_reloaded_tab_continues_where_it_was(
    server: PageServer, request: pytest.FixtureRequest, downloads: Path, source: Path, browser_name: str
) -> None:
    tab: ScriptedTab = request.getfixturevalue("new_tab" if browser_name == "chromium" else "firefox_tab")
    tab = tab() if callable(tab) else tab
    with slow_sender(server, source, tab) as sender:
        wait_until(tab, "document.querySelector('progress').value > 2_000_000")
        tab.open(server.url)
        assert wait_for_state(tab, "done", "failed") == "done"
        assert outcome_of(sender)[0] == 0
    assert wait_for_download(tab, downloads, source.name, SIZE).read_bytes() == source.read_bytes()
    assert tab.run("sessionStorage.length") == 0


@pytest.mark.parametrize("browser_name", ["chromium", "firefox"])
def test_a_download_through_the_service_worker_survives_a_long_pause(
    server: PageServer, request: pytest.FixtureRequest, downloads: Path, source: Path, browser_name: str
) -> None:
    tab: ScriptedTab = request.getfixturevalue("new_tab" if browser_name == "chromium" else "firefox_tab")
    tab = tab() if callable(tab) else tab
    tab.before_load(NO_STORAGE)
    tab.open(server.url)
    wait_until(tab, "navigator.serviceWorker.controller !== null")
    with slow_sender(server, source, tab) as sender:
        os.kill(sender.pid, signal.SIGSTOP)
        end = time.monotonic() + PAUSE_S
        while time.monotonic() < end:
            assert nothing_saved(downloads)
            tab.run("true")
            time.sleep(1)
        os.kill(sender.pid, signal.SIGCONT)
        assert wait_for_state(tab, "done", "failed") == "done"
        assert outcome_of(sender)[0] == 0
    assert wait_for_download(tab, downloads, source.name, SIZE).read_bytes() == source.read_bytes()


def test_a_killed_service_worker_fails_the_transfer_and_leaves_no_file(
    server: PageServer, new_tab: NewTab, downloads: Path, source: Path
) -> None:
    tab = new_tab()
    tab.before_load(NO_STORAGE)
    tab.open(server.url)
    wait_until(tab, "navigator.serviceWorker.controller !== null")
    with slow_sender(server, source, tab) as sender:
        session = tab.page.context.new_cdp_session(tab.page)
        session.send("ServiceWorker.enable")
        session.send("ServiceWorker.stopAllWorkers")
        assert wait_for_state(tab, "failed", "done") == "failed"
        assert shown_error(tab) == "storage_failed"
        assert outcome_of(sender)[0] != 0
    assert nothing_saved(downloads)


def test_a_full_disk_fails_on_both_sides(
    server: PageServer, new_tab: NewTab, downloads: Path, source: Path
) -> None:
    tab = new_tab()
    with slow_sender(server, source, tab) as sender:
        session = tab.page.context.new_cdp_session(tab.page)
        session.send("Storage.overrideQuotaForOrigin", {"origin": server.url, "quotaSize": 1})
        assert wait_for_state(tab, "failed", "done") == "failed"
        assert shown_error(tab) == "storage_full"
        status, _ = outcome_of(sender)
        assert status != 0
    assert nothing_saved(downloads)
