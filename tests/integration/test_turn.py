"""A transfer through Debian's coturn, for peers that cannot or must not connect directly."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from pathlib import Path

import pytest

from support.programs.turn import coturn
from support.transfers.peers import DIRECT, receive, send
from support.transfers.server import serving

pytestmark = pytest.mark.integration


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("XDG_STATE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(variable, str(tmp_path / "home"))


async def test_a_forced_relay_uses_turn_and_is_counted_as_relayed(tmp_path: Path) -> None:
    path = tmp_path / "clip.webm"
    path.write_bytes(os.urandom(2_000_000))
    relay_only = replace(DIRECT, relay="relay")
    async with coturn(tmp_path) as turn, serving(tmp_path, **turn.settings()) as server:
        sender = await send(server.url, [path], options=relay_only)
        receiver = receive(sender.link, tmp_path / "out", options=relay_only)
        await asyncio.gather(sender.task, receiver.task)
        value = server.value
        assert (tmp_path / "out" / path.name).read_bytes() == path.read_bytes()
        assert value("transfers_total", status="success", method="relay") == 1
        assert value("transfers_total", status="success", method="p2p") == 0
        assert value("webrtc_connections_total", type="relay", status="success") == 1
        assert value("connection_establishment_seconds_count", type="relay") == 1
        assert value("nat_traversal_total", strategy="turn", status="success") == 1
        assert value("turn_relay_usage_total", forced="true") == 1
        assert value("turn_relay_usage_total", forced="false") == 0
        assert value("connection_quality_score_count", type="relay") == 1
        assert value("bandwidth_utilization_mbps", direction="sent") == 0
        assert value("bytes_transferred_total", direction="received") == 2_000_000
