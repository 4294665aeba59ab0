"""Performance: what do users wait for, and what limits the server?"""

from __future__ import annotations

from tallow.stack import thresholds
from tallow.stack.dashboards import queries
from tallow.stack.dashboards.layout import Row
from tallow.stack.dashboards.palette import bad_above, bad_below, with_colours, with_positional_colours
from tallow.stack.dashboards.panels import NO_TRAFFIC, gauge_panel, time_series_panel, with_dashed
from tallow.stack.dashboards.queries import label_values
from tallow.stack.dashboards.targets import instant_target, range_target

UID = "tallow-performance"
TITLE = "Tallow / Performance"


def rows() -> list[Row]:
    return [_service(), _peers(), _process(), _runtime(), _traffic()]


def _service() -> Row:
    http = time_series_panel(
        "HTTP request duration p50, p95, p99",
        "Percentiles of the time to answer, metrics and health routes left out. p99 alone high: a slow "
        "dependency now and then; all three high: the event loop or the CPU is the limit.",
        "s",
        range_target(queries.HTTP_P50, "p50"),
        range_target(queries.HTTP_P95, "p95"),
        range_target(queries.HTTP_P99, "p99"),
        no_value=NO_TRAFFIC,
    )
    database = time_series_panel(
        "Database operation latency p50, p95, p99",
        "Percentiles of the time of one statement. p95 above 1 s fires SlowDatabaseOperations: look for "
        "locks, a full disk or a missing index, then at the load.",
        "s",
        range_target(queries.DB_P50, "p50"),
        range_target(queries.DB_P95, "p95"),
        range_target(queries.DB_P99, "p99"),
        limit=bad_above(thresholds.DB_DURATION_P95_SECONDS, ok_colour="transparent"),
        no_value=NO_TRAFFIC,
    )
    return Row(8, *((12, with_colours(panel, "p50", "p95", "p99")) for panel in (http, database)))


def _peers() -> Row:
    connection = time_series_panel(
        "WebRTC connection time p95, p99",
        "Time from the first ICE candidate to an open data channel. p95 above 10 s fires "
        "HighConnectionTime: STUN or TURN answers slowly, or candidates wait for a timeout.",
        "s",
        range_target(queries.CONNECTION_P95, "p95"),
        range_target(queries.CONNECTION_P99, "p99"),
        limit=bad_above(thresholds.CONNECTION_TIME_P95_SECONDS, ok_colour="transparent"),
        no_value=NO_TRAFFIC,
    )
    pqc = time_series_panel(
        "PQC operation duration p95 by operation",
        "95th percentile of one ML-KEM-768 operation, normally far below a millisecond. Above 5 s "
        "SlowPQCOperations fires: peers starve for CPU, or a build lacks the native library.",
        "s",
        range_target(queries.PQC_P95, "{{operation}}"),
        limit=bad_above(thresholds.PQC_DURATION_P95_SECONDS, ok_colour="transparent"),
        no_value=NO_TRAFFIC,
    )
    cipher = time_series_panel(
        "Encryption time by algorithm",
        "95th percentile of encrypting or decrypting one chunk. Ten times its usual value means peers "
        "without AES instructions, or starving for CPU.",
        "s",
        range_target(queries.ENCRYPTION_P95, "{{algorithm}}"),
        no_value=NO_TRAFFIC,
    )
    pqc = with_colours(pqc, *label_values("pqc_duration_seconds", "operation"))
    cipher = with_colours(cipher, *label_values("encryption_duration_seconds", "algorithm"))
    return Row(8, (8, with_colours(connection, "p95", "p99")), (8, pqc), (8, cipher))


def _process() -> Row:
    cpu = gauge_panel(
        "CPU usage",
        "Share of one core each server worker uses now, by instance. Above 80 % for 5 minutes HighCPUUsage "
        "fires: the Overview shows how it got there; add workers if it is load.",
        instant_target(queries.CPU, "{{instance}}"),
        limit=bad_above(thresholds.CPU_RATIO_PER_WORKER),
    )
    cache = gauge_panel(
        "Cache hit rate",
        "Look-ups the cache could answer, over the time range; 100 % when nobody asked. Under 50 % "
        "LowCacheHitRate fires: the cache is too small, was just emptied, or its keys never repeat.",
        instant_target(queries.CACHE_HITS, "hits"),
        limit=bad_below(thresholds.MIN_CACHE_HIT_RATIO),
    )
    memory = time_series_panel(
        "Memory: RSS and heap",
        "Resident memory (solid) and what the allocator has handed out (dashed), by instance. Both rising "
        "is a leak; resident memory alone is fragmentation. Above 1.5 GB HighMemoryUsage fires.",
        "decbytes",
        range_target(queries.RESIDENT, "{{instance}} resident"),
        range_target(queries.HEAP, "{{instance}} heap"),
        limit=bad_above(thresholds.RESIDENT_MEMORY_BYTES, ok_colour="transparent"),
    )
    return Row(8, (4, cpu), (4, cache), (16, with_dashed(with_positional_colours(memory), "heap")))


def _runtime() -> Row:
    lag = time_series_panel(
        "Event loop lag p95, p99",
        "How late the event loop runs its timers. Above a tenth of a second every user feels it: something "
        "blocks the loop. Compare with Garbage collection time and CPU usage.",
        "s",
        range_target(queries.LOOP_LAG_P95, "p95"),
        range_target(queries.LOOP_LAG_P99, "p99"),
        no_value=NO_TRAFFIC,
    )
    collection = time_series_panel(
        "Garbage collection time",
        "Share of time spent collecting garbage, by generation, stacked. Above a few percent the process "
        "makes too many objects or too many live long: compare with the heap.",
        "percentunit",
        range_target(queries.GC_SHARE, "generation {{generation}}"),
        stacked=True,
        soft_max=0.01,
    )
    generations = (
        f"generation {generation}" for generation in label_values("gc_duration_seconds", "generation")
    )
    return Row(8, (12, with_colours(lag, "p95", "p99")), (12, with_colours(collection, *generations)))


def _traffic() -> Row:
    bandwidth = time_series_panel(
        "Bandwidth utilisation",
        "What the server itself moves: relayed data and HTTP. Flat at the top is the link's or the "
        "relay's limit: transfers by relay slow down from here on.",
        "Mbits",
        range_target(queries.BANDWIDTH, "{{direction}}"),
    )
    sizes = time_series_panel(
        "Request and response sizes",
        "95th percentile of HTTP bodies, metrics and health routes left out. Large requests are uploads "
        "that should not come this way; large responses the web app's files: check the proxy's cache.",
        "decbytes",
        range_target(queries.REQUEST_SIZE_P95, "request"),
        range_target(queries.RESPONSE_SIZE_P95, "response"),
        no_value=NO_TRAFFIC,
    )
    return Row(
        8,
        (12, with_colours(bandwidth, "sent", "received")),
        (12, with_colours(sizes, "request", "response")),
    )
