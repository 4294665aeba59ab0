"""Samples of several worker processes, which are killed."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from support.registries import tallow_metrics, tallow_registry
from tallow.monitoring.exposition import text
from tallow.monitoring.metrics import Counter, Histogram, Metrics, Registered
from tallow.monitoring.metrics.registry import Registry
from tallow.monitoring.metrics.storage import Sums
from tallow.monitoring.metrics.workers.reader import MAX_ARCHIVED, add_sums
from tallow.monitoring.metrics.workers.storage import WorkerStorage, write_completely

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="workers share files with POSIX locks")

WORKER = """
import sys
from tallow.monitoring import metrics
for line in sys.stdin:
    exec(line)
    print("done", flush=True)
"""


class Worker:
    """A process that executes lines of code."""

    def __init__(self, directory: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", WORKER],
            env=os.environ | {"TALLOW_METRICS_DIR": str(directory)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.do("metrics.METRICS.registry")  # creates its files

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
    return tallow_metrics(storage).registry


SENT = {"direction": "sent"}


def test_counters_and_histograms_are_sums(workers: list[Worker], here: Registry) -> None:
    Metrics(here).record_chunk_transfer("relay", "sent", 1, 0.1)
    for worker in workers:
        worker.do("metrics.record_chunk_transfer('relay', 'sent', 10, 0.5)")
    assert here.value("bytes_transferred_total", **SENT) == 21
    assert here.value("chunk_transfer_duration_seconds_count", method="relay") == 3
    assert here.value("chunk_transfer_duration_seconds_sum", method="relay") == pytest.approx(1.1)


def test_gauges_are_sums_over_live_workers(workers: list[Worker], here: Registry) -> None:
    for worker in workers:
        worker.do("metrics.connection_opened('relay')")
    assert here.value("active_connections", type="relay") == 2
    workers[0].end(signal.SIGKILL)
    assert here.value("active_connections", type="relay") == 1


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_counts_of_an_exited_worker_remain(
    workers: list[Worker], here: Registry, tmp_path: Path, number: signal.Signals
) -> None:
    workers[0].do("metrics.record_chunk_transfer('relay', 'sent', 10, 0.5)")
    assert here.value("bytes_transferred_total", **SENT) == 10
    workers[0].end(number)
    assert [here.value("bytes_transferred_total", **SENT) for _ in range(3)] == [10, 10, 10]
    assert len(list(tmp_path.glob("*.index"))) == 2  # of the live worker and of this process


def test_an_interrupted_archiving_counts_a_worker_once(
    workers: list[Worker], here: Registry, tmp_path: Path
) -> None:
    workers[0].do("metrics.record_chunk_transfer('relay', 'sent', 10, 0.5)")
    index = next(path for path in tmp_path.glob(f"{workers[0].process.pid}-*.index"))
    rows = {path: path.read_bytes() for path in tmp_path.glob(f"{index.stem}.*")}
    workers[0].end(signal.SIGKILL)
    assert here.value("bytes_transferred_total", **SENT) == 10
    for path, content in rows.items():  # as if the archiving process was killed before it removed the files
        path.write_bytes(content)
    assert here.value("bytes_transferred_total", **SENT) == 10
    assert not index.exists()


def test_a_label_value_of_another_worker_is_exposed(workers: list[Worker], here: Registry) -> None:
    workers[0].do("metrics.register_cache('rooms')")
    workers[0].do("metrics.record_cache_access('rooms', True)")
    assert here.value("cache_hits_total", cache="rooms") == 1


DECLARE = """
from tallow.monitoring.metrics import {kind}, Registered
made = {kind}({arguments})
"""
ORDERS = ("Counter", "'orders', 'Orders.', namespace='shop', labels={'kind': ('gift', 'own')}")
PAGES = ("Counter", "'pages', 'Pages.', namespace='shop', labels={'page': Registered()}")
RENDER = ("Histogram", "'render_seconds', 'Time.', namespace='shop', buckets=(0.1, 1, 2.5)")
OPEN = ("Gauge", "'open', 'Open.', namespace='shop'")
HIGHEST = ("Gauge", "'highest', 'Highest.', namespace='shop', multiprocess_mode='max'")


def declare(worker: Worker, kind: str, arguments: str) -> None:
    """Declare a metric in a worker, as ``made``."""
    code = DECLARE.format(kind=kind, arguments=arguments)
    worker.do(f"exec(compile({code!r}, 'shop.py', 'exec'), globals())")


def test_a_metric_that_the_scraped_worker_has_not_declared_is_exposed(
    workers: list[Worker], here: Registry
) -> None:
    declare(workers[0], *ORDERS)
    workers[0].do("made.inc(3, kind='gift')")
    declare(workers[1], *ORDERS)
    workers[1].do("made.inc(kind='gift')")
    declare(workers[1], *PAGES)
    workers[1].do("made.inc(page='cart')")
    declare(workers[0], *RENDER)
    workers[0].do("made.observe(0.5); made.observe(7)")
    declare(workers[0], *OPEN)
    workers[0].do("made.set(2)")
    for worker, value in zip(workers, (3, 5), strict=True):
        declare(worker, *HIGHEST)
        worker.do(f"made.set({value})")
    assert here.value("shop_orders_total", kind="gift") == 4
    assert here.value("shop_orders_total", kind="own") == 0
    assert here.value("shop_pages_total", page="cart") == 1
    assert here.value("shop_render_seconds_count") == 2
    assert here.value("shop_render_seconds_sum") == 7.5
    assert (here.value("shop_open"), here.value("shop_highest")) == (2, 5)
    page = text.expose(here).decode()
    assert "# TYPE shop_render_seconds histogram" in page
    assert 'shop_render_seconds_bucket{le="1.0"} 1' in page
    assert "# HELP shop_orders_total Orders." in page


def test_counters_of_an_exited_worker_remain_though_nobody_else_declared_them(
    workers: list[Worker], here: Registry, tmp_path: Path
) -> None:
    declare(workers[0], *ORDERS)
    workers[0].do("made.inc(3, kind='gift')")
    workers[0].end(signal.SIGKILL)
    assert here.value("shop_orders_total", kind="gift") == 3  # archives it
    with closing(WorkerStorage(tmp_path)) as storage:
        late = tallow_metrics(storage).registry
        assert late.value("shop_orders_total", kind="gift") == 3


def test_a_later_declaration_of_the_same_metric_records_to_the_same_series(
    workers: list[Worker], here: Registry
) -> None:
    declare(workers[0], *ORDERS)
    workers[0].do("made.inc(3, kind='gift')")
    assert here.value("shop_orders_total", kind="gift") == 3
    orders = Counter("orders", "Orders.", namespace="shop", labels={"kind": ("gift", "own")}, registry=here)
    orders.inc(kind="gift")
    assert here.value("shop_orders_total", kind="gift") == 4


def test_a_later_declaration_of_another_version_takes_precedence(
    workers: list[Worker], here: Registry
) -> None:
    declare(workers[0], *ORDERS)
    workers[0].do("made.inc(3, kind='gift')")
    assert here.value("shop_orders_total", kind="gift") == 3
    orders = Counter("orders", "All orders.", namespace="shop", registry=here)
    orders.inc(2)
    assert here.value("shop_orders_total") == 2
    assert "# HELP shop_orders_total All orders." in text.expose(here).decode()


@pytest.mark.parametrize(
    "line",
    [
        b'{"definition":null}',
        b'{"definition":{"name":"a b","kind":"counter","help":"h","labels":[],"buckets":[],"namespace":""}}',
        b'{"definition":{"name":"x_total","kind":"thing","help":"h","labels":[],"buckets":[]}}',
        b'{"definition":{"name":"x_total","kind":"counter","help":"h","labels":[{"name":1}],"buckets":[]}}',
        b'{"definition":{"name":"x","kind":"histogram","help":"h","labels":[],"buckets":["x"]}}',
        b'{"definition":{"name":"x_total","kind":"counter","help":7,"labels":[],"buckets":[]}}',
        b'{"definition":{"name":"workers","kind":"counter","help":"h","labels":[],"buckets":[],"namespace":"tallow"}}',
        b'{"definition":{"name":"cut',
    ],
)
def test_a_damaged_or_unusable_definition_is_left_out(line: bytes, here: Registry, tmp_path: Path) -> None:
    (tmp_path / "1-00000000.index").write_bytes(line + b"\n" + b'["x_total",[],0,1]\n')
    before = set(here.families)
    page = text.expose(here).decode()
    assert set(here.families) == before
    assert "\ntallow_workers " in page


def test_a_reader_does_not_wait_for_a_stopped_worker(
    workers: list[Worker], here: Registry, tmp_path: Path
) -> None:
    import fcntl

    workers[0].do("metrics.record_chunk_transfer('relay', 'sent', 10, 0.5)")
    with (tmp_path / "archive.lock").open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        workers[1].do("metrics.record_chunk_transfer('relay', 'sent', 10, 0.5)")
        workers[0].end(signal.SIGKILL)
        assert [here.value("bytes_transferred_total", **SENT) for _ in range(2)] == [20, 20]
        assert len(list(tmp_path.glob("*.index"))) == 3
    assert here.value("bytes_transferred_total", **SENT) == 20
    assert len(list(tmp_path.glob("*.index"))) == 2


def test_a_thread_reuses_the_row_of_an_ended_thread(here: Registry, tmp_path: Path) -> None:
    metrics = Metrics(here)
    for _ in range(20):
        thread = threading.Thread(target=metrics.transfer_started)
        thread.start()
        thread.join()
    assert metrics.registry.value("transfers_started_total") == 20
    assert len(list(tmp_path.glob("*.row"))) == 2


def test_on_a_full_disk_new_series_become_other_and_threads_share_rows(tmp_path: Path) -> None:
    full = False

    def write(descriptor: int, content: bytes) -> None:  # a full file system would need root
        if full:
            raise OSError(errno.ENOSPC, "No space left on device")
        write_completely(descriptor, content)

    metrics = Metrics(tallow_registry(storage=WorkerStorage(tmp_path, write=write)))
    full = True
    metrics.record_error("network", "unheard of")
    assert metrics.registry.value("errors_total", type="network", severity="low") == 1
    for _ in range(3):
        threads = [threading.Thread(target=metrics.transfer_started) for _ in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert metrics.registry.value("transfers_started_total") == 15


@pytest.fixture
def frequent_thread_switches() -> Iterator[None]:
    """Switch threads as often as the interpreter allows."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.slow
