"""Performance dashboard: latencies, and the resources of the server."""

from __future__ import annotations

from tallow.stack import thresholds
from tallow.stack.dashboards import queries
from tallow.stack.dashboards.layout import Row
from tallow.stack.dashboards.palette import bad_above, bad_below, with_colours, with_positional_colours
from tallow.stack.dashboards.panels import NO_TRAFFIC, gauge_panel, time_series_panel, with_dashed
from tallow.stack.dashboards.queries import label_values
from tallow.stack.dashboards.targets import exemplar_target, instant_target, range_target

UID = "tallow-performance"
TITLE = "Tallow / Performance"


def rows() -> list[Row]:
    return [_service_row(), _peers_row(), _process_row(), _runtime_row(), _traffic_row()]


def _service_row() -> Row:
    http = time_series_panel(
        "HTTP request duration p50, p95, p99",
        "Percentiles of the response time, without metrics and health routes. If only p99 is high, a "
        "dependency is slow at times; if all three are, the event loop or the CPU is the limit.",
        "s",
        range_target(queries.HTTP_P50, "p50"),
        exemplar_target(queries.HTTP_P95, "p95"),
        range_target(queries.HTTP_P99, "p99"),
        no_value=NO_TRAFFIC,
    )
    database = time_series_panel(
        "Database operation latency p50, p95, p99",
        "Percentiles of the time of one statement. p95 above 1 s fires SlowDatabaseOperations: check "
        "locks, disk space and indexes, then the load.",
        "s",
        range_target(queries.DB_P50, "p50"),
        range_target(queries.DB_P95, "p95"),
        range_target(queries.DB_P99, "p99"),
        limit=bad_above(thresholds.DB_DURATION_P95_SECONDS, ok_colour="transparent"),
        no_value=NO_TRAFFIC,
    )
    return Row(8, *((12, with_colours(panel, "p50", "p95", "p99")) for panel in (http, database)))


def _peers_row() -> Row:
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
        "SlowPQCOperations fires: peers have too little CPU, or a build lacks the native library.",
        "s",
        range_target(queries.PQC_P95, "{{operation}}"),
        limit=bad_above(thresholds.PQC_DURATION_P95_SECONDS, ok_colour="transparent"),
        no_value=NO_TRAFFIC,
    )
    cipher = time_series_panel(
        "Encryption time by algorithm",
        "95th percentile of encrypting or decrypting one chunk. Ten times its usual value means that "
        "peers have no AES instructions or too little CPU.",
        "s",
        range_target(queries.ENCRYPTION_P95, "{{algorithm}}"),
        no_value=NO_TRAFFIC,
    )
    pqc = with_colours(pqc, *label_values("pqc_duration_seconds", "operation"))
    cipher = with_colours(cipher, *label_values("encryption_duration_seconds", "algorithm"))
    return Row(8, (8, with_colours(connection, "p95", "p99")), (8, pqc), (8, cipher))


def _process_row() -> Row:
    cpu = gauge_panel(
        "CPU usage",
        "Share of one core each server worker uses now, by instance. Above 80 % for 5 minutes HighCPUUsage "
        "fires: the Overview dashboard shows its course; add workers if load is the cause.",
        instant_target(queries.CPU, "{{instance}}"),
        limit=bad_above(thresholds.CPU_RATIO_PER_WORKER),
    )
    cache = gauge_panel(
        "Cache hit rate",
        "Share of look-ups that the cache answered, over the time range; 100 % without look-ups. Under 50 % "
        "LowCacheHitRate fires: the cache is too small, was just emptied, or its keys never repeat.",
        instant_target(queries.CACHE_HITS, "hits"),
        limit=bad_below(thresholds.MIN_CACHE_HIT_RATIO),
    )
    memory = time_series_panel(
        "Memory: RSS and heap",
        "Resident memory (solid) and allocated heap (dashed), by instance. If both rise, memory leaks; if "
        "only resident memory rises, it is fragmented. Above 1.5 GB HighMemoryUsage fires.",
        "decbytes",
        range_target(queries.RESIDENT, "{{instance}} resident"),
        range_target(queries.HEAP, "{{instance}} heap"),
        limit=bad_above(thresholds.RESIDENT_MEMORY_BYTES, ok_colour="transparent"),
    )
    return Row(8, (4, cpu), (4, cache), (16, with_dashed(with_positional_colours(memory), "heap")))


def _runtime_row() -> Row:
    lag = time_series_panel(
        "Event loop lag p95, p99",
        "The delay of the event loop's timers. Above a tenth of a second users notice it: a call blocks the "
        "loop. Compare with Garbage collection time and CPU usage.",
        "s",
        range_target(queries.LOOP_LAG_P95, "p95"),
        range_target(queries.LOOP_LAG_P99, "p99"),
        no_value=NO_TRAFFIC,
    )
    collection = time_series_panel(
        "Garbage collection time",
        "Share of time spent collecting garbage, by generation, stacked. Above a few percent the process "
        "creates or keeps too many objects: compare with the heap.",
        "percentunit",
        range_target(queries.GC_SHARE, "generation {{generation}}"),
        stacked=True,
        soft_max=0.01,
    )
    generations = (
        f"generation {generation}" for generation in label_values("gc_duration_seconds", "generation")
    )
    return Row(8, (12, with_colours(lag, "p95", "p99")), (12, with_colours(collection, *generations)))


def _traffic_row() -> Row:
    bandwidth = time_series_panel(
        "Bandwidth utilisation",
        "Data that the server itself sends and receives: relayed transfers and HTTP. A flat top is the limit "
        "of the network or of the relay: relayed transfers become slower.",
        "Mbits",
        range_target(queries.BANDWIDTH, "{{direction}}"),
    )
    sizes = time_series_panel(
        "Request and response sizes",
        "95th percentile of HTTP body sizes, without metrics and health routes. Large requests are "
        "unexpected uploads; large responses are the web app's files: check the proxy's cache.",
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
