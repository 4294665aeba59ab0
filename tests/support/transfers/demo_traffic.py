"""User traffic on a running server: `tallow demo`, and the reports that only browsers send."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from asyncio.subprocess import PIPE
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from support.registries import tallow_metrics
from support.transfers.server import Client, Peer
from tallow.app.wire import REPORTED_METRICS
from tallow.monitoring.metrics import Metrics


async def run_demo(url: str, seconds: float, a_minute: float) -> dict[str, int]:
    """Run ``tallow demo`` without a browser; returns the number of transfers by outcome."""
    process = await asyncio.create_subprocess_exec(
        *_command(url, a_minute), "--no-browser", "--duration", f"{seconds:.0f}", stdout=PIPE, stderr=PIPE
    )
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    return _outcomes(out)


@contextlib.contextmanager
def running_demo(url: str, a_minute: float, browser: Path) -> Iterator[dict[str, int]]:
    """Run ``tallow demo`` with a browser for a block.

    Args:
        browser: a folder with a Chromium, which is put on the PATH.

    Yields:
        the number of transfers by outcome, once the block has ended.

    Raises:
        AssertionError: the demo fails, or has ended its browser.
    """
    process = subprocess.Popen(
        _command(url, a_minute),
        env=os.environ | {"PATH": f"{browser}{os.pathsep}{os.environ['PATH']}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    outcomes: dict[str, int] = {}
    try:
        yield outcomes
    finally:
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
    assert (process.returncode, err) == (0, b"")
    outcomes.update(_outcomes(out))


def _command(url: str, a_minute: float) -> list[str]:
    return [sys.executable, "-m", "tallow", "demo", "--server", url, "--json", "--rate", str(a_minute)]


def _outcomes(output: bytes) -> dict[str, int]:
    events = [json.loads(line) for line in output.splitlines()]
    [summary] = [event for event in events if event.get("event") == "summary"]
    outcomes: dict[str, int] = summary["outcomes"]
    return outcomes


async def transfer_between_browsers(client: Client) -> None:
    """Act as two browser pages that transfer a file directly, and send their telemetry reports."""
    sender, receiver = await client.pair()
    await sender.send(type="started", method="p2p")
    await _report(client, sender, _sender_metrics())
    await _report(client, receiver, _receiver_metrics())
    for peer in (sender, receiver):
        await peer.socket.close()


async def _report(client: Client, peer: Peer, metrics: Metrics) -> None:
    snapshot: Any = metrics.registry.snapshot(REPORTED_METRICS)
    for _ in range(100):  # the server may not have processed the start yet
        answer = await client.report(peer.joined["telemetry_token"], snapshot)
        if answer.status_code == 200:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(answer.text)


def _page_metrics() -> Metrics:
    """Metrics that both pages record."""
    metrics = tallow_metrics()
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


def _sender_metrics() -> Metrics:
    metrics = _page_metrics()
    metrics.record_transfer("success", "p2p", 250_000, 0.5, "image/png")
    metrics.record_chunk_transfer("p2p", "sent", 250_000, 0.02)
    metrics.record_pqc_operation("encapsulate", "success", 0.0002)
    metrics.record_encryption("encrypt", "success", 0.0003)
    return metrics


def _receiver_metrics() -> Metrics:
    metrics = _page_metrics()
    metrics.record_chunk_transfer("p2p", "received", 250_000, 0.02)
    metrics.record_pqc_operation("decapsulate", "success", 0.0002)
    metrics.record_encryption("decrypt", "success", 0.0003)
    return metrics
