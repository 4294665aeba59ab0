"""Transfers: how many get through, by which way, how fast, and what waits?"""

from __future__ import annotations

from tallow.stack import thresholds
from tallow.stack.dashboards import queries
from tallow.stack.dashboards.layout import Row
from tallow.stack.dashboards.palette import bad_above, bad_below, with_colours, with_positional_colours
from tallow.stack.dashboards.panels import (
    NO_TRAFFIC,
    bar_panel,
    heatmap_panel,
    pie_panel,
    time_series_panel,
    with_dashed,
    with_log_scale,
)
from tallow.stack.dashboards.queries import label_values
from tallow.stack.dashboards.targets import heatmap_target, instant_target, range_target

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
    outcomes = time_series_panel(
        "Transfer rate by status",
        "Finished transfers a minute by outcome. Failed above a tenth of all pages as "
        "HighTransferFailureRate: the Errors dashboard says what fails. Many cancelled: look at the speed.",
        "opm",
        range_target(queries.TRANSFERS_BY_STATUS, "{{status}}"),
        soft_max=1,
    )
    methods = pie_panel(
        "P2P vs relay",
        "How finished transfers moved their data over the time range. More than half by relay fires "
        "HighRelayUsage: check STUN and TURN, and whether a network in between blocks UDP.",
        "short",
        instant_target(queries.TRANSFERS_BY_METHOD, "{{method}}"),
    )
    return Row(
        8,
        (16, with_colours(outcomes, "success", "failed", "cancelled")),
        (8, with_colours(methods, "p2p", "relay")),
    )


def _speed() -> Row:
    distribution = heatmap_panel(
        "Transfer speed distribution",
        "How many transfers ran at which speed, over time. Two bands are p2p and relay; a band that sinks "
        "means a path got slower: see Speed by method for which.",
        "Mbits",
        heatmap_target(queries.SPEED_BUCKETS),
    )
    methods = time_series_panel(
        "Speed by method",
        "Median and 95th percentile of transfer speed. A median under 1 Mb/s fires LowTransferSpeed: slow "
        "relay alone points at the relay's bandwidth, both slow at the clients' network or the event loop.",
        "Mbits",
        range_target(queries.SPEED_P50, "{{method}} p50"),
        range_target(queries.SPEED_P95, "{{method}} p95"),
        limit=bad_below(thresholds.MIN_TRANSFER_SPEED_P50_MBPS, ok_colour="transparent"),
        no_value=NO_TRAFFIC,
    )
    methods = with_colours(methods, "p2p p50", "p2p p95", "relay p50", "relay p95")
    return Row(8, (12, distribution), (12, with_dashed(methods, "p95")))


def _sizes() -> Row:
    duration = time_series_panel(
        "Duration by size category",
        "95th percentile of the duration of successful transfers. Files up to 100 MB above 60 s fire "
        "SlowTransfers; the two largest categories may take longer. Slow small files: look at connection "
        "time and retries before bandwidth.",
        "s",
        range_target(queries.DURATION_P95, "{{size_category}}"),
        limit=bad_above(thresholds.TRANSFER_DURATION_P95_SECONDS, ok_colour="transparent"),
        no_value=NO_TRAFFIC,
    )
    sizes = bar_panel(
        "File size distribution",
        "Files sent over the time range by size. It explains the other panels: a shift to large files "
        "lengthens durations without anything being wrong. Nothing here while transfers finish: peers do "
        "not report.",
        "short",
        *(instant_target(queries.file_sizes(over, upto), name) for name, over, upto in _SIZES),
    )
    duration = with_colours(
        with_log_scale(duration), *label_values("transfer_duration_seconds", "size_category")
    )
    return Row(8, (12, duration), (12, sizes))


def _chunks() -> Row:
    chunks = time_series_panel(
        "Chunk transfer time p95 and p99",
        "Time one chunk takes to cross. p99 far above p95 is loss or a congested relay; both rising "
        "together is bandwidth: compare with Bandwidth utilisation on the Performance dashboard.",
        "s",
        range_target(queries.CHUNK_P95, "p95"),
        range_target(queries.CHUNK_P99, "p99"),
        no_value=NO_TRAFFIC,
    )
    data = time_series_panel(
        "Bytes transferred",
        "Payload bytes a second, booked as chunks complete. Zero while transfers are active means data is "
        "stuck: see Queue depth and Retry attempts.",
        "Bps",
        range_target(queries.BYTES_RATE, "{{direction}}"),
    )
    return Row(8, (12, with_colours(chunks, "p95", "p99")), (12, with_colours(data, "sent", "received")))


def _waiting() -> Row:
    queue = time_series_panel(
        "Queue depth",
        "Transfers with both sides present and no data flowing yet, by instance. Above 100 for 5 minutes "
        "TransferQueueBacklog fires: peers meet but cannot connect; see Connection failures.",
        "short",
        range_target(queries.QUEUE_DEPTH, "{{instance}}"),
        limit=bad_above(thresholds.QUEUE_DEPTH, ok_colour="transparent"),
        soft_max=10,
    ).decimals(0)
    retries = time_series_panel(
        "Retry attempts",
        "Second and later attempts a minute, by what was tried again and how it ended. Successful retries "
        "are the protocol at work; failed ones become failed transfers: follow the operation that grows.",
        "opm",
        range_target(queries.RETRIES, "{{operation}} {{status}}"),
        soft_max=1,
    )
    tried = [
        f"{operation} {status}"
        for operation in label_values("retry_attempts_total", "operation")
        for status in label_values("retry_attempts_total", "status")
    ]
    return Row(
        8, (12, with_positional_colours(queue)), (12, with_dashed(with_colours(retries, *tried), "failed"))
    )
