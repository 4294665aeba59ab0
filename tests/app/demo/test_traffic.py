"""Demo traffic: real transfers whose counts match the server's metrics."""

from __future__ import annotations

import asyncio
import os
import random
import re
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from support.commands import run
from support.dashboards.panels import panel_queries, values
from support.programs.browser import place_command
from support.transfers.server import RunningServer
from support.transfers.source_files import collect_files
from tallow.app.demo.bad_requests import BAD_REQUESTS, send_bad_requests
from tallow.app.demo.browser import BROWSERS_ONLY, MISSING, BrowserTraffic
from tallow.app.demo.devtools import BrowserError
from tallow.app.demo.files import make_files
from tallow.app.demo.plan import TrafficMix, TransferPlan
from tallow.app.demo.several_receivers import SeveralReceiversTransfer
from tallow.app.demo.traffic import TrafficGenerator, TrafficSummary
from tallow.app.demo.transfer import DemoTransfer, TransferResult
from tallow.app.metadata.strip import strip
from tallow.app.peer.errors import PeerError
from tallow.app.peer.server_client import tls_context

pytestmark = pytest.mark.slow

METHODS = ("p2p", "relay")


def traffic(origin: str, shares: TrafficMix | None = None, **more: Any) -> TrafficGenerator:
    options: dict[str, Any] = {"rate": 6000, "concurrency": 4, "chance": random.Random(3)} | more
    return TrafficGenerator(origin, tls_context(), shares or TrafficMix(size=300_000), **options)


def counted(server: RunningServer, status: str) -> float:
    return sum(server.value("transfers_total", status=status, method=method) for method in METHODS)


async def settled(server: RunningServer, summary: TrafficSummary) -> None:
    """Wait until the server counted the outcomes that peers did not report."""
    async with asyncio.timeout(120):
        while sum(counted(server, status) for status in ("success", "failed", "cancelled")) < sum(
            summary.outcomes[outcome] for outcome in ("success", "failed", "cancelled")
        ):
            await asyncio.sleep(0.1)


async def test_each_scenario_has_its_expected_outcome_and_metrics(server: RunningServer) -> None:
    results: list[TransferResult] = []
    summary = await traffic(server.url, on_result=results.append).run(transfers=12)
    assert [result for result in results if not result.as_expected] == []
    assert summary.outcomes == {"success": 8, "cancelled": 3, "failed": 2, "refused": 1}
    assert summary.without_room == 0
    assert summary.bytes > 300_000
    await settled(server, summary)
    for status in ("success", "cancelled", "failed"):
        assert counted(server, status) == summary.outcomes[status]
    assert server.value("transfers_total", status="success", method="relay") == summary.methods["relay"] == 3
    for operation in ("transfer", "signaling"):
        assert server.value("retry_attempts_total", operation=operation, status="success") > 0
    assert server.value("webrtc_connections_total", type="direct", status="failed") == 1
    assert server.value("error_recoveries_total", type="network") > 0
    assert server.value("errors_total", type="validation", severity="low") == 1
    assert server.value("active_transfers") == 0
    assert summary.line.startswith("14 transfers in ")


@pytest.mark.parametrize(
    ("count", "begin", "end"),
    [(1, "1 transfer in ", "; 1 bad request"), (2, "2 transfers in ", "; 2 bad requests")],
)
def test_a_summary_counts_one_as_one(count: int, begin: str, end: str) -> None:
    line = TrafficSummary(Counter(success=count), bad_requests=count).line
    assert line.startswith(begin)
    assert line.endswith(end)


async def test_of_several_receivers_the_last_one_declines_and_no_state_stays(
    server: RunningServer, tmp_path: Path
) -> None:
    folder = tmp_path / "transfer"
    folder.mkdir()
    plan = TransferPlan("several_receivers", 200_000, "document", webrtc=False)
    transfer = SeveralReceiversTransfer(server.url, tls_context(), plan, folder)
    result = await transfer.run(random.Random(5))
    assert result.as_expected
    assert (result.outcome, result.others) == ("success", ("success", "cancelled"))
    [sent] = (path for path in folder.iterdir() if path.is_file())
    received = sorted(path for path in folder.glob("in-*/*"))
    assert [path.read_bytes() for path in received] == [sent.read_bytes()] * 2
    assert list(folder.rglob("*.json")) == []  # what is kept to resume a transfer ends with the refusal
    await server.wait_for_value("transfers_total", 1, status="cancelled", method="p2p")
    assert counted(server, "success") == 2


async def test_no_file_is_left_behind(server: RunningServer, home: Path) -> None:
    await traffic(server.url).run(transfers=3)
    assert list((home / "tmp").iterdir()) == []
    assert not (home / "state").exists()
    assert not (home / "config").exists()


async def test_traffic_ends_after_its_duration(server: RunningServer) -> None:
    async with asyncio.timeout(200):
        summary = await traffic(server.url, rate=120).run(duration=3)
    assert 1 <= summary.outcomes.total() < 30


async def test_cancelling_cancels_running_transfers(server: RunningServer, home: Path) -> None:
    made = traffic(server.url, TrafficMix(size=100_000_000, relay=1, cancel=0, bad=0))
    running = asyncio.create_task(made.run())
    await server.wait_for_value("active_transfers", 1)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert list((home / "tmp").iterdir()) == []
    assert server.value("active_transfers") == 0
    assert made.summary.seconds > 0


