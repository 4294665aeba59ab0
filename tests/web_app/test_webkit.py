"""The page in Debian's WebKitGTK.

It has neither WebRTC, nor ML-KEM in WebCrypto, nor an origin-private file system. The page uses the relay,
its own ML-KEM, and memory for what arrives. The file system can be switched on, but an automated session does
not store anything.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from support.programs.webkit import webkit
from support.web_app.files import make_file, wait_for_download
from support.web_app.server import PageServer, changes
from support.web_app.tabs import NewTab, Tab, WebKitTab, wait_until
from support.web_app.transfers import accept, command_line, shown_error, start_send, wait_for_state

pytestmark = [pytest.mark.integration, pytest.mark.proof, pytest.mark.timeout(900)]

NAME: Final = "Ålesund 文件 (copy).bin"
SIZE: Final = 3_000_001
LARGE: Final = 100_000_000
TOO_LARGE: Final = 256 * 1024 * 1024 + 1
"""More than the page keeps in memory."""
LONG_WAIT_S: Final = 600
FEATURES: Final = """({
  x25519: await crypto.subtle.generateKey({name: 'X25519'}, false, ['deriveBits'])
    .then(() => true, () => false),
  mlkem: typeof crypto.subtle.encapsulateBits === 'function',
  webrtc: typeof RTCPeerConnection === 'function',
  storage: typeof navigator.storage?.getDirectory === 'function',
  policy: typeof trustedTypes === 'object',
})"""
WATCH_POLICY: Final = """(() => {
  window.blocked = [];
  addEventListener('securitypolicyviolation', (event) => blocked.push(event.blockedURI));
})()"""
FOREIGN: Final = "http://127.0.0.1:9/picture.png"
BOOKED: Final = ("transfers_total", "bytes_transferred_total", "pqc_key_exchanges_total", "errors_total")


@pytest.fixture
def tab(tmp_path: Path, downloads: Path) -> Iterator[WebKitTab]:
    with webkit(tmp_path / "webkit", downloads) as session:
        yield WebKitTab(session)


@contextlib.contextmanager
def offered(server: PageServer, source: Path, *options: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A command-line sender, with its link."""
    with command_line("send", "--server", server.url, "--json", *options, str(source)) as sender:
        assert sender.stdout is not None
        yield next(found for line in sender.stdout if (found := json.loads(line).get("link"))), sender


def send_to_command_line(tab: Tab, server: PageServer, source: Path, folder: Path) -> None:
    tab.open(server.url)
    with command_line("receive", "--yes", "-o", str(folder), stdin=start_send(tab, [source])) as receiver:
        assert wait_for_state(tab, "done", "failed", seconds=LONG_WAIT_S) == "done"
        assert receiver.wait(timeout=60) == 0
    assert is_same(source, folder / source.name)


def receive_from_command_line(tab: Tab, server: PageServer, source: Path, downloads: Path) -> None:
    with offered(server, source, "--relay") as (link, sender):
        tab.open(link)
        accept(tab)
        assert wait_for_state(tab, "done", "failed", seconds=LONG_WAIT_S) == "done"
        assert sender.stdout is not None
        sender.stdout.read()
        assert sender.wait(timeout=60) == 0
    assert is_same(source, wait_for_download(tab, downloads, source.name, source.stat().st_size))


def is_same(one: Path, other: Path) -> bool:
    return subprocess.run(["cmp", one, other], check=False).returncode == 0


def test_the_page_opens_with_substitutes_for_what_is_missing(server: PageServer, tab: WebKitTab) -> None:
    tab.open(server.url)
    wait_until(tab, "document.querySelector('[data-choose=files]') !== null")
    found: dict[str, Any] = tab.run(FEATURES)
    print("WebKitGTK", tab.version, found)
    assert found["policy"]  # trusted types: the page's policy is in force
    wait_until(tab, "navigator.serviceWorker.controller?.state === 'activated'")
    assert tab.run("document.querySelector('[data-update]') === null")  # the first version is no update


