"""A server under `tallow demo`: its memory and open files stay flat, and every metric that it or a peer on
the command line can produce is produced. A minute in scripts/test, half an hour in scripts/proof."""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import psutil
import pytest

from support.server import ServerProcess, tallow_serve
from support.turn import SECRET, coturn
from tallow.app.demo.browser import BROWSERS_ONLY
from tallow.monitoring.catalog import METRICS

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("live")]

NOT_HERE: Final = {
    *BROWSERS_ONLY,
    "collector_failures_total",  # counts what never happens to a whole server: see test_scrape
    "pii_redactions_total",  # nothing the server logs of itself holds anything to redact: see test_canary
    "process_requested_start_time_seconds",  # set by a supervisor: see the tests of reload
    "telemetry_queue_depth",  # nothing waits where nothing is shipped to anybody: see the shipper's tests
}
LIMITS: Final = {
    "ROOMS_PER_MINUTE": "6000",
    "JOINS_PER_MINUTE": "60000",
    "REPORTS_PER_MINUTE": "60000",
    "ROOM_LIFETIME": "120",  # so that what a room holds is given back while we look
}


@dataclass
class Watch:
    """What was seen of a server, once a second.

    Attributes:
        resident: bytes of memory.
        files: open descriptors.
        most: each metric's largest sum over its labels.
    """

    resident: list[int] = field(default_factory=list)
    files: list[int] = field(default_factory=list)
    most: Counter[str] = field(default_factory=Counter)

    async def look(self, server: ServerProcess) -> None:
        process = psutil.Process(server.pid)
        while True:
            self.resident.append(process.memory_info().rss)
            self.files.append(process.num_fds())
            self._note(await server.metrics())
            await asyncio.sleep(1)

    def _note(self, samples: dict[str, float]) -> None:
        sums: Counter[str] = Counter()
        for sample, value in samples.items():
            name = sample.partition("{")[0].removeprefix("tallow_")
            sums[name.removesuffix("_count")] += value  # type: ignore[assignment]
        for name, value in sums.items():
            self.most[name] = max(self.most[name], value)

    def tail(self, series: list[int], of: float, to: float) -> float:
        """The median of a part of a series, from 0 to 1 of it."""
        return statistics.median(series[int(len(series) * of) : max(1, int(len(series) * to))])


@asynccontextmanager
async def watched(folder: Path) -> AsyncIterator[tuple[ServerProcess, Watch]]:
    async with coturn(folder) as turn:
        environment = LIMITS | {"ICE_SERVERS": turn.url, "TURN_SECRET": SECRET}
        async with tallow_serve(folder, **environment) as server:
            watch = Watch()
            looking = asyncio.create_task(watch.look(server))
            yield server, watch
            looking.cancel()


async def demo(url: str, seconds: float, rate: float) -> dict[str, Any]:
    """Run `tallow demo`: its summary. None of its transfers may end otherwise than it was meant to."""
    arguments = ("--server", url, "--duration", str(seconds), "--rate", str(rate), "--concurrency", "4")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tallow", "demo", *arguments, "--size", "3MB", "--json"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        out, said = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    assert (process.returncode, said.decode()) == (0, "")
    events = [json.loads(line) for line in out.splitlines()]
    assert [event for event in events if event.get("as_meant") is False] == []
    summary: dict[str, Any] = events[-1]
    assert summary["unmade"] == 0
    return summary


async def silent(server: ServerProcess) -> None:
    """Wait until nobody is there any more."""
    async with asyncio.timeout(60):
        while any(
            value
            for name, value in (await server.metrics()).items()
            if name.startswith("tallow_device_connections{")
        ):
            await asyncio.sleep(0.5)


@pytest.mark.timeout(300)
async def test_a_minute(tmp_path: Path) -> None:
    async with watched(tmp_path) as (server, watch):
        begun = psutil.Process(server.pid).num_fds()
        summary = await demo(server.url, 45, 60)
        await silent(server)
        assert psutil.Process(server.pid).num_fds() - begun < 20
    assert summary["outcomes"]["success"] > 10
    produced(watch)
    assert watch.tail(watch.resident, 0.8, 1) - watch.tail(watch.resident, 0.3, 0.5) < 25e6


@pytest.mark.proof
@pytest.mark.timeout(2400)
async def test_half_an_hour(tmp_path: Path) -> None:
    seconds = float(os.environ.get("TALLOW_SOAK_SECONDS", "1800"))
    async with watched(tmp_path) as (server, watch):
        began = time.monotonic()
        summary = await demo(server.url, seconds, 60)
        await silent(server)
        took = time.monotonic() - began
    resident = [watch.tail(watch.resident, part / 6, (part + 1) / 6) for part in range(6)]
    files = [watch.tail(watch.files, part / 6, (part + 1) / 6) for part in range(6)]
    print(f"\nsoak of {took:.0f} s: {summary}")
    print("resident MB by sixths:", [round(part / 1e6, 1) for part in resident])
    print("open files by sixths:", files)
    produced(watch)
    assert resident[5] - resident[1] < 10e6
    assert files[5] - files[1] < 20


def produced(watch: Watch) -> None:
    missing = [name for name in METRICS if not watch.most[name] > 0 and name not in NOT_HERE]
    assert missing == []
