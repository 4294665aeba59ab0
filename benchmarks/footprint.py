"""Memory per series, and the CPU time of import and start, each measured in its own process."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys

from benchmarks.paired_measurement import Row, summed

SERIES = 2_000
ROUNDS = 9
THREADS = 8

# Every bucket of every child has an observation, and one exposition was generated.
OURS = """
import sys, threading, tracemalloc
from tallow.monitoring.catalog import METRICS, Label, Metric
from tallow.monitoring.exposition.text import expose
from tallow.monitoring.metrics.registry import Registry
series, threads = int(sys.argv[1]), int(sys.argv[2])
values = tuple(f"value-{n}" for n in range(series))
edges = METRICS["pqc_duration_seconds"].buckets
tracemalloc.start()
registry = Registry([Metric("x_seconds", "histogram", "X.", (Label("kind", values),), edges)])
ended = threading.Barrier(threads + 1)
def work():
    for value in values:
        for edge in (*edges, 100):
            registry.observe(registry.families["x_seconds"], value, edge * 0.99)
    ended.wait(); ended.wait()
for _ in range(threads):
    threading.Thread(target=work).start()
ended.wait()
expose(registry)
print(tracemalloc.get_traced_memory()[0])
ended.wait()
"""
THEIRS = """
import sys, threading, tracemalloc
from prometheus_client import CollectorRegistry, Histogram, generate_latest
from tallow.monitoring.catalog import METRICS
series, threads = int(sys.argv[1]), int(sys.argv[2])
values = tuple(f"value-{n}" for n in range(series))
edges = METRICS["pqc_duration_seconds"].buckets
tracemalloc.start()
registry = CollectorRegistry()
histogram = Histogram("x_seconds", "X.", ["kind"], buckets=edges, registry=registry)
ended = threading.Barrier(threads + 1)
def work():
    for value in values:
        for edge in (*edges, 100):
            histogram.labels(value).observe(edge * 0.99)
    ended.wait(); ended.wait()
for _ in range(threads):
    threading.Thread(target=work).start()
ended.wait()
generate_latest(registry)
print(tracemalloc.get_traced_memory()[0])
ended.wait()
"""
START = """
from tallow.monitoring import instrument
async def app(scope, receive, send): ...
instrument(app)
"""
COMPETITORS = "import prometheus_client, structlog, sentry_sdk"
# In use: settings loaded, one scrubbed log line, Sentry initialised, one exposition.
IN_USE = (
    START
    + """
import os
from tallow.monitoring.exposition.text import expose
from tallow.monitoring.logging import logger
from tallow.monitoring.metrics import REGISTRY, record_transfer
from tallow.monitoring.sentry import init_monitoring
os.environ["SENTRY_DSN"] = "http://public@127.0.0.1:9/1"
init_monitoring()
record_transfer("success", "relay", 1000, 1.0, "image/png")
logger.info("started", size=1)
expose(REGISTRY)
os._exit(0)
"""
)
COMPETITORS_IN_USE = """
import os
import prometheus_client, sentry_sdk, structlog
sentry_sdk.init("http://public@127.0.0.1:9/1")
structlog.configure(processors=[structlog.processors.TimeStamper("iso"), structlog.processors.JSONRenderer()])
prometheus_client.Counter("transfers", "Transfers.", ["status"]).labels("success").inc()
structlog.get_logger().info("started", size=1)
prometheus_client.generate_latest()
os._exit(0)
"""


def rows() -> list[Row]:
    """The table's rows on memory and start."""
    return [
        _memory(1, 0.7),
        _memory(THREADS, None),
        _started("import and start of `tallow.monitoring`", f"`{COMPETITORS}`", START, COMPETITORS, 1.0),
        _started(
            "import, start, a log line and a scrape",
            "the same three in use",
            IN_USE,
            COMPETITORS_IN_USE,
            None,
        ),
    ]


def _memory(threads: int, aim: float | None) -> Row:
    samples = [(_bytes(OURS, threads), _bytes(THEIRS, threads)) for _ in range(3)]
    work = f"memory per histogram child, {threads} thread{'s' if threads > 1 else ''}"
    return summed(work, "prometheus_client", samples, SERIES, aim, "bytes", 1.0)


def _started(work: str, peer: str, ours: str, theirs: str, aim: float | None) -> Row:
    """CPU time of both, minus that of an empty interpreter."""
    samples = [(_cpu(ours), _cpu(theirs)) for _ in range(ROUNDS)]
    baseline = statistics.median(_cpu("pass") for _ in range(ROUNDS))
    return summed(work, peer, [(one - baseline, two - baseline) for one, two in samples], 1, aim, "ms", 1e3)


# Without this, pydantic loads Logfire's plugin, since Logfire is installed for another benchmark.
ENVIRONMENT = os.environ | {"PYDANTIC_DISABLE_PLUGINS": "1"}


def _bytes(code: str, threads: int) -> float:
    command = [sys.executable, "-c", code, str(SERIES), str(threads)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def _cpu(code: str) -> float:
    """CPU seconds of a process that runs ``code``."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", code], env=ENVIRONMENT, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
