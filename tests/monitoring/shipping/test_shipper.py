"""Shipping over real sockets: every way an endpoint can fail, and that nothing is lost without a count."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from tallow.monitoring.metrics import Metrics
from tallow.monitoring.registry import Registry
from tallow.monitoring.settings import MonitoringSettings
from tallow.monitoring.shipping import Shipper
from tallow.monitoring.shipping.endpoint import MAX_RETRY_AFTER_S, retry_after
from tallow.monitoring.testing import LogEndpoint, log_endpoint

Start = Callable[..., Shipper]


@pytest.fixture
def remote() -> Iterator[LogEndpoint]:
    with log_endpoint() as running:
        yield running


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(Registry())


@pytest.fixture
def start(remote: LogEndpoint, metrics: Metrics) -> Iterator[Start]:
    """Start a shipper that neither lingers nor waits long."""
    started: list[Shipper] = []

    def begin(**given: Any) -> Shipper:
        defaults = {"log_endpoint": remote.url, "log_batch_size": 10, "log_endpoint_timeout": 1}
        settings = MonitoringSettings.load(**(defaults | given))
        started.append(Shipper(settings, metrics, backoff_s=0.02, linger_s=0.02))
        return started[-1]

    yield begin
    for shipper in started:
        shipper.close(time.monotonic())


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


def soon(deadline_s: float = 5) -> float:
    return time.monotonic() + deadline_s


@pytest.mark.parametrize("kind", ["loki", "http"])
def test_lines_arrive_in_order_in_batches(start: Start, remote: LogEndpoint, kind: str) -> None:
    shipper = start(log_endpoint_kind=kind, log_endpoint_token="a-token-long-enough")
    shipper.write(lines(*range(25)))
    assert remote.wait_for(25) == [str(number) for number in range(25)]
    assert [len(batch) for _, batch in remote.batches] == [10, 10, 5]
    assert len({batch_id for batch_id, _ in remote.batches}) == 3
    assert {one.headers["authorization"] for one in remote.requests} == {"Bearer a-token-long-enough"}
    assert remote.refusals == []


FAILURES: dict[str, dict[str, Any]] = {
    **{str(status): {"status": status} for status in (500, 503, 429, 401, 404, 302)},
    "garbage": {"garbage": True},
    "reset": {"cut": "reset"},
    "slow": {"delay_s": 3, "cut": "reset"},
    "half": {"cut": "half"},
}


@pytest.mark.parametrize("failure", FAILURES)
def test_whatever_the_endpoint_does_lines_arrive_once_it_works(
    start: Start, remote: LogEndpoint, metrics: Metrics, failure: str
) -> None:
    remote.fail(**FAILURES[failure])
    shipper = start(log_endpoint_timeout=0.2)
    shipper.write(lines(*range(15)))
    remote.wait_for_requests(2)
    remote.recover()
    assert sorted(remote.wait_for(15), key=int) == [str(number) for number in range(15)]
    assert lost(metrics) == 0


def test_a_repeat_has_the_same_batch_id(start: Start, remote: LogEndpoint) -> None:
    """The endpoint took a batch and its answer was lost: that is what the id is for."""
    seen: list[str] = []
    shipper = start()
    remote.fail(delay_s=3, cut="reset")
    shipper.write(lines("one"))
    remote.wait_for_requests(1)
    current = shipper._current
    assert current is not None
    seen.append(current.id)
    remote.recover()
    remote.wait_for(1)
    assert [batch_id for batch_id, _ in remote.batches] == seen


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_batch_that_is_refused_for_good_is_counted_and_holds_up_no_other(
    start: Start, remote: LogEndpoint, metrics: Metrics, status: int
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


def test_retry_after_is_waited_for(start: Start, remote: LogEndpoint) -> None:
    remote.fail(status=429, headers={"Retry-After": "1"})
    shipper = start()
    shipper.write(lines("one"))
    remote.wait_for_requests(1)
    remote.recover()
    assert remote.wait_for(1) == ["one"]
    first, second = remote.requests
    assert second.at - first.at >= 0.95


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
def test_retry_after_is_seconds_or_a_date_and_bounded(text: str, seconds: float) -> None:
    assert retry_after(text, now=1_445_412_480) == seconds


def test_while_the_endpoint_is_down_memory_is_bounded_and_the_oldest_give_way(
    start: Start, remote: LogEndpoint, metrics: Metrics
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


def test_while_the_endpoint_is_down_lines_go_to_disk_and_arrive_later(
    start: Start, remote: LogEndpoint, metrics: Metrics, tmp_path: Path
) -> None:
    remote.fail(status=500)
    shipper = start(log_queue_size=50, log_spool_dir=tmp_path / "spool")
    for number in range(100):
        shipper.write(lines(*range(number * 10, number * 10 + 10)))
    files = list((tmp_path / "spool").iterdir())
    assert files
    assert all(file.stat().st_mode & 0o077 == 0 for file in files)
    remote.recover()
    assert sorted(map(int, remote.wait_for(1000))) == list(range(1000))
    assert lost(metrics) == 0
    deadline = soon()
    while list((tmp_path / "spool").iterdir()) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert list((tmp_path / "spool").iterdir()) == []


def test_the_spool_is_bounded_and_what_gives_way_is_counted(
    start: Start, remote: LogEndpoint, metrics: Metrics, tmp_path: Path
) -> None:
    remote.fail(status=500)
    shipper = start(log_queue_size=10, log_spool_dir=tmp_path, log_spool_max_bytes=64 * 1024)
    for number in range(200):
        shipper.write(lines(*(f"{number * 10 + one} {'x' * 500}" for one in range(10))))
    with shipper._lock:  # else a batch may be on its way in
        assert sum(file.stat().st_size for file in tmp_path.iterdir()) <= 64 * 1024
    remote.recover()
    deadline = soon(20)
    while len(remote.messages) + lost(metrics) < 2000 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(remote.messages) + lost(metrics) == 2000
    assert dropped(metrics, "queue_full") > 0


def test_closing_sends_what_waits(start: Start, remote: LogEndpoint, metrics: Metrics) -> None:
    shipper = start()
    shipper.write(lines(*range(500)))
    shipper.close(soon())
    assert len(remote.messages) == 500
    assert lost(metrics) == 0


def test_closing_with_the_endpoint_down_counts_what_is_lost(
    start: Start, remote: LogEndpoint, metrics: Metrics
) -> None:
    remote.fail(status=500)
    shipper = start()
    shipper.write(lines(*range(500)))
    shipper.close(soon())
    assert dropped(metrics, "failed") == 500


def test_closing_with_the_endpoint_down_leaves_the_rest_for_the_next_start(
    start: Start, remote: LogEndpoint, metrics: Metrics, tmp_path: Path
) -> None:
    remote.fail(delay_s=3, cut="reset")
    shipper = start(log_spool_dir=tmp_path)
    shipper.write(lines(*range(500)))
    shipper.close(soon(0.1))
    remote.recover()
    start(log_spool_dir=tmp_path).write(lines("last"))
    assert sorted(set(remote.wait_for(501))) == sorted([*map(str, range(500)), "last"])
    assert lost(metrics) == 0


def test_a_spool_file_that_is_no_log_is_counted_and_holds_up_no_other(
    start: Start, remote: LogEndpoint, metrics: Metrics, tmp_path: Path
) -> None:
    (tmp_path / f"{1:020}-3-{'ab' * 16}.jsonl").write_bytes(b"\x00what\nis\nthis")
    (tmp_path / "notes.txt").write_text("somebody else's")
    start(log_spool_dir=tmp_path).write(lines("one"))
    assert remote.wait_for(1) == ["one"]
    assert dropped(metrics, "rejected") == 3
    assert (tmp_path / "notes.txt").exists()


def test_nobody_listening_is_a_failure_like_another(metrics: Metrics, start: Start) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    start(log_endpoint=f"http://127.0.0.1:{port}").write(lines("one"))
    time.sleep(0.2)
    with log_endpoint(port) as late:
        assert late.wait_for(1) == ["one"]
    assert lost(metrics) == 0


PREPARE = "from tallow.monitoring.logging import fields; fields.scrub = lambda value: value\n"


def program(text: str, folder: Path, remote: LogEndpoint, **more: str) -> subprocess.Popen[str]:
    environment = os.environ | {"LOG_ENDPOINT": remote.url, "LOG_SPOOL_DIR": str(folder)} | more
    return subprocess.Popen(
        [sys.executable, "-c", PREPARE + text],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def test_what_was_spooled_before_a_sigkill_arrives_after_it(remote: LogEndpoint, tmp_path: Path) -> None:
    remote.fail(status=500)
    text = """if True:
        import time
        from tallow.monitoring.logging import logger
        number = 0
        while True:
            logger.info(str(number), number=number)
            number += 1
            time.sleep(0.0005)
    """
    first = program(text, tmp_path, remote, LOG_BATCH_SIZE="20", LOG_FILE=os.devnull)
    deadline = soon(20)
    while len(list(tmp_path.glob("[0-9]*"))) < 3 and time.monotonic() < deadline:
        time.sleep(0.05)
    first.send_signal(signal.SIGKILL)
    first.communicate()
    spooled = [
        orjson.loads(line)["message"]
        for file in tmp_path.glob("[0-9]*")
        for line in file.read_bytes().splitlines()
    ]
    assert len(spooled) >= 40
    remote.recover()
    second = program("from tallow.monitoring.logging import logger; logger.info('back')", tmp_path, remote)
    second.communicate(timeout=60)
    assert set(spooled) <= set(remote.messages)
    assert "back" in remote.messages


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_program_that_is_told_to_stop_sends_what_waits_first(
    remote: LogEndpoint, tmp_path: Path, number: signal.Signals
) -> None:
    text = """if True:
        import time
        from tallow.monitoring.logging import logger
        logger.info("Last words")
        print("ready", flush=True)
        time.sleep(60)
    """
    running = program(text, tmp_path, remote, LOG_FILE=os.devnull)
    assert running.stdout
    assert running.stdout.readline() == "ready\n"
    running.send_signal(number)
    running.communicate(timeout=30)
    assert remote.wait_for(1) == ["Last words"]
    assert running.returncode == -number


def test_a_full_disk_under_the_spool_is_survived_and_counted(remote: LogEndpoint, tmp_path: Path) -> None:
    """RLIMIT_FSIZE is a full disk for one process: batches stay in memory while it has room."""
    remote.fail(status=500)
    text = """if True:
        import resource, signal
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        from tallow.monitoring.logging import logger, shutdown
        from tallow.monitoring.metrics import METRICS
        for number in range(2000):
            logger.info(str(number))
        shutdown()
        value = METRICS.registry.value
        reasons = ("queue_full", "failed", "rejected")
        print(*(value("telemetry_dropped_total", pipeline="logs", reason=reason) for reason in reasons))
    """
    running = program(text, tmp_path, remote, LOG_QUEUE_SIZE="500", LOG_BATCH_SIZE="100", LOG_FILE=os.devnull)
    said, _ = running.communicate(timeout=60)
    queue_full, failed, rejected = map(float, said.split())
    assert running.returncode == 0
    assert queue_full + failed == 2000
    assert rejected == 0
    assert list(tmp_path.iterdir()) == []


def test_a_burst_of_100_000_records_is_sent_spooled_or_counted(remote: LogEndpoint, tmp_path: Path) -> None:
    text = """if True:
        import resource, time
        from tallow.monitoring.logging import logger, shutdown
        from tallow.monitoring.metrics import METRICS
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for number in range(100_000):
            logger.info("burst", number=number)
        shutdown()
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        value = METRICS.registry.value
        reasons = ("queue_full", "failed", "rejected")
        lost = sum(value("telemetry_dropped_total", pipeline="logs", reason=reason) for reason in reasons)
        print(grown, lost)
    """
    running = program(text, tmp_path, remote, LOG_FILE=os.devnull)
    said, _ = running.communicate(timeout=100)
    grown, lost_lines = map(float, said.split())
    left = sum(int(file.name.split("-")[1]) for file in tmp_path.glob("[0-9]*"))
    assert len(remote.messages) + left + lost_lines >= 100_000
    assert lost_lines == 0
    assert grown < 200 * 1024