@pytest.mark.usefixtures("frequent_thread_switches")
def test_concurrent_scrapes_count_nothing_twice(workers: list[Worker], here: Registry) -> None:
    seen: list[float] = []

    def scrape() -> None:
        seen.extend(here.value("bytes_transferred_total", **SENT) for _ in range(20))

    for number in range(1, 4):
        workers[0].do(f"metrics.register_cache('cache-{number}')")
        workers[0].do("metrics.record_chunk_transfer('relay', 'sent', 10, 0.5)")
        seen.clear()
        threads = [threading.Thread(target=scrape) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert set(seen) == {10.0 * number}


def test_rows_grow_beyond_the_first_step(workers: list[Worker], here: Registry) -> None:
    workers[0].do("[metrics.register_route(f'/route/{n}', ('GET', 'POST')) for n in range(400)]")
    workers[0].do("metrics.record_http_request('POST', '/route/399', 200, 0.1, 1, 2)")
    assert here.value("http_response_size_bytes_sum", method="POST", route="/route/399") == 2


def test_a_truncated_index_line_loses_only_its_own_series(
    workers: list[Worker], here: Registry, storage: WorkerStorage, tmp_path: Path
) -> None:
    workers[0].do("metrics.register_cache('rooms')")
    workers[0].do("metrics.record_cache_access('rooms', True)")
    index = next(path for path in tmp_path.glob(f"{workers[0].process.pid}-*.index"))
    with index.open("ab") as file:
        file.write(b'["cache_hits_total",["cut sh')
    workers[0].do("metrics.register_cache('peers')")
    workers[0].do("metrics.record_cache_access('peers', True)")
    assert here.value("cache_hits_total", cache="rooms") == 1
    assert here.value("cache_hits_total", cache="peers") == 1


def test_series_of_an_incompatible_version_are_ignored(here: Registry, tmp_path: Path) -> None:
    sums = {
        "transfer_speed_mbps": [[["p2p"], [1.0, 2.0, 3.0]]],  # fewer edges than ours
        "bytes_transferred_total": [[["sent", "twice"], [5.0]], [["received"], [4.0]]],
        "gone_total": [[[], [1.0]]],
    }
    (tmp_path / "archive.json").write_text(json.dumps({"archived": [], "sums": sums}))
    assert here.value("transfer_speed_mbps_count", method="p2p") == 0
    assert here.value("bytes_transferred_total", **SENT) == 0
    assert here.value("bytes_transferred_total", direction="received") == 4


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"archived": 1}', '{"archived": [], "sums": {"a": [1]}}']
)
def test_an_unreadable_archive_is_replaced(
    workers: list[Worker], here: Registry, tmp_path: Path, content: str
) -> None:
    (tmp_path / "archive.json").write_text(content)
    workers[0].do("metrics.record_chunk_transfer('relay', 'sent', 10, 0.5)")
    workers[0].end(signal.SIGKILL)
    assert [here.value("bytes_transferred_total", **SENT) for _ in range(2)] == [10, 10]


