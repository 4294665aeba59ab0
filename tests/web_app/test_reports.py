"""What a page reports: exactly what it shows, nothing private, and nothing if the person does not want it."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from support.programs.browser import FLAGS, launch_options
from support.programs.firefox import firefox
from support.web_app.files import make_file
from support.web_app.server import PageServer, Samples, changes, serving_page
from support.web_app.tabs import WAIT_S, ChromiumTab, FirefoxTab, NewTab, Tab, wait_until
from support.web_app.transfers import accept, command_line, link_of, start_send, wait_for_state

pytestmark = [pytest.mark.integration, pytest.mark.proof, pytest.mark.timeout(600)]

CANARY = "canary-7f3a9c"
DISCLAIMED: dict[str, dict[str, Any]] = {
    "DNT": {"init": "() => Object.defineProperty(navigator, 'doNotTrack', {value: '1'})"},
    "Sec-GPC": {"init": "() => Object.defineProperty(navigator, 'globalPrivacyControl', {value: true})"},
    "DNT header alone": {"extra_http_headers": {"DNT": "1"}},
    "Sec-GPC header alone": {"extra_http_headers": {"Sec-GPC": "1"}},
    "switched off": {"init": "() => localStorage.setItem('tallow.settings', '{\"telemetry\": \"off\"}')"},
}
GLOBAL_PRIVACY_CONTROL = {
    "privacy.globalprivacycontrol.enabled": True,
    "privacy.globalprivacycontrol.functionality.enabled": True,
}
SEEN_BY_SERVER = "fetch('/api/info').then((answer) => answer.json()).then((info) => info.do_not_track)"
PAGE_METRICS = ("service_worker_events", "pwa_installs", "notifications_sent", "settings_changes")


def sent_bodies(tab: ChromiumTab) -> list[dict[str, Any]]:
    """The reports that the page shows as sent."""
    tab.page.get_by_role("navigation").get_by_role("button", name="Settings").click()
    tab.page.get_by_role("button", name="Show what was sent").click()
    wait_until(tab, "document.querySelectorAll('details.report').length >= 1")
    texts = tab.run("[...document.querySelectorAll('details.report pre')].map((found) => found.textContent)")
    return [json.loads(text) for text in texts]


def counters(bodies: list[dict[str, Any]]) -> Counter[tuple[str, str]]:
    """Sums of the counters in reports, by metric and labels."""
    total: Counter[tuple[str, str]] = Counter()
    for body in bodies:
        for name, rows in body["metrics"].items():
            for row in rows:
                labels = ",".join(f'{label}="{value}"' for label, value in row["labels"].items())
                total[name, labels] += row.get("value", 0)
    return +total


def wait_for_transfer(server: PageServer, before: Samples) -> None:
    """Wait until the server has counted a successful transfer, over whichever path."""
    end = time.monotonic() + WAIT_S
    while not changes(before, server.metrics(), 'transfers_total{status="success"'):
        assert time.monotonic() < end, "the transfer was not counted"


def samples_of(expected: Counter[tuple[str, str]]) -> dict[str, float]:
    """Counters as the samples of an exposition."""
    return {f"{name}{{{labels}}}": value for (name, labels), value in expected.items()}


def without_buckets(samples: dict[str, float]) -> dict[str, float]:
    """Samples without those of histograms' buckets."""
    return {name: value for name, value in samples.items() if "_bucket" not in name}


def test_metrics_change_by_exactly_what_the_pages_show_as_sent(
    server: PageServer, new_tab: NewTab, tmp_path: Path
) -> None:
    before = server.metrics()
    tabs = [new_tab(), new_tab()]
    for tab in tabs:
        tab.open(server.url)
        wait_until(tab, "navigator.serviceWorker.controller !== null")
    tabs[0].page.get_by_role("button", name="Settings").click()
    tabs[0].page.select_option("#theme", "dark")
    tabs[0].page.get_by_role("navigation").get_by_role("button", name="Send").click()
    link = start_send(tabs[0], [make_file(tmp_path / "a.bin", 200_000)])
    tabs[1].open(link)
    accept(tabs[1])
    for tab in tabs:
        assert wait_for_state(tab, "done", "failed") == "done"
    wait_for_transfer(server, before)
    bodies = [body for tab in tabs for body in sent_bodies(tab)]
    expected = counters(bodies)
    server.wait_for('tallow_client_reports_total{outcome="accepted"}', len(bodies))
    changed = changes(before, server.metrics(), *{name for name, _ in expected})
    assert without_buckets(changed) == samples_of(expected)
    assert expected["settings_changes_total", 'setting="theme"'] == 1
    for event in ("install", "activate"):
        assert expected["service_worker_events_total", f'event="{event}"'] == 2