async def test_the_concurrency_limit_is_kept(server: RunningServer, monkeypatch: pytest.MonkeyPatch) -> None:
    run, now, most = DemoTransfer.run, 0, 0

    async def watched(pair: DemoTransfer, chance: random.Random) -> TransferResult:
        nonlocal now, most
        now += 1
        most = max(most, now)
        try:
            return await run(pair, chance)
        finally:
            now -= 1

    monkeypatch.setattr(DemoTransfer, "run", watched)
    await traffic(server.url, TrafficMix(size=100_000, cancel=0, bad=0), concurrency=2).run(transfers=5)
    assert most == 2


async def test_an_unreachable_server_is_reported() -> None:
    with pytest.raises(PeerError, match=r"^the server cannot be reached at http://127.0.0.1:9$"):
        await traffic("http://127.0.0.1:9").run(transfers=3)


async def test_bad_requests_are_refused_and_counted(server: RunningServer) -> None:
    assert await send_bad_requests(server.url, tls_context(), random.Random(1), 0) == len(BAD_REQUESTS)
    value = server.value
    assert value("api_errors_total", endpoint="other", status_code="404") == 1
    assert value("api_errors_total", endpoint="/api/rooms", status_code="400") == 1
    assert value("api_errors_total", endpoint="/api/rooms", status_code="413") == 1
    assert value("api_errors_total", endpoint="/api/telemetry", status_code="401") == 1
    assert value("client_reports_total", outcome="rejected") == 1
    assert value("telemetry_dropped_total", pipeline="client", reason="rate_limited") == 1
    assert value("signaling_messages_total", type="error", direction="out") == 2
    assert value("cache_misses_total", cache="rooms") == 0  # no room that the cache should have held
    assert value("errors_total", type="network", severity="low") == 0


def test_a_machine_without_a_browser_is_told_what_stays_empty(tmp_path: Path) -> None:
    """No panel shows these metrics: the note says so, and must name the panel that does."""
    panels = [query.title for query in panel_queries(values()) if any(map(query.expr.count, BROWSERS_ONLY))]
    assert panels == []
    assert "every panel shows data" in MISSING
    assert all(f"tallow_{name}" in MISSING for name in BROWSERS_ONLY)
    result = run(
        "demo", "--server", "http://127.0.0.1:9", "--transfers", "1", env=os.environ | {"PATH": str(tmp_path)}
    )
    assert MISSING in result.err


@pytest.mark.integration
@pytest.mark.proof
async def test_a_browser_reports_what_only_pages_report(
    server: RunningServer, home: Path, tmp_path: Path
) -> None:
    traffic = BrowserTraffic(server.url, place_command(tmp_path), 0.1)
    running = asyncio.create_task(traffic.run())
    while traffic.transfers < 2 and not running.done():
        await asyncio.sleep(0.1)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    exposed = (await server.http.get("/metrics")).text
    for name in BROWSERS_ONLY:
        rows = [line for line in exposed.splitlines() if line.startswith(f"tallow_{name}{{")]
        assert sum(float(row.rpartition(" ")[2]) for row in rows) >= 1, name
    assert server.value("transfers_total", status="success", method="p2p") >= 2
    assert server.value("pwa_installs_total", platform="desktop") == 1
    assert server.value("settings_changes_total", setting="notifications") == 2
    for kind in ("connection", "transfer_request", "transfer_complete"):
        assert server.value("notifications_sent_total", type=kind, status="sent") >= 1
    assert list((home / "tmp").iterdir()) == []


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("exit 1", "the browser does not start; try it with --headless by hand"),
        (r"""head -c 1 <&3; printf '{"id":1,"result":{}}\0' >&4""", "the browser has ended"),
        (
            r"""printf '{"id":1,"result":{}}\0{"id":2,"error":{"message":"no"}}\0' >&4; read line <&3""",
            "the browser refuses Target.createTarget: no",
        ),
    ],
)
async def test_a_browser_that_fails_is_reported_in_one_line(
    tmp_path: Path, home: Path, script: str, reason: str
) -> None:
    program = tmp_path / "chromium"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    with pytest.raises(BrowserError, match=f"^{re.escape(reason)}$"):
        await BrowserTraffic("http://127.0.0.1:9", program, 1).run()
    assert list((home / "tmp").iterdir()) == []


@pytest.mark.parametrize("content", ["picture", "video", "audio", "text", "document", "several"])
def test_files_have_the_planned_size(tmp_path: Path, content: Any) -> None:
    paths = make_files(TransferPlan("plain", 400_000, content), tmp_path, random.Random(1))
    size = sum(source.size for source in collect_files(paths))
    assert 200_000 < size < 600_000


def test_pictures_have_a_place_in_their_metadata(tmp_path: Path) -> None:
    (tmp_path / "copies").mkdir()
    for seed in range(6):
        (tmp_path / str(seed)).mkdir()
        [path] = make_files(
            TransferPlan("plain", 20_000, "picture"), tmp_path / str(seed), random.Random(seed)
        )
        [picture] = collect_files([path])
        assert strip(picture, tmp_path / "copies") is not picture