def test_incomplete_files_of_a_killed_worker_are_removed(tmp_path: Path) -> None:
    old, young, foreign = tmp_path / ".1-00000000", tmp_path / ".2-00000000.0.row", tmp_path / ".bashrc"
    for path in (old, young, foreign):
        path.touch()
    for path in (old, foreign):
        os.utime(path, (0, 0))
    with closing(WorkerStorage(tmp_path)):
        assert not old.exists()
        assert young.exists()
        assert foreign.exists()


def test_a_program_starts_with_an_unusable_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    code = "from tallow.monitoring import metrics\nprint(metrics.REGISTRY.value('collector_failures_total'))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"TALLOW_METRICS_DIR": str(tmp_path / "file")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "0.0\n"
    assert "TALLOW_METRICS_DIR" in done.stderr


@pytest.mark.slow
def test_the_archive_of_many_killed_workers_is_bounded(here: Registry, tmp_path: Path) -> None:
    code = "import os\nfrom tallow.monitoring import metrics as m\n"
    code += "m.register_cache(f'cache-{os.getpid()}')\nm.record_chunk_transfer('relay', 'sent', 1, 0.1)\n"
    code += "os.kill(os.getpid(), 9)"
    environment = os.environ | {"TALLOW_METRICS_DIR": str(tmp_path)}
    sizes = []
    for generation in range(1, 9):
        subprocess.run([sys.executable, "-c", code], env=environment, check=False)
        assert here.value("bytes_transferred_total", **SENT) == generation
        sizes.append((tmp_path / "archive.json").stat().st_size)
    assert len(list(tmp_path.iterdir())) == 4  # this worker's index and row, the archive and its lock
    assert sizes[-1] - sizes[0] < 8 * 200


