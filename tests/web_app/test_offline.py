"""The page as an app: offline start, update, shared files, opened files, installation, notifications."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest

from support.web_app.builds import CONTROLLED, offered_update, open_controlled
from support.web_app.files import make_file
from support.web_app.installation import install_page
from support.web_app.server import PageServer, changes, serving_page
from support.web_app.tabs import ChromiumTab, FirefoxTab, NewTab, Tab, wait_until
from support.web_app.transfers import command_line, link_of, start_send, wait_for_state
from tallow.app.server.endpoints.web_app import SHARE_REFUSAL

pytestmark = [pytest.mark.integration, pytest.mark.proof, pytest.mark.timeout(600)]

SHARE = """(async () => {
  const form = new FormData();
  form.append('title', 'canary title');
  for (const name of ['shared one.txt', 'shared two.txt'])
    form.append('files', new File([name], name, {type: 'text/plain'}));
  const answer = await fetch('/share', {method: 'POST', body: form, redirect: 'manual'});
  return [answer.type, answer.status];
})()"""


@pytest.mark.parametrize("name", ["chromium", "firefox"])
def test_the_page_starts_without_a_server(name: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    tab: Tab = (
        request.getfixturevalue("new_tab")() if name == "chromium" else request.getfixturevalue("firefox_tab")
    )
    with serving_page(tmp_path / "server") as server:
        open_controlled(tab, server.url)
    with pytest.raises(httpx.ConnectError):
        httpx.get(server.url)
    tab.open(server.url)
    wait_until(tab, "document.querySelector('.drop') !== null")
    tab.choose("[data-choose=files]", [make_file(tmp_path / "a.bin", 100)])
    tab.click("button.wide")
    wait_for_state(tab, "failed", "interrupted", "connecting")


def test_a_new_version_waits_for_the_person(new_tab: NewTab, tmp_path: Path) -> None:
    tab = new_tab()
    with offered_update(tab, tmp_path):
        old = tab.run("performance.timeOrigin")
        tab.page.get_by_role("button", name="Update now").click()
        tab.page.wait_for_function(f"performance.timeOrigin !== {old}")
        wait_until(tab, CONTROLLED)
        assert tab.run("document.querySelector('[data-update]') === null")


def test_shared_files_are_taken_by_the_service_worker_and_never_reach_the_server(
    server: PageServer, new_tab: NewTab, tmp_path: Path
) -> None:
    tab = new_tab()
    open_controlled(tab, server.url)
    before = server.metrics()
    assert tab.run(SHARE)[0] == "opaqueredirect"
    assert not changes(before, server.metrics(), 'api_errors_total{endpoint="/share"')
    tab.open(f"{server.url}/?shared")
    wait_until(tab, "document.querySelectorAll('.files li').length === 2")
    assert tab.run("location.href") == f"{server.url}/"
    tab.click("button.wide")
    with command_line("receive", "--yes", "-o", str(tmp_path / "out"), stdin=link_of(tab)) as receiver:
        assert receiver.wait(timeout=60) == 0
    assert (tmp_path / "out" / "shared one.txt").read_text() == "shared one.txt"
    server.wait_for('tallow_client_reports_total{outcome="accepted"}', 2)
    assert server.metrics()['tallow_feature_usage_total{feature="share_target"}'] == 1
    tab.open(f"{server.url}/?shared")  # taken once
    wait_until(tab, "document.querySelector('[role=alert]') !== null")


def test_shared_files_without_the_service_worker_are_refused(server: PageServer, new_tab: NewTab) -> None:
    tab = new_tab(service_workers="block")
    tab.open(server.url)
    wait_until(tab, "document.querySelector('h1') !== null")
    assert tab.run(SHARE) == ["basic", 403]
    assert (
        tab.run("fetch('/share', {method: 'POST', body: 'x'}).then((answer) => answer.text())")
        == SHARE_REFUSAL
    )
    assert "canary" not in server.log.read_text()
    assert server.metrics()['tallow_api_errors_total{endpoint="/share",status_code="403"}'] == 2


def test_chromium_installs_the_page_and_the_installation_is_counted(
    server: PageServer, profile_tab: ChromiumTab, tmp_path: Path
) -> None:
    tab = profile_tab
    open_controlled(tab, server.url)
    session = tab.page.context.new_cdp_session(tab.page)
    assert session.send("Page.getInstallabilityErrors")["installabilityErrors"] == []
    assert session.send("Page.getAppManifest")["errors"] == []
    install_page(tab, server.url)
    with command_line(
        "receive",
        "--yes",
        "-o",
        str(tmp_path / "out"),
        stdin=start_send(tab, [make_file(tmp_path / "a", 10)]),
    ) as peer:
        peer.wait(timeout=60)
    assert server.wait_for('tallow_pwa_installs_total{platform="desktop"}', 1)


@pytest.mark.parametrize(("permission", "status"), [("granted", "sent"), ("denied", "denied")])
def test_a_hidden_page_notifies_and_counts_it(
    server: PageServer, new_tab: NewTab, tmp_path: Path, permission: str, status: str
) -> None:
    tab = new_tab(permissions=["notifications"] if permission == "granted" else [])
    open_controlled(tab, server.url)
    tab.run("void localStorage.setItem('tallow.settings', JSON.stringify({notifications: 'on'}))")
    tab.open(server.url)
    # Playwright gives each tab the focus, so that no other tab covers it. The demo's test covers one.
    tab.run("void Object.defineProperty(document, 'visibilityState', {value: 'hidden'})")
    link = start_send(tab, [make_file(tmp_path / "a", 10)])
    with command_line("receive", "--yes", "-o", str(tmp_path / "out"), stdin=link) as receiver:
        assert receiver.wait(timeout=60) == 0
    wait_for_state(tab, "done")
    joined, complete = (
        f'tallow_notifications_sent_total{{type="{kind}",status="{status}"}}'
        for kind in ("connection", "transfer_complete")
    )
    assert server.wait_for(joined, 1)
    if status == "sent":
        shown = "navigator.serviceWorker.ready.then((found) => found.getNotifications())"
        assert (
            tab.run(f"{shown}.then((all) => all.map((one) => one.title + one.body).join().includes('a.'))")
            is False
        )
    assert complete in server.metrics()


def test_firefox_keeps_the_files_of_the_page_for_offline_use(
    server: PageServer, firefox_tab: FirefoxTab
) -> None:
    open_controlled(firefox_tab, server.url)
    kept = firefox_tab.run(
        "caches.keys().then((names) => caches.open(names.find((name) => name.startsWith('tallow-'))))"
        ".then((cache) => cache.keys()).then((all) => all.map((found) => new URL(found.url).pathname))"
    )
    assert "/" in kept
    assert any(path.endswith(".js") for path in kept)


LAUNCH = """() => {
  // Only an installed app is opened with files, and a headless browser installs none.
  const launchQueue = {setConsumer: (consumer) => { globalThis.openWith = consumer; }};
  Object.defineProperty(globalThis, 'launchQueue', {value: launchQueue});
}"""
OPEN_WITH = """(async () => {
  const root = await navigator.storage.getDirectory();
  const file = await root.getFileHandle('opened.txt', {create: true});
  const out = await file.createWritable();
  await out.write('opened with the page');
  await out.close();
  await openWith({files: []});
  await openWith({files: [file]});
})()"""


def test_a_file_that_is_opened_with_the_page_is_chosen_sent_and_counted(
    server: PageServer, new_tab: NewTab, tmp_path: Path
) -> None:
    tab = new_tab()
    tab.before_load(LAUNCH)
    tab.open(server.url)
    wait_until(tab, "typeof globalThis.openWith === 'function'")
    session = tab.page.context.new_cdp_session(tab.page)
    manifest = json.loads(session.send("Page.getAppManifest")["data"])
    assert manifest["file_handlers"][0]["action"] == "/"
    tab.run(OPEN_WITH)
    wait_until(tab, "document.querySelectorAll('.files li').length === 1")
    tab.click("button.wide")
    with command_line("receive", "--yes", "-o", str(tmp_path / "out"), stdin=link_of(tab)) as receiver:
        assert receiver.wait(timeout=60) == 0
    assert (tmp_path / "out" / "opened.txt").read_text() == "opened with the page"
    wait_for_state(tab, "done")
    server.wait_for('tallow_feature_usage_total{feature="file_handler"}', 1)
