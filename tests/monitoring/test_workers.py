"""Several workers, one scrape: real processes, killed for real."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tallow.monitoring.metrics import Metrics
from tallow.monitoring.registry import Registry
from tallow.monitoring.workers import WorkerStorage

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="workers share files with POSIX locks")

WORKER = """
import sys
from tallow.monitoring import metrics
for line in sys.stdin:
    exec(line)
    print("done", flush=True)
"""


class Worker:
    """A process that records what it is told."""

    def __init__(self, directory: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", WORKER],
            env=os.environ | {"TALLOW_WORKERS_DIR": str(directory)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.do("pass")  # it is there, and so are its files

    def do(self, code: str) -> None:
        assert self.process.stdin
        assert self.process.stdout
        print(code, file=self.process.stdin, flush=True)
        assert self.process.stdout.readline() == "done\n"

    def end(self, number: signal.Signals) -> None:
        self.process.send_signal(number)
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe
            pipe.close()


@pytest.fixture
def workers(tmp_path: Path) -> Iterator[list[Worker]]:
    made = [Worker(tmp_path) for _ in range(2)]
    yield made
    for worker in made:
        if worker.process.poll() is None:
            worker.end(signal.SIGKILL)


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[WorkerStorage]:
    with closing(WorkerStorage(tmp_path)) as made:
        yield made


@pytest.fixture
def here(storage: WorkerStorage) -> Registry:
    return Metrics(Registry(storage=storage)).registry


SENT = {"direction": "sent"}


def test_counters_and_histograms_are_sums(workers: list[Worker], here: Registry) -> None:
    Metrics(here).record_chunk_transfer("relay", "sent", 1, 0.1)
    for worker in workers:
        worker.do("metrics.record_chunk_transfer('relay', 'sent', 10, 0.5)")
    assert here.value("bytes_transferred_total", **SENT) == 21
    assert here.value("chunk_transfer_duration_seconds_count", method="relay") == 3
    assert here.value("chunk_transfer_duration_seconds_sum", method="relay") == pytest.approx(1.1)


def test_gauges_of_things_held_are_sums_over_the_living(workers: list[Worker], here: Registry) -> None:
    for worker in workers:
        worker.do("metrics.connection_opened('relay')")
    assert here.value("active_connections", type="relay") == 2
    workers[0].end(signal.SIGKILL)
    assert here.value("active_connections", type="relay") == 1


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_what_a_dead_worker_counted_stays(
    workers: list[Worker], here: Registry, tmp_path: Path, number: signal.Signals
) -> None:
    workers[0].do("metrics.record_chunk_transfer('relay', 'sent', 10, 0.5)")
    assert here.value("bytes_transferred_total", **SENT) == 10
    workers[0].end(number)
    assert [here.value("bytes_transferred_total", **SENT) for _ in range(3)] == [10, 10, 10]
    assert len(list(tmp_path.glob("*.index"))) == 2  # the other one and this: no stale file stays


def test_a_burial_that_was_cut_short_counts_once(
    workers: list[Worker], here: Registry, tmp_path: Path
) -> None:
    workers[0].do("metrics.record_chunk_transfer('relay', 'sent', 10, 0.5)")
    index = next(path for path in tmp_path.glob(f"{workers[0].process.pid}-*.index"))
    rows = {path: path.read_bytes() for path in tmp_path.glob(f"{index.stem}.*")}
    workers[0].end(signal.SIGKILL)
    assert here.value("bytes_transferred_total", **SENT) == 10
    for path, content in rows.items():  # as if the burier had died before it removed the files
        path.write_bytes(content)
    assert here.value("bytes_transferred_total", **SENT) == 10
    assert not index.exists()


def test_a_label_value_only_another_worker_knows_is_exposed_here(
    workers: list[Worker], here: Registry
) -> None:
    workers[0].do("metrics.register_cache('rooms')")
    workers[0].do("metrics.record_cache_access('rooms', True)")
    assert here.value("workers") == 0  # nobody watches processes here; the look below is what adopts
    assert here.value("cache_hits_total", cache="rooms") == 1


def test_a_reader_does_not_wait_for_a_stopped_one(
    workers: list[Worker], here: Registry, tmp_path: Path
) -> None:
    import fcntl

    workers[0].do("metrics.record_chunk_transfer('relay', 'sent', 10, 0.5)")
    assert here.value("bytes_transferred_total", **SENT) == 10
    with (tmp_path / "archive.lock").open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        workers[0].do("metrics.record_chunk_transfer('relay', 'sent', 10, 0.5)")
        assert here.value("bytes_transferred_total", **SENT) == 10
    assert here.value("bytes_transferred_total", **SENT) == 20


def test_eight_threads_and_four_workers_lose_no_increment(here: Registry, tmp_path: Path) -> None:
    work = (
        "import threading\n"
        "from tallow.monitoring import metrics\n"
        "def go():\n"
        "    for _ in range(2000): metrics.record_chunk_transfer('p2p', 'received', 1, 0.01)\n"
        "threads = [threading.Thread(target=go) for _ in range(8)]\n"
        "[t.start() for t in threads]; [t.join() for t in threads]\n"
    )
    environment = os.environ | {"TALLOW_WORKERS_DIR": str(tmp_path)}
    started = [subprocess.Popen([sys.executable, "-c", work], env=environment) for _ in range(4)]
    seen = [0.0]
    while any(process.poll() is None for process in started):
        seen.append(here.value("bytes_transferred_total", direction="received"))
    assert seen == sorted(seen)
    assert here.value("bytes_transferred_total", direction="received") == 4 * 8 * 2000
    assert here.value("chunk_transfer_duration_seconds_count", method="p2p") == 4 * 8 * 2000


def test_a_thread_goes_on_with_the_row_of_one_that_ended(here: Registry, tmp_path: Path) -> None:
    metrics = Metrics(here)
    for _ in range(20):
        thread = threading.Thread(target=metrics.transfer_started)
        thread.start()
        thread.join()
    assert metrics.registry.value("transfers_started_total") == 20
    assert len(list(tmp_path.glob("*.row"))) == 2


def test_a_full_row_folds_further_series_into_the_first(
    storage: WorkerStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = Registry(storage=storage)
    monkeypatch.setattr("tallow.monitoring.workers.CAPACITY", len(registry.collect()))
    registry.add(registry.families["errors_total"], ("network", "unheard of"))
    assert registry.value("errors_total", type="network", severity="low") == 1
    assert registry.value("label_overflow_total", metric="tallow_errors_total") == 2
