"""A transfer is counted once and started once, whatever its peers report, even if they are killed."""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from support.transfers.peers import RELAYED, RunningPeer, receive, send, tallow
from support.transfers.server import RunningServer, serving

pytestmark = pytest.mark.integration

ENDINGS = ("success", "sender cancels", "receiver cancels", "sender is killed", "receiver is killed")
COUNTED = {
    "success": "success",
    "sender cancels": "cancelled",
    "receiver cancels": "cancelled",
    "sender is killed": "failed",
    "receiver is killed": "failed",
}
SIZE = 40_000_000
SILENT = replace(RELAYED, telemetry=False)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("XDG_STATE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(variable, str(tmp_path / "home"))


def counted(server: RunningServer) -> dict[str, float]:
    """Non-zero numbers of transfers by outcome, summed over the methods."""
    found = {
        status: sum(
            server.value("transfers_total", status=status, method=method) for method in ("p2p", "relay")
        )
        for status in ("success", "failed", "cancelled")
    }
    return {status: count for status, count in found.items() if count}


async def wait_until_counted(server: RunningServer) -> None:
    while not counted(server):
        await asyncio.sleep(0.05)
    await asyncio.sleep(1.2)  # a second count would show by then


@pytest.mark.parametrize("receiver_reports", [True, False], ids=["receiver reports", "receiver silent"])
@pytest.mark.parametrize("sender_reports", [True, False], ids=["sender reports", "sender silent"])
@pytest.mark.parametrize("ending", ENDINGS[:3])
async def test_a_transfer_is_counted_once_for_each_ending_and_reporting_peer(
    tmp_path: Path, ending: str, sender_reports: bool, receiver_reports: bool
) -> None:
    path = tmp_path / "x.bin"
    path.write_bytes(os.urandom(SIZE))
    # Without a report, the server counts a sender that left after outcome_report_timeout, and one whose
    # connection was lost after sender_reconnect_grace.
    async with serving(tmp_path, outcome_report_timeout=0.5, sender_reconnect_grace=0.5) as server:
        sender = await send(server.url, [path], options=RELAYED if sender_reports else SILENT)
        receiver = receive(sender.link, tmp_path / "in", options=RELAYED if receiver_reports else SILENT)
        leaver: RunningPeer | None = {"sender cancels": sender, "receiver cancels": receiver}.get(ending)
        if leaver is not None:
            await receiver.wait_for_event("progress")
            leaver.task.cancel()
        await asyncio.gather(sender.wait_for_error(), receiver.wait_for_error())
        await wait_until_counted(server)
        assert counted(server) == {COUNTED[ending]: 1}
        assert server.value("transfers_started_total") == 1
        assert server.value("active_transfers") == 0


@pytest.mark.parametrize("flags", [(), ("--no-telemetry",)], ids=["reporting", "silent"])
@pytest.mark.parametrize("ending", ENDINGS[3:])
async def test_a_transfer_is_counted_once_if_a_peer_is_killed(
    tmp_path: Path, ending: str, flags: tuple[str, ...]
) -> None:
    path = tmp_path / "x.bin"
    path.write_bytes(os.urandom(SIZE))
    sending = ("send", str(path), "--relay", *flags)
    async with serving(
        tmp_path, outcome_report_timeout=0.5, sender_reconnect_grace=0.5, relay_bandwidth=4e6
    ) as server:
        async with tallow(*sending, "--server", server.url, home=tmp_path / "s") as sender:
            link = (await sender.wait_for_event("link"))["link"]
            receiving = ("receive", "-o", str(tmp_path / "in"), *flags)
            async with tallow(*receiving, home=tmp_path / "r", given=link) as receiver:
                await receiver.wait_for_event("progress")
                (sender if ending == "sender is killed" else receiver).process.send_signal(signal.SIGKILL)
                if ending == "receiver is killed":
                    # The sender waits for the receiver to return until it is killed, too.
                    await sender.wait_for_event("waiting")
                    sender.process.send_signal(signal.SIGKILL)
                await wait_until_counted(server)
        assert counted(server) == {COUNTED[ending]: 1}
        assert server.value("transfers_started_total") == 1
        assert server.value("active_transfers") == 0
