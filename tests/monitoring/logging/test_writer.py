"""The writer: order, limits, failing and hanging sinks, forks, and the exit of the interpreter."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Sequence

import pytest

from tallow.monitoring.logging.writer import Writer
from tallow.monitoring.metrics import Metrics
from tallow.monitoring.metrics.registry import Registry
from tallow.monitoring.testing import MemorySink

PREPARE = "from tallow.monitoring.logging import scrubbing; scrubbing.scrub = lambda value: value\n"


class Stuck(MemorySink):
    """A sink that waits until it is released."""

    def __init__(self) -> None:
        super().__init__()
        self.entered = threading.Event()
        self.release = threading.Event()

    def write(self, lines: Sequence[bytes]) -> None:
        self.entered.set()
        self.release.wait(30)
        super().write(lines)


class Broken(MemorySink):
    def write(self, lines: Sequence[bytes]) -> None:
        raise RuntimeError("no")


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(Registry())


def dropped(metrics: Metrics, reason: str) -> float:
    return metrics.registry.value("telemetry_dropped_total", pipeline="logs", reason=reason)


def test_lines_are_written_without_a_flush(metrics: Metrics) -> None:
    sink = MemorySink()
    writer = Writer([sink], metrics=metrics)
    for round_ in range(3):
        writer.put(b"%d\n" % round_)
        deadline = time.monotonic() + 10
        while len(sink.lines) <= round_ and time.monotonic() < deadline:
            time.sleep(0.005)
    assert sink.lines == [b"0\n", b"1\n", b"2\n"]
    writer.close()


def test_lines_of_concurrent_threads_arrive_in_the_order_of_each_thread(metrics: Metrics) -> None:
    sink = MemorySink()
    writer = Writer([sink], metrics=metrics)

    def work(name: int) -> None:
        for number in range(500):
            writer.put(b"%d %d\n" % (name, number))

    threads = [threading.Thread(target=work, args=(name,)) for name in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    writer.close()
    for name in range(8):
        mine = [line for line in sink.lines if line.startswith(b"%d " % name)]
        assert mine == [b"%d %d\n" % (name, number) for number in range(500)]


@pytest.mark.parametrize("bound", [{"max_lines": 10}, {"max_bytes": 50}])
def test_a_hanging_sink_costs_lines_and_delays_no_caller(metrics: Metrics, bound: dict[str, int]) -> None:
    sink = Stuck()
    writer = Writer([sink], metrics=metrics, **bound)
    writer.put(b"0000\n")
    assert sink.entered.wait(60)
    for _ in range(100):
        writer.put(b"1234\n")
    assert dropped(metrics, "queue_full") == 90
    sink.release.set()
    writer.close()
    assert len(sink.lines) == 11


def test_a_failing_sink_is_counted_and_does_not_affect_the_others(metrics: Metrics) -> None:
    sink = MemorySink()
    writer = Writer([Broken(), sink], metrics=metrics)
    writer.put(b"one\n")
    writer.put(b"two\n")
    writer.close()
    assert sink.lines == [b"one\n", b"two\n"]
    assert dropped(metrics, "failed") == 2


def test_closing_waits_for_a_hanging_sink_until_its_timeout(metrics: Metrics) -> None:
    sink = Stuck()
    writer = Writer([sink], metrics=metrics)
    writer.put(b"line\n")
    assert sink.entered.wait(60)
    writer.close(timeout_s=0.05)
    assert sink.lines == []
    sink.release.set()


def test_after_closing_a_line_is_written_immediately(metrics: Metrics) -> None:
    sink = MemorySink()
    writer = Writer([sink], metrics=metrics)
    writer.close()
    writer.put(b"late\n")
    assert sink.lines == [b"late\n"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_writes_only_its_own_lines() -> None:
    script = """
        import os
        from tallow.monitoring.logging import logger, flush, shutdown
        logger.info("from the parent, before")
        child = os.fork()
        logger.info("from the child" if child == 0 else "from the parent, after")
        if child == 0:
            shutdown()
            os._exit(0)
        os.waitpid(child, 0)
    """
    done = run(script)
    lines = done.stdout.splitlines()
    for text in ("from the parent, before", "from the child", "from the parent, after"):
        assert sum(text in line for line in lines) == 1


@pytest.mark.parametrize("ending", ["", "raise RuntimeError('no')", "sys.exit(3)"])
def test_the_last_record_is_written_before_the_interpreter_exits(ending: str) -> None:
    done = run(
        f"import sys\nfrom tallow.monitoring.logging import logger\nlogger.info('Last record')\n{ending}"
    )
    assert "Last record" in done.stdout


def test_a_record_of_an_exit_function_is_written() -> None:
    script = """
        import atexit
        from tallow.monitoring.logging import logger
        atexit.register(logger.info, "Record at exit")
        logger.info("Almost")
    """
    assert "Record at exit" in run(script).stdout


def run(script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PREPARE + textwrap.dedent(script)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
