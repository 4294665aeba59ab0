"""Shipping over real sockets: every failure of an endpoint; every lost line is counted."""

from __future__ import annotations

import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson
import pytest

from tallow.monitoring.metrics import Metrics
from tallow.monitoring.shipping import Shipper
from tallow.monitoring.shipping.endpoint import MAX_RETRY_AFTER_S, parse_retry_after
from tallow.monitoring.testing import FakeLogEndpoint, log_endpoint
from tallow.monitoring.testing.fake_backend import ReceivedRequest

pytestmark = pytest.mark.slow

Start = Callable[..., Shipper]


def lines(*names: object) -> list[bytes]:
    stamp = "2026-01-02T03:04:05.678Z"
    return [
        orjson.dumps(
            {"timestamp": stamp, "level": "info", "service": "s", "environment": "e", "message": str(name)},
            option=orjson.OPT_APPEND_NEWLINE,
        )
        for name in names
    ]


def dropped(metrics: Metrics, reason: str) -> float:
    return metrics.registry.value("telemetry_dropped_total", pipeline="logs", reason=reason)


def lost(metrics: Metrics) -> float:
    return sum(dropped(metrics, reason) for reason in ("queue_full", "rejected", "rate_limited", "failed"))


def spooled_bytes(folder: Path) -> int:
    """The size of all spooled batches. A file may be removed meanwhile."""
    sizes = []
    for file in folder.glob("[0-9]*"):
        with suppress(FileNotFoundError):
            sizes.append(file.stat().st_size)
    return sum(sizes)


def soon(deadline_s: float = 60) -> float:
    return time.monotonic() + deadline_s


@pytest.mark.parametrize("kind", ["loki", "http"])
def test_lines_arrive_in_order_in_batches(start: Start, remote: FakeLogEndpoint, kind: str) -> None:
    shipper = start(log_endpoint_kind=kind, log_endpoint_token="a-token-long-enough")
    shipper.write(lines(*range(25)))
    assert remote.wait_for(25) == [str(number) for number in range(25)]
    assert [len(batch) for _, batch in remote.batches] == [10, 10, 5]
    assert len({batch_id for batch_id, _ in remote.batches}) == 3
    assert {one.headers["authorization"] for one in remote.requests} == {"Bearer a-token-long-enough"}
    assert remote.rejections == []


FAILURES: dict[str, dict[str, Any]] = {
    **{str(status): {"status": status} for status in (500, 503, 429, 401, 404, 302)},
    "garbage": {"garbage": True},
    "reset": {"cut": "reset"},
    "slow": {"delay_s": 3, "cut": "reset"},
    "half": {"cut": "half"},
}


@pytest.mark.parametrize("failure", FAILURES)
def test_after_every_kind_of_failure_lines_arrive_once_the_endpoint_works(
    start: Start, remote: FakeLogEndpoint, metrics: Metrics, failure: str
) -> None:
    remote.fail(**FAILURES[failure])
    shipper = start()
    shipper.write(lines(*range(15)))
    remote.wait_for_requests(2)
    remote.recover()
    assert sorted(remote.wait_for(15), key=int) == [str(number) for number in range(15)]
    assert lost(metrics) == 0


def test_a_repeated_batch_has_the_same_id(start: Start, remote: FakeLogEndpoint) -> None:
    """The endpoint accepted a batch and its response was lost: the id identifies the repetition."""
    shipper = start()
    remote.fail(delay_s=3, cut="reset")
    shipper.write(lines("one"))
    remote.wait_for_requests(1)
    remote.recover()
    remote.wait_for(1)
    assert [batch_id for batch_id, _ in remote.batches] == [remote.requests[0].headers["x-batch-id"]]


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_rejected_batch_is_counted_and_does_not_delay_others(
    start: Start, remote: FakeLogEndpoint, metrics: Metrics, status: int
) -> None:
    remote.fail(status=status)
    shipper = start()
    shipper.write(lines(*range(10)))
    remote.wait_for_requests(1)
    deadline = soon()
    while dropped(metrics, "rejected") < 10 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert dropped(metrics, "rejected") == 10
    remote.recover()
    shipper.write(lines("next"))
    assert remote.wait_for(1) == ["next"]


