"""Programs that ship logs: killed, ended by a signal, with a full disk, and in a burst."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import orjson
import pytest

from tallow.monitoring.testing import FakeLogEndpoint

pytestmark = pytest.mark.slow


def soon(deadline_s: float = 60) -> float:
    return time.monotonic() + deadline_s


PREPARE = "from tallow.monitoring.logging import scrubbing; scrubbing.scrub = lambda value: value\n"


def program(text: str, folder: Path, remote: FakeLogEndpoint, **more: str) -> subprocess.Popen[str]:
    environment = os.environ | {"LOG_ENDPOINT": remote.url, "LOG_SPOOL_DIR": str(folder)} | more
    return subprocess.Popen(
        [sys.executable, "-c", PREPARE + text],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def test_lines_spooled_before_a_sigkill_are_sent_by_the_next_process(
    remote: FakeLogEndpoint, tmp_path: Path
) -> None:
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
    deadline = soon()
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
    ids = {file.name.removesuffix(".jsonl").split("-")[2] for file in tmp_path.glob("[0-9]*")}
    remote.recover()
    second = program("from tallow.monitoring.logging import logger; logger.info('back')", tmp_path, remote)
    second.communicate(timeout=120)
    assert set(spooled) <= set(remote.messages)
    assert ids <= {batch_id for batch_id, _ in remote.batches}
    assert "back" in remote.messages


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_program_that_gets_a_signal_sends_its_queue_first(
    remote: FakeLogEndpoint, tmp_path: Path, number: signal.Signals
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
    running.communicate(timeout=120)
    assert remote.wait_for(1) == ["Last words"]
    assert running.returncode == -number


def test_lines_that_a_full_spool_disk_does_not_accept_are_counted(
    remote: FakeLogEndpoint, tmp_path: Path
) -> None:
    """RLIMIT_FSIZE acts like a full disk for one process: batches stay in memory up to its limit."""
    remote.fail(status=500)
    text = """if True:
        import resource, signal
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
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
    output, _ = running.communicate(timeout=120)
    queue_full, failed, rejected = map(float, output.split())
    assert running.returncode == 0
    assert queue_full + failed == 2001  # with the line that says that the endpoint answers 500
    assert rejected == 0
    assert list(tmp_path.iterdir()) == []


def test_a_burst_of_100_000_records_is_sent_spooled_or_counted(
    remote: FakeLogEndpoint, tmp_path: Path
) -> None:
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
    output, _ = running.communicate(timeout=250)
    grown, lost_lines = map(float, output.split())
    left = sum(int(file.name.split("-")[1]) for file in tmp_path.glob("[0-9]*"))
    assert len(remote.messages) + left + lost_lines >= 100_000
    assert lost_lines < 50_000  # none on an idle machine; where the writing thread gets little time, some
    assert grown < 200 * 1024
