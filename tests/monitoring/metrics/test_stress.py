"""Many threads and killed workers: no count is lost, and no sum decreases."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest

from support.registries import tallow_metrics, tallow_registry
from tallow.monitoring.metrics import Metrics
from tallow.monitoring.metrics.registry import Registry
from tallow.monitoring.metrics.workers.storage import WorkerStorage

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="workers share files with POSIX locks"),
]

BATCH = 500

# Eight threads; each says by one byte that a batch is recorded, after it is.
WORKER = f"""
import os, threading
from tallow.monitoring import metrics
def go():
    while True:
        for _ in range({BATCH}):
            metrics.record_chunk_transfer('p2p', 'received', 2, 0.01)
        os.write(1, b'.')
threads = [threading.Thread(target=go, daemon=True) for _ in range(8)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
"""


@contextmanager
def worker(directory: Path, output: Path) -> Iterator[subprocess.Popen[bytes]]:
    with output.open("ab") as file:
        process = subprocess.Popen(
            [sys.executable, "-c", WORKER],
            env=os.environ | {"TALLOW_METRICS_DIR": str(directory)},
            stdout=file,
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def read(registry: Registry) -> float:
    return registry.value("bytes_transferred_total", direction="received")


@pytest.mark.parametrize(
    "seconds", [4, pytest.param(120, marks=[pytest.mark.proof, pytest.mark.timeout(300)])]
)
def test_killed_workers_lose_no_count_and_no_sum_decreases(tmp_path: Path, seconds: float) -> None:
    folder, batches = tmp_path / "metrics", tmp_path / "batches"
    source = random.Random(seconds)
    seen, killed = [0.0], 0
    until = time.monotonic() + seconds
    with ExitStack() as stack:
        scrapers = [
            Metrics(tallow_registry(storage=stack.enter_context(closing(WorkerStorage(folder))))).registry
            for _ in range(2)
        ]
        alive = [stack.enter_context(worker(folder, batches)) for _ in range(4)]
        while time.monotonic() < until:
            # Either of two workers may be scraped.
            seen += [read(source.choice(scrapers)) for _ in range(20)]
            victim = source.randrange(len(alive))
            alive[victim].send_signal(signal.SIGKILL)
            killed += 1
            alive[victim] = stack.enter_context(worker(folder, batches))
        for process in alive:
            process.kill()
            process.wait()
        totals = [read(registry) for registry in (*scrapers, *scrapers)]
        left = {path.suffix for path in folder.iterdir()}
    assert seen == sorted(seen)
    assert len(set(totals)) == 1
    assert totals[0] >= seen[-1]
    recorded = batches.stat().st_size * BATCH * 2
    assert recorded <= totals[0] <= recorded + (killed + 4) * 8 * BATCH * 2
    assert recorded > 0
    assert left <= {".index", ".row", ".json", ".lock"}
    assert len(list(folder.glob("*.index"))) == 2


@pytest.mark.parametrize(
    "increments", [5_000, pytest.param(500_000, marks=[pytest.mark.proof, pytest.mark.timeout(600)])]
)
def test_eight_threads_in_each_of_four_workers_lose_no_increment(tmp_path: Path, increments: int) -> None:
    work = (
        "import sys, threading\n"
        "sys.setswitchinterval(1e-5)\n"
        "from tallow.monitoring import metrics\n"
        "def go():\n"
        f"    for _ in range({increments}):\n"
        "        metrics.record_chunk_transfer('p2p', 'received', 1, 0.5)\n"
        "        metrics.record_error('network', 'low')\n"
        "threads = [threading.Thread(target=go) for _ in range(8)]\n"
        "[t.start() for t in threads]; [t.join() for t in threads]\n"
    )
    environment = os.environ | {"TALLOW_METRICS_DIR": str(tmp_path)}
    with closing(WorkerStorage(tmp_path)) as storage:
        registry = tallow_metrics(storage).registry
        started = [subprocess.Popen([sys.executable, "-c", work], env=environment) for _ in range(4)]
        seen = []
        while any(process.poll() is None for process in started):
            seen.append(read(registry))
            time.sleep(0.005)
        assert [process.returncode for process in started] == [0] * 4
        assert seen == sorted(seen)
        expected = 4 * 8 * increments
        assert read(registry) == expected
        assert registry.value("chunk_transfer_duration_seconds_count", method="p2p") == expected
        assert registry.value("chunk_transfer_duration_seconds_sum", method="p2p") == expected / 2
        assert registry.value("errors_total", type="network", severity="low") == expected