def test_retry_after_is_respected(start: Start, remote: FakeLogEndpoint) -> None:
    remote.fail(status=429, headers={"Retry-After": "1"})
    shipper = start()
    shipper.write(lines("one"))
    remote.wait_for_requests(1)
    remote.recover()
    assert remote.wait_for(1) == ["one"]
    first, second = remote.requests
    assert second.received_at - first.received_at >= 0.95


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("", 0),
        ("soon", 0),
        ("-5", 0),
        ("7", 7),
        (" 7 ", 7),
        ("9" * 400, MAX_RETRY_AFTER_S),
        ("Wed, 21 Oct 2015 07:28:10 GMT", 10),
        ("Wed, 21 Oct 2015 07:27:00 GMT", 0),
        ("²", 0),
    ],
)
def test_retry_after_is_seconds_or_a_date_and_limited(text: str, seconds: float) -> None:
    assert parse_retry_after(text, now=1_445_412_480) == seconds


def test_while_the_endpoint_fails_the_oldest_lines_are_dropped_from_memory(
    start: Start, remote: FakeLogEndpoint, metrics: Metrics
) -> None:
    remote.fail(status=500)
    shipper = start(log_queue_size=50)
    for number in range(100):
        shipper.write(lines(*range(number * 10, number * 10 + 10)))
    remote.recover()
    kept = remote.wait_for(40)
    deadline = soon()
    while len(remote.messages) + lost(metrics) < 1000 and time.monotonic() < deadline:
        time.sleep(0.02)
    kept = remote.messages
    assert len(kept) + lost(metrics) == 1000
    assert dropped(metrics, "queue_full") >= 900
    assert "999" in kept


def spooled_modes(folder: Path) -> list[int]:
    """The modes of the files in a spool, which the shipper renames and removes meanwhile."""
    modes: list[int] = []
    for file in folder.iterdir():
        with suppress(FileNotFoundError):
            modes.append(file.stat().st_mode)
    return modes


def test_while_the_endpoint_fails_lines_are_spooled_and_arrive_later(
    start: Start, remote: FakeLogEndpoint, metrics: Metrics, tmp_path: Path
) -> None:
    remote.fail(status=500)
    shipper = start(log_queue_size=50, log_spool_dir=tmp_path / "spool")
    for number in range(100):
        shipper.write(lines(*range(number * 10, number * 10 + 10)))
    modes = spooled_modes(tmp_path / "spool")
    assert modes
    assert all(mode & 0o077 == 0 for mode in modes)
    remote.recover()
    assert sorted(map(int, remote.wait_for(1000))) == list(range(1000))
    assert lost(metrics) == 0
    deadline = soon()
    while list((tmp_path / "spool").iterdir()) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert list((tmp_path / "spool").iterdir()) == []


def test_the_spool_is_limited_and_removed_lines_are_counted(
    start: Start, remote: FakeLogEndpoint, metrics: Metrics, tmp_path: Path
) -> None:
    remote.fail(status=500)
    shipper = start(log_queue_size=10, log_spool_dir=tmp_path, log_spool_max_bytes=64 * 1024)
    for number in range(200):
        shipper.write(lines(*(f"{number * 10 + one} {'x' * 500}" for one in range(10))))
    deadline = soon()
    while (size := spooled_bytes(tmp_path)) > 64 * 1024 and time.monotonic() < deadline:
        time.sleep(0.01)  # a batch may have been added and the oldest not yet removed
    assert size <= 64 * 1024
    remote.recover()
    deadline = soon()
    while len(remote.messages) + lost(metrics) < 2000 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(remote.messages) + lost(metrics) == 2000
    assert dropped(metrics, "queue_full") > 0


def test_closing_sends_the_queue(start: Start, remote: FakeLogEndpoint, metrics: Metrics) -> None:
    shipper = start()
    shipper.write(lines(*range(500)))
    shipper.close(soon())
    assert len(remote.messages) == 500
    assert lost(metrics) == 0