def test_the_content_security_policy_is_in_force_and_fits_the_page(
    server: PageServer, tab: WebKitTab, downloads: Path, tmp_path: Path
) -> None:
    source = make_file(tmp_path / NAME, SIZE)
    with offered(server, source) as (link, _):  # with an offer of WebRTC, which the page refuses
        tab.open(link)
        tab.run(WATCH_POLICY)
        accept(tab)
        assert wait_for_state(tab, "done", "failed") == "done"
    wait_for_download(tab, downloads, NAME, SIZE)
    assert tab.run("blocked") == []
    tab.run(f"void (new Image().src = {json.dumps(FOREIGN)})")
    assert wait_until(tab, "blocked.length && blocked") == [FOREIGN]
    with pytest.raises(AssertionError, match="TypeError"):
        tab.run("void (document.createElement('script').text = 'blocked.push(1)')")


def test_files_go_to_and_come_from_the_command_line_over_the_relay(
    server: PageServer, tab: WebKitTab, downloads: Path, tmp_path: Path
) -> None:
    source = make_file(tmp_path / NAME, SIZE)
    before = server.metrics()
    send_to_command_line(tab, server, source, tmp_path / "out")
    receive_from_command_line(tab, server, source, downloads)
    after = server.wait_for('tallow_client_reports_total{outcome="accepted"}', 4)
    assert changes(before, after, *BOOKED) == {
        'transfers_total{status="success",method="relay"}': 2,
        'bytes_transferred_total{direction="sent"}': 2 * SIZE,
        'bytes_transferred_total{direction="received"}': 2 * SIZE,
        'pqc_key_exchanges_total{algorithm="x25519_mlkem768",status="success"}': 4,
    }
    assert sorted(path.name for path in downloads.iterdir()) == [NAME]


def test_100_mb_to_and_from_the_command_line(
    server: PageServer, tab: WebKitTab, downloads: Path, tmp_path: Path
) -> None:
    source = make_file(tmp_path / "large.bin", LARGE)
    send_to_command_line(tab, server, source, tmp_path / "out")
    receive_from_command_line(tab, server, source, downloads)
    assert server.metrics()['tallow_transfers_total{status="success",method="relay"}'] == 2


def test_files_go_to_and_come_from_chromium(
    server: PageServer, tab: WebKitTab, new_tab: NewTab, downloads: Path, tmp_path: Path
) -> None:
    for sender, receiver, name in ((tab, new_tab(), f"to {NAME}"), (new_tab(), tab, f"from {NAME}")):
        source = make_file(tmp_path / name, SIZE)
        sender.open(server.url)
        receiver.open(start_send(sender, [source]))
        accept(receiver)
        for one in (sender, receiver):
            assert wait_for_state(one, "done", "failed") == "done"
        assert is_same(source, wait_for_download(receiver, downloads, name, SIZE))


def test_a_wrong_secret_ends_with_an_error(
    server: PageServer, tab: WebKitTab, downloads: Path, tmp_path: Path
) -> None:
    with offered(server, make_file(tmp_path / NAME, SIZE)) as (link, sender):
        tab.open(f"{link[:-22]}{'A' * 22}")
        assert shown_error(tab) == "unknown_room"
        assert sender.poll() is None  # it still waits for the receiver
    assert list(downloads.iterdir()) == []


def test_a_sender_that_ends_leaves_no_file(
    server: PageServer, tab: WebKitTab, downloads: Path, tmp_path: Path
) -> None:
    source = make_file(tmp_path / "slow.bin", 2 * SIZE)
    with offered(server, source, "--relay", "--limit", "1M") as (link, sender):
        tab.open(link)
        accept(tab)
        wait_until(tab, "document.querySelector('[data-state=transferring] progress')?.value > 0")
        sender.terminate()
        assert shown_error(tab) == "peer_stopped"
        assert wait_for_state(tab, "cancelled", "failed", "done") == "cancelled"
    assert list(downloads.iterdir()) == []


def test_a_file_without_a_place_is_refused(
    server: PageServer, tab: WebKitTab, downloads: Path, tmp_path: Path
) -> None:
    """A download through the service worker would leave an incomplete file under its name."""
    source = tmp_path / "large.bin"
    source.touch()
    os.truncate(source, TOO_LARGE)
    with offered(server, source, "--relay") as (link, sender):
        tab.open(link)
        accept(tab)
        assert shown_error(tab) == "file_too_large"
        assert "up to 268\xa0MB" in tab.run("document.querySelector('[data-error]').innerText")
        assert sender.wait(timeout=60) != 0
    assert list(downloads.iterdir()) == []
