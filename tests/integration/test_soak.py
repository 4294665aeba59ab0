"""A server under `tallow demo`: memory and open files stay constant, and every metric is produced.

A minute in scripts/test, half an hour in scripts/proof.
"""

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

from support.programs.turn import SECRET, coturn
from support.transfers.server import ServerProcess, tallow_serve
from tallow.app.demo.browser import BROWSERS_ONLY
from tallow.monitoring.catalog import METRICS

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("live")]

NOT_HERE: Final = {
    *BROWSERS_ONLY,
    "collector_failures_total",  # never happens in a healthy server: see test_scrape
    "pii_redactions_total",  # the server logs nothing to redact: see test_canary
    "process_requested_start_time_seconds",  # set by a supervisor: see test_reload
    "telemetry_queue_depth",  # no log endpoint is set: see test_shipper
}
LIMITS: Final = {
    "ROOMS_PER_MINUTE": "6000",
    "JOINS_PER_MINUTE": "60000",
    "REPORTS_PER_MINUTE": "60000",
    "ROOM_LIFETIME": "120",  # so that rooms end during the test
}


@dataclass
class ServerUsage:
    """The resources and metrics of a server, sampled once a second.

    Attributes:
        resident: resident memory in bytes.
        files: open file descriptors.
        most: the largest sum over its labels of each metric.
    """

    resident: list[int] = field(default_factory=list)
    files: list[int] = field(default_factory=list)
    most: Counter[str] = field(default_factory=Counter)

    async def sample(self, server: ServerProcess) -> None:
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

    def median(self, series: list[int], of: float, to: float) -> float:
        """The median of a part of a series; ``of`` and ``to`` are fractions of its length."""
        return statistics.median(series[int(len(series) * of) : max(1, int(len(series) * to))])


@asynccontextmanager
async def watched(folder: Path) -> AsyncIterator[tuple[ServerProcess, ServerUsage]]:
    async with coturn(folder) as turn:
        environment = LIMITS | {"ICE_SERVERS": turn.url, "TURN_SECRET": SECRET}
        async with tallow_serve(folder, **environment) as server:
            usage = ServerUsage()
            sampling = asyncio.create_task(usage.sample(server))
            yield server, usage
            sampling.cancel()


async def demo(url: str, seconds: float, rate: float) -> dict[str, Any]:
    """Run `tallow demo` and return its summary. Every transfer must end as planned."""
    arguments = ("--server", url, "--duration", str(seconds), "--rate", str(rate), "--concurrency", "4")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tallow", "demo", *arguments, "--size", "3MB", "--json", "--no-browser"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        out, err = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    assert (process.returncode, err.decode()) == (0, "")
    events = [json.loads(line) for line in out.splitlines()]
    assert [event for event in events if event.get("as_meant") is False] == []
    summary: dict[str, Any] = events[-1]
    assert summary["unmade"] == 0
    return summary


async def wait_until_idle(server: ServerProcess) -> None:
    """Wait until no device is connected."""
    async with asyncio.timeout(60):
        while any(
            value
            for name, value in (await server.metrics()).items()
            if name.startswith("tallow_device_connections{")
        ):
            await asyncio.sleep(0.5)


@pytest.mark.proof
@pytest.mark.timeout(300)
async def test_resources_stay_constant_for_a_minute(tmp_path: Path) -> None:
    async with watched(tmp_path) as (server, usage):
        await server.metrics()  # the port is announced before the application has started
        descriptors = psutil.Process(server.pid).num_fds()
        summary = await demo(server.url, 45, 60)
        await wait_until_idle(server)
        assert psutil.Process(server.pid).num_fds() - descriptors < 20
    assert summary["outcomes"]["success"] > 10
    check_metrics(usage)
    assert usage.median(usage.resident, 0.8, 1) - usage.median(usage.resident, 0.3, 0.5) < 25e6


@pytest.mark.proof
@pytest.mark.timeout(2400)
async def test_resources_stay_constant_for_half_an_hour(tmp_path: Path) -> None:
    seconds = float(os.environ.get("TALLOW_SOAK_SECONDS", "1800"))
    async with watched(tmp_path) as (server, usage):
        began = time.monotonic()
        summary = await demo(server.url, seconds, 60)
        await wait_until_idle(server)
        took = time.monotonic() - began
    resident = [usage.median(usage.resident, part / 6, (part + 1) / 6) for part in range(6)]
    files = [usage.median(usage.files, part / 6, (part + 1) / 6) for part in range(6)]
    print(f"\nsoak of {took:.0f} s: {summary}")
    print("resident MB by sixths:", [round(part / 1e6, 1) for part in resident])
    print("open files by sixths:", files)
    check_metrics(usage)
    assert resident[5] - resident[1] < 10e6
    assert files[5] - files[1] < 20


def check_metrics(usage: ServerUsage) -> None:
    missing = [name for name in METRICS if not usage.most[name] > 0 and name not in NOT_HERE]
    assert missing == []