def test_series_of_exited_workers_beyond_the_limit_are_added_to_other() -> None:
    sums: Sums = {}
    for number in range(MAX_ARCHIVED + 10):
        add_sums(sums, {"cache_hits_total": {(f"cache-{number}",): [1.0]}})
    assert len(sums["cache_hits_total"]) == MAX_ARCHIVED + 1
    assert sums["cache_hits_total"]["other",] == [10.0]


def test_a_metric_without_room_is_counted_and_changes_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TALLOW_METRICS_STRICT", "0")
    used = len(tallow_registry().storage.read())
    registry = tallow_registry(storage=WorkerStorage(tmp_path, max_cells=used))
    late = Histogram("late", "Late.", {"kind": Registered()}, buckets=range(1, 900), registry=registry)
    count = Counter("late_events", "Late.", {"kind": Registered()}, registry=registry)
    before = registry.snapshot(["bytes_transferred_total", "errors_total"])
    for value in range(900):
        late.observe(value, kind="a")
        count.inc(kind=f"k{value}")
    page = text.expose(registry).decode()
    assert "late_bucket" not in page
    assert "late_events_total{" not in page
    assert registry.snapshot(["bytes_transferred_total", "errors_total"]) == before
    counted = registry.snapshot(["label_overflow_total"])["label_overflow_total"]
    assert sum(row["value"] for row in counted) >= 1800


def test_new_series_of_a_full_row_are_recorded_in_the_first_series(tmp_path: Path) -> None:
    used = len(tallow_registry().storage.read())
    registry = tallow_registry(storage=WorkerStorage(tmp_path, max_cells=used))
    registry.add(registry.families["errors_total"], ("network", "unheard of"))
    assert registry.value("errors_total", type="network", severity="low") == 1
    assert registry.value("label_overflow_total", metric="tallow_errors_total") == 2
