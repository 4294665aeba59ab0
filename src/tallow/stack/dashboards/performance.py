"""Performance: what do users wait for, and what limits the server?"""

from __future__ import annotations

from tallow.stack import thresholds
from tallow.stack.dashboards import queries
from tallow.stack.dashboards.layout import Row
from tallow.stack.dashboards.palette import above, below, by_position, coloured
from tallow.stack.dashboards.panels import NO_TRAFFIC, dashed, dial, lines
from tallow.stack.dashboards.queries import values_of
from tallow.stack.dashboards.targets import now, over_time

UID = "tallow-performance"
TITLE = "Tallow / Performance"


def rows() -> list[Row]:
    return [_service(), _peers(), _process(), _runtime(), _traffic()]


def _service() -> Row:
    http = lines(
        "HTTP request duration p50, p95, p99",
        "Percentiles of the time to answer, metrics and health routes left out. p99 alone high: a slow "
        "dependency now and then; all three high: the event loop or the CPU is the limit.",
        "s",
        over_time(queries.HTTP_P50, "p50"),
        over_time(queries.HTTP_P95, "p95"),
        over_time(queries.HTTP_P99, "p99"),
        idle=NO_TRAFFIC,
    )
    database = lines(
        "Database operation latency p50, p95, p99",
        "Percentiles of the time of one statement. p95 above 1 s fires SlowDatabaseOperations: look for "
        "locks, a full disk or a missing index, then at the load.",
        "s",
        over_time(queries.DB_P50, "p50"),
        over_time(queries.DB_P95, "p95"),
        over_time(queries.DB_P99, "p99"),
        limit=above(thresholds.DB_DURATION_P95_SECONDS, fine="transparent"),
        idle=NO_TRAFFIC,
    )
    return Row(8, *((12, coloured(panel, "p50", "p95", "p99")) for panel in (http, database)))


def _peers() -> Row:
    connection = lines(
        "WebRTC connection time p95, p99",
        "Time from the first ICE candidate to an open data channel. p95 above 10 s fires "
        "HighConnectionTime: STUN or TURN answers slowly, or candidates wait for a timeout.",
        "s",
        over_time(queries.CONNECTION_P95, "p95"),
        over_time(queries.CONNECTION_P99, "p99"),
        limit=above(thresholds.CONNECTION_TIME_P95_SECONDS, fine="transparent"),
        idle=NO_TRAFFIC,
    )
    pqc = lines(
        "PQC operation duration p95 by operation",
        "95th percentile of one ML-KEM-768 operation, normally far below a millisecond. Above 5 s "
        "SlowPQCOperations fires: peers starve for CPU, or a build lacks the native library.",
        "s",
        over_time(queries.PQC_P95, "{{operation}}"),
        limit=above(thresholds.PQC_DURATION_P95_SECONDS, fine="transparent"),
        idle=NO_TRAFFIC,
    )
    cipher = lines(
        "Encryption time by algorithm",
        "95th percentile of encrypting or decrypting one chunk. Ten times its usual value means peers "
        "without AES instructions, or starving for CPU.",
        "s",
        over_time(queries.ENCRYPTION_P95, "{{algorithm}}"),
        idle=NO_TRAFFIC,
    )
    pqc = coloured(pqc, *values_of("pqc_duration_seconds", "operation"))
    cipher = coloured(cipher, *values_of("encryption_duration_seconds", "algorithm"))
    return Row(8, (8, coloured(connection, "p95", "p99")), (8, pqc), (8, cipher))


def _process() -> Row:
    cpu = dial(
        "CPU usage",
        "Share of one core each server worker uses now, by instance. Above 80 % for 5 minutes HighCPUUsage "
        "fires: the Overview shows how it got there; add workers if it is load.",
        now(queries.CPU, "{{instance}}"),
        limit=above(thresholds.CPU_RATIO_PER_WORKER),
    )
    cache = dial(
        "Cache hit rate",
        "Look-ups the cache could answer, over the time range; 100 % when nobody asked. Under 50 % "
        "LowCacheHitRate fires: the cache is too small, was just emptied, or its keys never repeat.",
        now(queries.CACHE_HITS, "hits"),
        limit=below(thresholds.MIN_CACHE_HIT_RATIO),
    )
    memory = lines(
        "Memory: RSS and heap",
        "Resident memory (solid) and what the allocator has handed out (dashed), by instance. Both rising "
        "is a leak; resident memory alone is fragmentation. Above 1.5 GB HighMemoryUsage fires.",
        "decbytes",
        over_time(queries.RESIDENT, "{{instance}} resident"),
        over_time(queries.HEAP, "{{instance}} heap"),
        limit=above(thresholds.RESIDENT_MEMORY_BYTES, fine="transparent"),
    )
    return Row(8, (4, cpu), (4, cache), (16, dashed(by_position(memory), "heap")))


def _runtime() -> Row:
    lag = lines(
        "Event loop lag p95, p99",
        "How late the event loop runs its timers. Above a tenth of a second every user feels it: something "
        "blocks the loop. Compare with Garbage collection time and CPU usage.",
        "s",
        over_time(queries.LOOP_LAG_P95, "p95"),
        over_time(queries.LOOP_LAG_P99, "p99"),
        idle=NO_TRAFFIC,
    )
    collection = lines(
        "Garbage collection time",
        "Share of time spent collecting garbage, by generation, stacked. Above a few percent the process "
        "makes too many objects or too many live long: compare with the heap.",
        "percentunit",
        over_time(queries.GC_SHARE, "generation {{generation}}"),
        stacked=True,
        reach=0.01,
    )
    generations = (
        f"generation {generation}" for generation in values_of("gc_duration_seconds", "generation")
    )
    return Row(8, (12, coloured(lag, "p95", "p99")), (12, coloured(collection, *generations)))


def _traffic() -> Row:
    bandwidth = lines(
        "Bandwidth utilisation",
        "What the server itself moves: relayed data and HTTP. Flat at the top is the link's or the "
        "relay's limit: transfers by relay slow down from here on.",
        "Mbits",
        over_time(queries.BANDWIDTH, "{{direction}}"),
    )
    sizes = lines(
        "Request and response sizes",
        "95th percentile of HTTP bodies, metrics and health routes left out. Large requests are uploads "
        "that should not come this way; large responses the web app's files: check the proxy's cache.",
        "decbytes",
        over_time(queries.REQUEST_SIZE_P95, "request"),
        over_time(queries.RESPONSE_SIZE_P95, "response"),
        idle=NO_TRAFFIC,
    )
    return Row(
        8,
        (12, coloured(bandwidth, "sent", "received")),
        (12, coloured(sizes, "request", "response")),
    )
