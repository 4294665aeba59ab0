"""Transfers: how many get through, by which way, how fast, and what waits?"""

from __future__ import annotations

from tallow.stack import thresholds
from tallow.stack.dashboards import queries
from tallow.stack.dashboards.layout import Row
from tallow.stack.dashboards.palette import above, below, by_position, coloured
from tallow.stack.dashboards.panels import NO_TRAFFIC, bars, dashed, heat, lines, over_decades, pie
from tallow.stack.dashboards.queries import values_of
from tallow.stack.dashboards.targets import buckets, now, over_time

UID = "tallow-transfers"
TITLE = "Tallow / Transfers"

# Bars of the file size distribution: every second edge of the histogram, and what lies beyond the last.
_MIB = 2**20
_SIZES = (
    ("≤ 64 KiB", None, 2**16),
    ("≤ 1 MiB", 2**16, _MIB),
    ("≤ 16 MiB", _MIB, 16 * _MIB),
    ("≤ 256 MiB", 16 * _MIB, 256 * _MIB),
    ("≤ 4 GiB", 256 * _MIB, 4096 * _MIB),
    ("≤ 16 GiB", 4096 * _MIB, 16384 * _MIB),
    ("> 16 GiB", 16384 * _MIB, None),
)


def rows() -> list[Row]:
    return [_outcomes(), _speed(), _sizes(), _chunks(), _waiting()]


def _outcomes() -> Row:
    outcomes = lines(
        "Transfer rate by status",
        "Finished transfers a minute by outcome. Failed above a tenth of all pages as "
        "HighTransferFailureRate: the Errors dashboard says what fails. Many cancelled: look at the speed.",
        "opm",
        over_time(queries.TRANSFERS_BY_STATUS, "{{status}}"),
        reach=1,
    )
    methods = pie(
        "P2P vs relay",
        "How finished transfers moved their data over the time range. More than half by relay fires "
        "HighRelayUsage: check STUN and TURN, and whether a network in between blocks UDP.",
        "short",
        now(queries.TRANSFERS_BY_METHOD, "{{method}}"),
    )
    return Row(
        8,
        (16, coloured(outcomes, "success", "failed", "cancelled")),
        (8, coloured(methods, "p2p", "relay")),
    )


def _speed() -> Row:
    distribution = heat(
        "Transfer speed distribution",
        "How many transfers ran at which speed, over time. Two bands are p2p and relay; a band that sinks "
        "means a path got slower: see Speed by method for which.",
        "Mbits",
        buckets(queries.SPEED_BUCKETS),
    )
    methods = lines(
        "Speed by method",
        "Median and 95th percentile of transfer speed. A median under 1 Mb/s fires LowTransferSpeed: slow "
        "relay alone points at the relay's bandwidth, both slow at the clients' network or the event loop.",
        "Mbits",
        over_time(queries.SPEED_P50, "{{method}} p50"),
        over_time(queries.SPEED_P95, "{{method}} p95"),
        limit=below(thresholds.MIN_TRANSFER_SPEED_P50_MBPS, fine="transparent"),
        idle=NO_TRAFFIC,
    )
    methods = coloured(methods, "p2p p50", "p2p p95", "relay p50", "relay p95")
    return Row(8, (12, distribution), (12, dashed(methods, "p95")))


def _sizes() -> Row:
    duration = lines(
        "Duration by size category",
        "95th percentile of the duration of successful transfers. Files up to 100 MB above 60 s fire "
        "SlowTransfers; the two largest categories may take longer. Slow small files: look at connection "
        "time and retries before bandwidth.",
        "s",
        over_time(queries.DURATION_P95, "{{size_category}}"),
        limit=above(thresholds.TRANSFER_DURATION_P95_SECONDS, fine="transparent"),
        idle=NO_TRAFFIC,
    )
    sizes = bars(
        "File size distribution",
        "Files sent over the time range by size. It explains the other panels: a shift to large files "
        "lengthens durations without anything being wrong. Nothing here while transfers finish: peers do "
        "not report.",
        "short",
        *(now(queries.file_sizes(over, upto), name) for name, over, upto in _SIZES),
    )
    duration = coloured(over_decades(duration), *values_of("transfer_duration_seconds", "size_category"))
    return Row(8, (12, duration), (12, sizes))


def _chunks() -> Row:
    chunks = lines(
        "Chunk transfer time p95 and p99",
        "Time one chunk takes to cross. p99 far above p95 is loss or a congested relay; both rising "
        "together is bandwidth: compare with Bandwidth utilisation on the Performance dashboard.",
        "s",
        over_time(queries.CHUNK_P95, "p95"),
        over_time(queries.CHUNK_P99, "p99"),
        idle=NO_TRAFFIC,
    )
    data = lines(
        "Bytes transferred",
        "Payload bytes a second, booked as chunks complete. Zero while transfers are active means data is "
        "stuck: see Queue depth and Retry attempts.",
        "Bps",
        over_time(queries.BYTES_RATE, "{{direction}}"),
    )
    return Row(8, (12, coloured(chunks, "p95", "p99")), (12, coloured(data, "sent", "received")))


def _waiting() -> Row:
    queue = lines(
        "Queue depth",
        "Transfers with both sides present and no data flowing yet, by instance. Above 100 for 5 minutes "
        "TransferQueueBacklog fires: peers meet but cannot connect; see Connection failures.",
        "short",
        over_time(queries.QUEUE_DEPTH, "{{instance}}"),
        limit=above(thresholds.QUEUE_DEPTH, fine="transparent"),
        reach=10,
    ).decimals(0)
    retries = lines(
        "Retry attempts",
        "Second and later attempts a minute, by what was tried again and how it ended. Successful retries "
        "are the protocol at work; failed ones become failed transfers: follow the operation that grows.",
        "opm",
        over_time(queries.RETRIES, "{{operation}} {{status}}"),
        reach=1,
    )
    tried = [
        f"{operation} {status}"
        for operation in values_of("retry_attempts_total", "operation")
        for status in values_of("retry_attempts_total", "status")
    ]
    return Row(8, (12, by_position(queue)), (12, dashed(coloured(retries, *tried), "failed")))
