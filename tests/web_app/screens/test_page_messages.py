"""What a person reads who uses the page for the first time: what happened, and what to do."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from support.web_app.files import make_file
from support.web_app.server import PageServer, serving_page
from support.web_app.tabs import ChromiumTab, NewTab, wait_until
from support.web_app.transfers import PRIMARY, STATE, shown_error, start_send, wait_for_state

pytestmark = [pytest.mark.integration, pytest.mark.proof, pytest.mark.timeout(600)]

ERROR = "document.querySelector('[data-error]').innerText"
DECLINE = "main .row button:last-child"
CANCEL = ".actions button"


NO_STORAGE = "() => { delete StorageManager.prototype.getDirectory; }"
TOO_LARGE = 256 * 1024 * 1024 + 1
"""More than the page keeps in memory in a browser without storage for files."""


def opened(new_tab: NewTab, url: str) -> ChromiumTab:
    tab = new_tab()
    tab.open(url)
    return tab


def read(tab: ChromiumTab, code: str) -> str:
    """The text of an error."""
    assert shown_error(tab) == code
    return str(tab.run(ERROR))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return make_file(tmp_path / "holiday.bin", 3000)


def offered(server: PageServer, new_tab: NewTab, source: Path) -> tuple[ChromiumTab, ChromiumTab]:
    """A sender, and a receiver that is asked whether to accept."""
    sender = opened(new_tab, server.url)
    receiver = opened(new_tab, start_send(sender, [source]))
    wait_for_state(receiver, "confirming")
    return sender, receiver


def test_both_sides_say_that_everything_arrived(server: PageServer, new_tab: NewTab, source: Path) -> None:
    sender, receiver = offered(server, new_tab, source)
    assert "1 file, 3\xa0KB" in receiver.run("document.querySelector('main').innerText")
    receiver.click(PRIMARY)
    for tab, text in ((sender, "was checked on the other side"), (receiver, "complete and unchanged")):
        assert wait_for_state(tab, "done", "failed") == "done"
        assert text in tab.run("document.querySelector('main').innerText")
    assert "in your downloads" in receiver.run("document.querySelector('main').innerText")


def test_a_link_that_is_cut_off_or_of_another_server_is_not_opened(
    server: PageServer, new_tab: NewTab, source: Path
) -> None:
    sender = opened(new_tab, server.url)
    link = start_send(sender, [source])
    receiver = opened(new_tab, server.url)
    receiver.click("nav button:nth-child(2)")
    for pasted, text in (
        (link[:-3], "Copy it again, up to its end."),
        ("hello", "Copy it again, up to its end."),
        (link.replace(server.url, "https://other.example"), "Open it there."),
    ):
        receiver.page.fill("#paste", pasted)
        receiver.click("button[type=submit]")
        wait_until(receiver, f"document.querySelector('#paste-problem').innerText.includes({text!r})")
        assert receiver.run("document.querySelector('#paste').ariaInvalid") == "true"
    assert wait_for_state(sender, "waiting") == "waiting"


def test_a_used_or_unknown_link_asks_for_a_new_one(server: PageServer, new_tab: NewTab, source: Path) -> None:
    sender = opened(new_tab, server.url)
    link = start_send(sender, [source])
    first = opened(new_tab, link)
    wait_for_state(first, "confirming")
    second = opened(new_tab, link)
    assert "Ask the sender for a new one" in read(second, "role_taken")
    first.click(PRIMARY)
    wait_for_state(first, "done")
    wait_for_state(sender, "done")
    third = opened(new_tab, link)
    # The server forgets an ended room a moment later.
    assert shown_error(third) in {"expired", "unknown_room"}
    assert "was used already. Ask the sender for a new one" in third.run(ERROR)


def test_an_expired_link_has_other_words_for_each_side(new_tab: NewTab, tmp_path: Path, source: Path) -> None:
    with serving_page(tmp_path / "short", ROOM_LIFETIME="2") as server:
        sender = opened(new_tab, server.url)
        link = start_send(sender, [source])
        assert "Create a new one" in read(sender, "expired")
        late = opened(new_tab, link)
        assert "Ask the sender for a new one" in read(late, "unknown_room")


def test_both_sides_say_who_declined_or_cancelled(server: PageServer, new_tab: NewTab, source: Path) -> None:
    sender, receiver = offered(server, new_tab, source)
    receiver.click(DECLINE)
    assert "create a new link" in read(sender, "declined")
    assert wait_for_state(receiver, "cancelled") == "cancelled"

    sender, receiver = offered(server, new_tab, source)
    sender.click(CANCEL)
    assert "The sender cancelled" in read(receiver, "peer_cancelled")
    assert "Ask for a new link" in receiver.run(ERROR)
    assert wait_for_state(sender, "cancelled") == "cancelled"


def test_a_receiver_that_cancels_is_named_at_the_sender(
    server: PageServer, new_tab: NewTab, tmp_path: Path
) -> None:
    large = make_file(tmp_path / "large.bin", 200_000_000)
    sender, receiver = offered(server, new_tab, large)
    receiver.click(PRIMARY)
    wait_until(receiver, f"{STATE} === 'transferring'")
    receiver.click(CANCEL)
    assert wait_for_state(receiver, "cancelled", "done") == "cancelled"
    assert "The receiver cancelled" in read(sender, "peer_cancelled")
    assert "create a new link" in sender.run(ERROR)


def test_a_second_tab_that_continues_ends_the_first(
    server: PageServer, new_tab: NewTab, source: Path
) -> None:
    tab = opened(new_tab, server.url)
    start_send(tab, [source])
    kept = tab.run("JSON.stringify({...sessionStorage})")
    copy = ChromiumTab(tab.context, None)
    copy.before_load(f"() => {{ Object.assign(sessionStorage, {kept}); }}")
    copy.open(server.url)
    assert "Go on there" in read(tab, "taken_over")


@pytest.mark.parametrize(
    ("locale", "limit"), [("en-GB", "up to 268\xa0MB each"), ("de-DE", "höchstens 268\xa0MB")]
)
def test_a_file_that_the_browser_cannot_take_is_refused_with_the_limit(
    server: PageServer, new_tab: NewTab, tmp_path: Path, locale: str, limit: str
) -> None:
    large = tmp_path / "large.bin"
    large.touch()
    os.truncate(large, TOO_LARGE)
    sender = opened(new_tab, server.url)
    receiver = new_tab(locale=locale)
    receiver.before_load(NO_STORAGE)
    receiver.open(start_send(sender, [large]))
    wait_for_state(receiver, "confirming")
    receiver.click(PRIMARY)
    assert limit in read(receiver, "file_too_large")
    assert "Its screen says why" in read(sender, "storage_failed")


def test_without_a_network_the_page_says_so_and_goes_on_afterwards(
    server: PageServer, new_tab: NewTab, source: Path
) -> None:
    tab = opened(new_tab, server.url)
    wait_until(tab, "document.querySelector('.drop') !== null")
    tab.context.set_offline(offline=True)
    wait_until(tab, "document.querySelector('.banner')?.innerText.includes('Connect this device')")
    tab.context.set_offline(offline=False)
    wait_until(tab, "document.querySelector('.banner') === null")
    assert start_send(tab, [source]), "a link is created"


def test_a_server_that_is_gone_is_named(new_tab: NewTab, tmp_path: Path, source: Path) -> None:
    with serving_page(tmp_path / "gone") as server:
        tab = opened(new_tab, server.url)
        wait_until(tab, "document.querySelector('.drop') !== null")
    tab.choose("[data-choose=files]", [source])
    tab.click("button.wide")
    assert "Check your connection and try again" in read(tab, "server_unreachable")
    assert tab.run("document.querySelector('.actions').innerText").startswith("Try again")
