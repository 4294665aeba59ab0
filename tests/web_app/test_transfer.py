"""One transfer in each browser, with the metrics that it changes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.web_app.files import make_file, wait_for_download
from support.web_app.server import PageServer, changes
from support.web_app.tabs import FirefoxTab, NewTab
from support.web_app.transfers import accept, command_line, start_send, wait_for_state

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("browser")]

NAME = "Ålesund day 2 (copy).bin"
SIZE = 1_500_000
BOOKED = ("transfers_total", "bytes_transferred_total", "pqc_key_exchanges_total", "errors_total")
CONNECTIONS = ("direct_connections_total", "webrtc_connections_total", "nat_traversal_total")


def test_chromium_sends_a_file_to_the_command_line_over_the_relay(
    server: PageServer, new_tab: NewTab, tmp_path: Path
) -> None:
    source = make_file(tmp_path / NAME, SIZE)
    tab = new_tab()
    tab.open(server.url)
    before = server.metrics()
    link = start_send(tab, [source])
    assert tab.run("location.href") == f"{server.url}/"
    with command_line("receive", "--yes", "--relay", "-o", str(tmp_path / "out"), stdin=link) as receiver:
        assert wait_for_state(tab, "done", "failed") == "done"
        assert receiver.wait(timeout=60) == 0
    assert (tmp_path / "out" / NAME).read_bytes() == source.read_bytes()
    after = server.wait_for('tallow_client_reports_total{outcome="accepted"}', 2)
    assert changes(before, after, *BOOKED) == {
        'transfers_total{status="success",method="relay"}': 1,
        'bytes_transferred_total{direction="sent"}': SIZE,
        'bytes_transferred_total{direction="received"}': SIZE,
        'pqc_key_exchanges_total{algorithm="x25519_mlkem768",status="success"}': 2,
    }
    assert tab.problems == []
    assert all(url.startswith((server.url, "blob:")) for url in tab.requested)


def test_firefox_receives_a_file_from_the_command_line_directly(
    server: PageServer, firefox_tab: FirefoxTab, downloads: Path, tmp_path: Path
) -> None:
    source = make_file(tmp_path / NAME, SIZE)
    before = server.metrics()
    with command_line("send", "--server", server.url, "--direct", "--json", str(source)) as sender:
        assert sender.stdout is not None
        link = next(found for line in sender.stdout if (found := json.loads(line).get("link")))
        firefox_tab.open(link)
        accept(firefox_tab)
        assert wait_for_state(firefox_tab, "done", "failed") == "done"
        sender.stdout.read()
        assert sender.wait(timeout=60) == 0
    assert firefox_tab.run("location.href") == f"{server.url}/"
    assert wait_for_download(firefox_tab, downloads, NAME, SIZE).read_bytes() == source.read_bytes()
    after = server.wait_for('tallow_client_reports_total{outcome="accepted"}', 2)
    assert changes(before, after, *BOOKED, *CONNECTIONS) == {
        'transfers_total{status="success",method="p2p"}': 1,
        'bytes_transferred_total{direction="sent"}': SIZE,
        'bytes_transferred_total{direction="received"}': SIZE,
        'pqc_key_exchanges_total{algorithm="x25519_mlkem768",status="success"}': 2,
        'webrtc_connections_total{type="direct",status="success"}': 1,
        'direct_connections_total{transport="webrtc",status="success"}': 1,
        'nat_traversal_total{strategy="host",status="success"}': 1,
    }
    assert firefox_tab.problems == []
