"""Life on a running server, as users bring it: real transfers, mistakes, and what only a browser reports."""

from __future__ import annotations

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path
from typing import Any

import httpx

from support.server import Client, Peer
from tallow.app.server.report import ALLOWED
from tallow.monitoring.metrics import Metrics
from tallow.monitoring.registry import Registry


async def tallow(*arguments: str) -> Process:
    """A verb of the command line, as a process that tells events as JSON lines."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tallow", *arguments, "--json"), stdin=PIPE, stdout=PIPE, stderr=PIPE
    )


async def transfer(url: str, folder: Path, size: int, *options: str) -> None:
    """Send a file of ``size`` bytes with ``tallow send OPTIONS`` and receive it with ``tallow receive``."""
    folder.mkdir(parents=True)
    (folder / "sent.bin").write_bytes(b"\x00" * size)
    sender = await tallow("send", "--server", url, "--no-qr", *options, str(folder / "sent.bin"))
    assert sender.stdout
    link = json.loads(await sender.stdout.readline())["link"]
    receiver = await tallow("receive", link, "--output", str(folder / "received"))
    told = await asyncio.gather(sender.communicate(), receiver.communicate())
    assert (sender.returncode, receiver.returncode) == (0, 0), told
    assert (folder / "received" / "sent.bin").stat().st_size == size


async def mistakes(http: httpx.AsyncClient) -> None:
    """What clients do wrong on any day: a route that is not there, a room that is none, no token."""
    await http.get("/api/none")
    await http.post("/api/rooms", json={"token_hash": "no hash"})
    await http.get("/metrics", headers={"authorization": "Bearer guessed"})


async def browsers(client: Client) -> None:
    """Two pages transfer a file directly: what they tell the server of it."""
    sender, receiver = await client.pair()
    await sender.send(type="started", method="p2p")
    await _report(client, sender, _sender())
    await _report(client, receiver, _receiver())
    for peer in (sender, receiver):
        await peer.socket.close()


async def _report(client: Client, peer: Peer, metrics: Metrics) -> None:
    snapshot: Any = metrics.registry.snapshot(ALLOWED)
    for _ in range(100):  # the start may still be on its way
        answer = await client.report(peer.joined["telemetry_token"], snapshot)
        if answer.status_code == 200:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(answer.text)


def _page() -> Metrics:
    """What either page sees."""
    metrics = Metrics(Registry())
    metrics.record_webrtc_connection("direct", "success", 0.4)
    metrics.record_nat_traversal("host", "success")
    metrics.record_connection_quality("direct", 88)
    metrics.record_key_exchange("success")
    metrics.record_error("network", "low")
    metrics.record_recovery("network")
    metrics.record_retry("connection", "success")
    metrics.record_service_worker_event("activate")
    metrics.record_notification("transfer_complete", "sent")
    return metrics


def _sender() -> Metrics:
    metrics = _page()
    metrics.record_transfer("success", "p2p", 250_000, 0.5, "image/png")
    metrics.record_chunk_transfer("p2p", "sent", 250_000, 0.02)
    metrics.record_pqc_operation("encapsulate", "success", 0.0002)
    metrics.record_encryption("encrypt", "success", 0.0003)
    return metrics


def _receiver() -> Metrics:
    metrics = _page()
    metrics.record_chunk_transfer("p2p", "received", 250_000, 0.02)
    metrics.record_pqc_operation("decapsulate", "success", 0.0002)
    metrics.record_encryption("decrypt", "success", 0.0003)
    return metrics