def test_a_line_that_the_last_delivery_logs_drops_none_before_it(
    start: Start, remote: FakeLogEndpoint, metrics: Metrics, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipper = start(log_batch_size=1)
    accept, first = remote.accept, threading.Event()

    def accept_and_log(request: ReceivedRequest) -> Mapping[str, str]:
        if not first.is_set():
            first.set()
            while not shipper._sender.closed:
                time.sleep(0.01)
            shipper.write(lines("delivered again"))
        return accept(request)

    monkeypatch.setattr(remote, "accept", accept_and_log)
    shipper.write(lines("first", "second", "third"))
    shipper.close(soon())
    assert remote.messages == ["first", "second", "third", "delivered again"]
    assert lost(metrics) == 0


@pytest.fixture
def no_new_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads cannot start, as when the interpreter of Python 3.12.0 or 3.12.1 exits."""
    start = threading.Thread.start

    def refuse(self: threading.Thread) -> None:
        if self.name.startswith("tallow"):
            raise RuntimeError("can't create new thread at interpreter shutdown")
        start(self)

    monkeypatch.setattr(threading.Thread, "start", refuse)


def test_closing_sends_where_no_thread_can_be_started(
    no_new_threads: None, start: Start, remote: FakeLogEndpoint, metrics: Metrics
) -> None:
    shipper = start()
    shipper.write(lines(*range(25)))
    shipper.drain(soon(60))  # returns at once
    shipper.close(soon())
    assert remote.messages == [str(number) for number in range(25)]
    assert lost(metrics) == 0


def test_closing_without_a_thread_ends_in_time_and_counts_lost_lines(
    no_new_threads: None, start: Start, remote: FakeLogEndpoint, metrics: Metrics
) -> None:
    remote.fail(delay_s=60)
    shipper = start()
    shipper.write(lines(*range(25)))
    shipper.close(time.monotonic() + 0.3)
    assert lost(metrics) == 25


def test_closing_while_the_endpoint_fails_counts_lost_lines(
    start: Start, remote: FakeLogEndpoint, metrics: Metrics
) -> None:
    remote.fail(status=500)
    shipper = start()
    shipper.write(lines(*range(500)))
    shipper.close(soon())
    assert dropped(metrics, "failed") == 500


def test_closing_while_the_endpoint_fails_spools_the_rest_for_the_next_start(
    start: Start, remote: FakeLogEndpoint, metrics: Metrics, tmp_path: Path
) -> None:
    remote.fail(delay_s=3, cut="reset")
    shipper = start(log_spool_dir=tmp_path)
    shipper.write(lines(*range(500)))
    shipper.close(soon(0.1))
    remote.recover()
    start(log_spool_dir=tmp_path).write(lines("last"))
    assert sorted(set(remote.wait_for(501))) == sorted([*map(str, range(500)), "last"])
    assert lost(metrics) == 0


def test_a_damaged_spool_file_is_counted_and_does_not_delay_others(
    start: Start, remote: FakeLogEndpoint, metrics: Metrics, tmp_path: Path
) -> None:
    (tmp_path / f"{1:020}-3-{'ab' * 16}.jsonl").write_bytes(b"\x00what\nis\nthis")
    (tmp_path / "notes.txt").write_text("somebody else's")
    start(log_spool_dir=tmp_path).write(lines("one"))
    assert remote.wait_for(1) == ["one"]
    assert dropped(metrics, "rejected") == 3
    assert (tmp_path / "notes.txt").exists()


def test_lines_arrive_once_the_endpoint_listens(metrics: Metrics, start: Start) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    start(log_endpoint=f"http://127.0.0.1:{port}").write(lines("one"))
    time.sleep(0.2)
    with log_endpoint(port) as late:
        assert late.wait_for(1) == ["one"]
    assert lost(metrics) == 0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 256 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k,mode=0700", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root may mount a disk")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_full_disk_loses_only_counted_lines_and_is_used_again(
    start: Start, remote: FakeLogEndpoint, metrics: Metrics, small_disk: Path
) -> None:
    remote.fail(status=503)
    shipper = start(log_spool_dir=small_disk, log_queue_size=100)
    for number in range(200):
        shipper.write(lines(*(f"{number} {one} {'x' * 400}" for one in range(10))))
    assert dropped(metrics, "queue_full") > 0
    assert len(list(small_disk.glob("[0-9]*"))) > 10
    remote.recover()
    deadline = soon()
    while len(remote.messages) + lost(metrics) < 2000 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(remote.messages) + lost(metrics) == 2000
    while list(small_disk.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.05)  # the last batch is removed after its response
    assert list(small_disk.iterdir()) == []