def send_without_a_report(tab: Tab, server: PageServer, folder: Path) -> None:
    """Send a file; the server has no report of the page, and counts what the sender's departure says."""
    tab.open(server.url)
    link = start_send(tab, [make_file(folder / "a.bin", 1000)])
    receive = ("receive", "--yes", "--relay", "--no-telemetry", "-o", str(folder / "out"))
    with command_line(*receive, stdin=link) as receiver:
        assert receiver.wait(timeout=60) == 0
    assert wait_for_state(tab, "done") == "done"
    server.wait_for('tallow_transfers_total{status="success",method="relay"}', 1)
    after = server.metrics()
    assert after['tallow_client_reports_total{outcome="accepted"}'] == 0
    assert not changes({}, after, *PAGE_METRICS)


@pytest.mark.parametrize("wish", DISCLAIMED)
def test_nothing_is_reported_against_the_persons_wish(
    server: PageServer, new_tab: NewTab, tmp_path: Path, wish: str
) -> None:
    options = dict(DISCLAIMED[wish])
    script = options.pop("init", None)
    tab = new_tab(**options)
    if script:
        tab.before_load(script)
    send_without_a_report(tab, server, tmp_path)
    assert not any("/api/telemetry" in url for url in tab.requested)


def test_firefox_with_global_privacy_control_reports_nothing(
    server: PageServer, downloads: Path, tmp_path: Path
) -> None:
    """With the browser's own setting, for the script and for the header."""
    with firefox(tmp_path / "firefox", downloads, **GLOBAL_PRIVACY_CONTROL) as session:
        tab = FirefoxTab(session)
        tab.open(server.url)
        assert tab.run("navigator.globalPrivacyControl") is True
        assert tab.run(SEEN_BY_SERVER) is True
        send_without_a_report(tab, server, tmp_path)


def test_chromium_with_do_not_track_reports_nothing(
    server: PageServer, browser: Browser, downloads: Path, tmp_path: Path
) -> None:
    """With the browser's own setting, for the script and for the header."""
    profile = tmp_path / "profile" / "Default"
    profile.mkdir(parents=True)
    (profile / "Preferences").write_text(json.dumps({"enable_do_not_track": True}))
    context = browser.browser_type.launch_persistent_context(
        profile.parent, args=list(FLAGS), accept_downloads=True, **launch_options()
    )
    tab = ChromiumTab(context, downloads)
    try:
        tab.open(server.url)
        assert tab.run("navigator.doNotTrack") == "1"
        assert tab.run(SEEN_BY_SERVER) is True
        send_without_a_report(tab, server, tmp_path)
        assert not any("/api/telemetry" in url for url in tab.requested)
    finally:
        tab.close()


def leaks(folder: Path, needles: list[str]) -> Iterator[str]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            content = path.read_bytes()
            yield from (f"{needle} in {path.name}" for needle in needles if needle.encode() in content)


def test_the_secret_names_and_typed_text_reach_neither_server_nor_reports(
    new_tab: NewTab, tmp_path: Path
) -> None:
    folder = tmp_path / "server"
    posted: list[str] = []
    needles = [CANARY]
    with serving_page(folder, LOG_LEVEL="debug") as server:
        for kind in ("file", "text"):
            tab, other = new_tab(), new_tab()
            for one in (tab, other):
                one.page.on("request", lambda request: posted.append(f"{request.url} {request.post_data}"))
                one.page.on(
                    "websocket",
                    lambda socket: socket.on("framesent", lambda frame: posted.append(str(frame))),
                )
            tab.open(server.url)
            if kind == "file":
                link = start_send(tab, [make_file(tmp_path / f"{CANARY}.txt", 100)])
            else:
                tab.click(".drop button:nth-child(3)")
                tab.page.fill("textarea", f"typed {CANARY}")
                tab.click("button[type=submit]")
                tab.click("button.wide")
                link = link_of(tab)
            needles.append(link.rpartition(".")[2])
            other.open(server.url)
            other.page.get_by_role("navigation").get_by_role("button", name="Receive").click()
            other.page.fill("#paste", link)
            other.page.keyboard.press("Enter")
            accept(other)
            for one in (tab, other):
                assert wait_for_state(one, "done", "failed") == "done"
        exposition = json.dumps(server.metrics())
    assert len(needles) == 3
    assert list(leaks(folder, needles)) == []
    for needle in needles:
        assert needle not in exposition
        assert not any(needle in text for text in posted)
    assert any("/api/telemetry" in text for text in posted)


def test_a_page_that_is_never_left_reports_its_errors(server: PageServer, new_tab: NewTab) -> None:
    """A failed transfer is reported with its type, and with nothing else of the link."""
    tab = new_tab()
    tab.open(server.url)
    tab.click(".drop button:nth-child(3)")
    tab.page.fill("textarea", "a text")
    tab.click("button[type=submit]")
    tab.click("button.wide")
    link_of(tab)
    tab.click(".actions button")
    assert wait_for_state(tab, "cancelled") == "cancelled"
    assert sent_bodies(tab)
    assert server.metrics()['tallow_client_reports_total{outcome="rejected"}'] == 0
