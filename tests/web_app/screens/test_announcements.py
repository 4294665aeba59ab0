"""What a screen reader is told: names of what is on a screen, and each event of a transfer once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.web_app.files import make_file
from support.web_app.server import PageServer
from support.web_app.tabs import ChromiumTab, NewTab, wait_until
from support.web_app.transfers import PRIMARY, accept, command_line, link_of, start_send, wait_for_state

pytestmark = [pytest.mark.integration, pytest.mark.proof, pytest.mark.timeout(600)]

SIZE = 4_000_000
RECORDER = """() => {
  globalThis.told = [];
  const tell = (kind, words) => words.trim() && told.push(`${kind}: ${words.trim()}`);
  addEventListener('focusin', ({target}) => target.localName === 'h1' && tell('heading', target.textContent));
  new MutationObserver((records) => {
    const regions = new Set();
    for (const {target, addedNodes} of records) {
      const element = target instanceof Element ? target : target.parentElement;
      const region = element?.closest('[role=status], [role=alert]');
      if (region) regions.add(region);
      for (const node of addedNodes) {
        if (!(node instanceof Element)) continue;
        if (node.matches('[role=alert]')) regions.add(node);
        for (const alert of node.querySelectorAll('[role=alert]')) regions.add(alert);
      }
    }
    for (const region of regions) if (region.isConnected) tell(region.role, region.textContent);
  }).observe(document, {childList: true, subtree: true, characterData: true});
}"""
"""Records in ``told`` what a screen reader speaks: a heading that takes the focus, an alert that appears, and
new words in a status. A status that appears together with its words is not spoken."""
WAITS = "heading: Share this link", "status: Waiting for the other device…"


def recorded(new_tab: NewTab) -> ChromiumTab:
    tab = new_tab()
    tab.before_load(RECORDER)
    return tab


def told_until(tab: ChromiumTab, last: str) -> list[str]:
    """What was told, after something was told."""
    wait_until(tab, f"told.includes({json.dumps(last)})")
    found: list[str] = tab.run("told")
    return found


def test_a_receiver_is_told_each_quarter_and_the_end_once(
    server: PageServer, new_tab: NewTab, tmp_path: Path
) -> None:
    source = make_file(tmp_path / "slow.bin", SIZE)
    options = ["--json", "--relay", "--limit", "1M"]
    tab = recorded(new_tab)
    with command_line("send", "--server", server.url, *options, str(source)) as sender:
        assert sender.stdout is not None
        tab.open(next(found for line in sender.stdout if (found := json.loads(line).get("link"))))
        accept(tab)
        told = told_until(tab, "status: Everything arrived complete and unchanged.")
        sender.communicate(timeout=60)
    told = told[told.index("heading: Accept these files?") :]
    quarters = told[2:-2]
    assert told[:2] == ["heading: Accept these files?", "heading: Receiving"]
    assert quarters
    assert quarters == sorted(set(quarters))
    assert set(quarters) <= {f"status: {percent}% transferred" for percent in (25, 50, 75)}
    assert told[-2:] == ["heading: Received", "status: Everything arrived complete and unchanged."]


def test_a_sender_is_told_that_it_waits_and_the_end_once(
    server: PageServer, new_tab: NewTab, tmp_path: Path
) -> None:
    tab = recorded(new_tab)
    tab.open(server.url)
    link = start_send(tab, [make_file(tmp_path / "a.bin", 1000)])
    told_until(tab, WAITS[1])
    with command_line("receive", "--yes", "-o", str(tmp_path / "out"), stdin=link) as receiver:
        assert receiver.wait(timeout=60) == 0
    told = told_until(tab, "status: Everything arrived and was checked on the other side.")
    assert [line for line in told if line in WAITS] == list(WAITS)
    assert told[-2:] == [
        "heading: Sent",
        "status: Everything arrived and was checked on the other side.",
    ]
    told = [line for line in told if line != "heading: Connecting…"]  # to the server, later to the other side
    assert len(told) == len(set(told))


def test_an_end_is_told_while_another_screen_is_shown(
    server: PageServer, new_tab: NewTab, tmp_path: Path
) -> None:
    tab = recorded(new_tab)
    tab.open(server.url)
    link = start_send(tab, [make_file(tmp_path / "a.bin", 1000)])
    tab.click("nav button:nth-child(3)")
    with command_line("receive", "--yes", "-o", str(tmp_path / "out"), stdin=link) as receiver:
        assert receiver.wait(timeout=60) == 0
    told = told_until(tab, "status: Sent. Everything arrived and was checked on the other side.")
    assert tab.run("document.title").startswith("Settings")
    assert sum("Everything arrived" in line for line in told) == 1


def test_an_error_is_told_once(server: PageServer, new_tab: NewTab) -> None:
    tab = recorded(new_tab)
    tab.open(f"{server.url}/#{'a' * 16}.{'A' * 22}")
    last = "status: This link is not valid, has expired or was used already. Ask the sender for a new one."
    told = told_until(tab, last)
    assert told[-2:] == ["heading: The transfer failed", last]
    assert len(told) == len(set(told))


def test_a_cancelled_transfer_is_told_once(server: PageServer, new_tab: NewTab, tmp_path: Path) -> None:
    tab = recorded(new_tab)
    tab.open(server.url)
    start_send(tab, [make_file(tmp_path / "a.bin", 1000)])
    tab.click(".actions button")
    told = told_until(tab, "status: The transfer was ended. No incomplete file was saved.")
    assert told[-2:] == [
        "heading: Cancelled",
        "status: The transfer was ended. No incomplete file was saved.",
    ]
    assert len(told) == len(set(told))


def test_a_lost_connection_and_a_copied_link_are_told_once(
    server: PageServer, new_tab: NewTab, tmp_path: Path
) -> None:
    tab = new_tab(permissions=["clipboard-write"])
    tab.before_load(RECORDER)
    tab.open(server.url)
    start_send(tab, [make_file(tmp_path / "a.bin", 1000)])
    tab.click(".link-panel button.primary")
    told_until(tab, "status: Copied")
    tab.context.set_offline(offline=True)
    wait_until(tab, "told.some((line) => line.startsWith('status: You are offline.'))")
    told = tab.run("told")
    assert told.count("status: Copied") == 1
    assert sum("You are offline" in line for line in told) == 1


def test_what_is_on_the_screens_has_a_name(server: PageServer, new_tab: NewTab, tmp_path: Path) -> None:
    """As the browser gives it to a screen reader."""
    sender, receiver = new_tab(), new_tab()
    sender.open(server.url)
    wait_until(sender, "document.querySelector('.drop') !== null")
    sender.choose("[data-choose=files]", [make_file(tmp_path / "notes.txt", 1000)])
    main = sender.page.get_by_role("main")
    main.get_by_role("list", name="Chosen").get_by_role("button", name="Remove notes.txt").wait_for()
    main.get_by_role("button", name="Create link").click()
    link = link_of(sender)
    main.get_by_role("textbox", name="Link", exact=True).wait_for()
    main.get_by_role("img", name="QR code of the link").wait_for()
    receiver.open(link)
    wait_for_state(receiver, "confirming")
    offer = receiver.page.get_by_role("list", name="Accept these files?").get_by_role("listitem")
    assert offer.aria_snapshot() == "- listitem: notes.txt 1 KB"
    receiver.click(PRIMARY)
    wait_for_state(receiver, "done")
    receiver.page.get_by_role("button", name="Save notes.txt").wait_for()
    navigation = receiver.page.get_by_role("navigation", name="Main").aria_snapshot()
    assert [line.strip(" -") for line in navigation.splitlines()[1:]] == [
        'button "Send"',
        'button "Receive"',
        'button "Settings"',
    ]


def test_a_running_transfer_has_a_progress_bar_with_a_value(
    server: PageServer, new_tab: NewTab, tmp_path: Path
) -> None:
    tab = new_tab()
    options = ["--json", "--relay", "--limit", "500K"]
    source = make_file(tmp_path / "slow.bin", SIZE)
    with command_line("send", "--server", server.url, *options, str(source)) as sender:
        assert sender.stdout is not None
        tab.open(next(found for line in sender.stdout if (found := json.loads(line).get("link"))))
        accept(tab)
        bar = tab.page.get_by_role("progressbar", name="Progress of the transfer")
        bar.wait_for()
        wait_until(tab, "document.querySelector('progress').value > 0")
        assert tab.run("document.querySelector('progress').max") == SIZE
        tab.click(".actions button")
        wait_for_state(tab, "cancelled")
