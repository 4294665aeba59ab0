"""Memory per series, and what importing and starting cost, each in processes of their own."""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys

from benchmarks.measure import Row, summed

SERIES = 2_000
ROUNDS = 9

OURS = """
import tracemalloc
from tallow.monitoring.catalog import METRICS, Label, Metric
from tallow.monitoring.exposition import expose
from tallow.monitoring.registry import Registry
values = tuple(f"value-{n}" for n in range({series}))
tracemalloc.start()
edges = METRICS["pqc_duration_seconds"].buckets
registry = Registry([Metric("x_seconds", "histogram", "X.", (Label("kind", values),), edges)])
for value in values:
    registry.observe(registry.families["x_seconds"], value, 0.01)
expose(registry)
print(tracemalloc.get_traced_memory()[0])
"""
THEIRS = """
import tracemalloc
from prometheus_client import CollectorRegistry, Histogram, generate_latest
from tallow.monitoring.catalog import METRICS
values = tuple(f"value-{{n}}" for n in range({series}))
tracemalloc.start()
registry = CollectorRegistry()
edges = METRICS["pqc_duration_seconds"].buckets
histogram = Histogram("x_seconds", "X.", ["kind"], buckets=edges, registry=registry)
for value in values:
    histogram.labels(value).observe(0.01)
generate_latest(registry)
print(tracemalloc.get_traced_memory()[0])
"""
START = "from tallow.monitoring import instrument\nasync def app(scope, receive, send): ...\ninstrument(app)"
PEERS = "import prometheus_client, structlog, sentry_sdk"


def rows() -> list[Row]:
    """The table's lines on memory and start."""
    memory = [
        (float(_run(OURS.replace("{series}", str(SERIES)))), float(_run(THEIRS.format(series=SERIES))))
        for _ in range(3)
    ]
    started = [(_cpu(START), _cpu(PEERS)) for _ in range(ROUNDS)]
    floor = statistics.median(_cpu("pass") for _ in range(ROUNDS))
    return [
        summed("memory per histogram child", "prometheus_client", memory, SERIES, 0.7, "bytes", 1.0),
        summed(
            "import and start of `tallow.monitoring`",
            "`import prometheus_client, structlog, sentry_sdk`",
            [(one - floor, two - floor) for one, two in started],
            1,
            1.0,
            "ms",
            1e3,
        ),
    ]


def _run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout


def _cpu(code: str) -> float:
    """CPU seconds of a process that runs ``code``."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", code], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
