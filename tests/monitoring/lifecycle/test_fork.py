"""Forked processes record separately from their parent."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform does not fork")

LOCKED = """
import os, threading
from tallow.monitoring import metrics
metrics.REGISTRY.add_catalogs(["storage"])
held = threading.Event()
def hold():
    for _ in range(20_000):
        with metrics.REGISTRY.lock:
            held.set()
thread = threading.Thread(target=hold)
thread.start()
held.wait()
for _ in range(20):
    child = os.fork()
    if child == 0:
        metrics.register_cache("rooms")
        metrics.record_cache_access("rooms", True)
        os._exit(0 if metrics.REGISTRY.value("cache_hits_total", cache="rooms") == 1 else 1)
    assert os.waitpid(child, 0)[1] == 0
thread.join()
print("ok")
"""

WORKERS = """
import os
from tallow.monitoring import metrics
metrics.REGISTRY.add_catalogs(["storage", "transfers", "connections", "features"])
metrics.register_cache("rooms")
metrics.record_chunk_transfer("relay", "sent", 1, 0.1)
metrics.connection_opened("relay")
children = []
for number in range(4):
    child = os.fork()
    if child == 0:
        for _ in range(1000):
            metrics.record_chunk_transfer("relay", "sent", 10, 0.1)
        metrics.register_feature(f"feature-{number}")
        metrics.record_feature_usage(f"feature-{number}")
        metrics.record_cache_access("rooms", True)
        os._exit(0)
    children.append(child)
for _ in range(1000):
    metrics.record_chunk_transfer("relay", "sent", 1, 0.1)
assert all(os.waitpid(child, 0)[1] == 0 for child in children)
value = metrics.REGISTRY.value
print(value("bytes_transferred_total", direction="sent"))
print(value("cache_hits_total", cache="rooms"))
print(*(value("feature_usage_total", feature=f"feature-{number}") for number in range(4)))
print(value("active_connections", type="relay"))
"""

FIGURES = """
import os
from tallow.monitoring.metrics import Metrics
from tallow.monitoring.metrics.registry import Registry
from tallow.monitoring.metrics.process import ProcessCollector
metrics = Metrics(Registry())
collector = ProcessCollector(metrics.registry)
held = bytearray(80_000_000)
parent = metrics.registry.value("process_resident_memory_bytes")
child = os.fork()
if child == 0:
    del held
    os._exit(0 if metrics.registry.value("process_resident_memory_bytes") < parent - 40_000_000 else 1)
print(os.waitpid(child, 0)[1])
"""


FORK_WARNING = "ignore:This process (pid=:DeprecationWarning"
"""Python 3.12 and later warn about a fork of a process with threads."""


def output(code: str, **environment: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONWARNINGS": FORK_WARNING} | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.split()


def test_a_lock_of_another_thread_is_free_in_the_child() -> None:
    assert output(LOCKED) == ["ok"]


def test_forked_workers_record_separately_and_are_summed(tmp_path: Path) -> None:
    figures = output(WORKERS, TALLOW_METRICS_DIR=str(tmp_path))
    assert [float(figure) for figure in figures] == [1001 + 4 * 10_000, 4, 1, 1, 1, 1, 1]
    assert len(list(tmp_path.glob("*.index"))) == 1


def test_a_forked_process_has_its_own_gauges() -> None:
    assert output(FIGURES) == ["0"]
