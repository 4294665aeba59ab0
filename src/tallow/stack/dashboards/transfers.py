"""Transfers dashboard: outcomes, methods, speed, sizes and waiting transfers."""

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
from tallow.stack.dashboards.targets import (
    exemplar_target,
    heatmap_target,
    instant_target,
    range_target,
)

UID = "tallow-transfers"
TITLE = "Tallow / Transfers"

# Bars of the file size distribution: every second edge of the histogram, and larger files.
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
    return [_outcomes_row(), _speed_row(), _sizes_row(), _chunks_row(), _waiting_row()]


def _outcomes_row() -> Row:
    outcomes = time_series_panel(
        "Transfer rate by status",
        "Finished transfers a minute by outcome. More than a tenth failed fires "
        "HighTransferFailureRate: see the Errors dashboard. If many are cancelled, check the speed.",
        "opm",
        range_target(queries.TRANSFERS_BY_STATUS, "{{status}}"),
        soft_max=1,
    )
    methods = pie_panel(
        "P2P vs relay",
        "Finished transfers by method over the time range. More than half by relay fires HighRelayUsage: "
        "check STUN and TURN, and whether a network blocks UDP.",
        "short",
        instant_target(queries.TRANSFERS_BY_METHOD, "{{method}}"),
    )
    return Row(
        8,
        (16, with_colours(outcomes, "success", "failed", "cancelled")),
        (8, with_colours(methods, "p2p", "relay")),
    )


def _speed_row() -> Row:
    distribution = heatmap_panel(
        "Transfer speed distribution",
        "Number of transfers by speed, over time. Two bands are p2p and relay; a band that falls means that "
        "a method became slower: see Speed by method.",
        "Mbits",
        heatmap_target(queries.SPEED_BUCKETS),
    )
    methods = time_series_panel(
        "Speed by method",
        "Median and 95th percentile of transfer speed. A median under 1 Mb/s fires LowTransferSpeed: if "
        "only relay is slow, check its bandwidth; if both are, the clients' network or the event loop.",
        "Mbits",
        range_target(queries.SPEED_P50, "{{method}} p50"),
        range_target(queries.SPEED_P95, "{{method}} p95"),
        limit=bad_below(thresholds.MIN_TRANSFER_SPEED_P50_MBPS, ok_colour="transparent"),
        no_value=NO_TRAFFIC,
    )
    methods = with_colours(methods, "p2p p50", "p2p p95", "relay p50", "relay p95")
    return Row(8, (12, distribution), (12, with_dashed(methods, "p95")))


def _sizes_row() -> Row:
    duration = time_series_panel(
        "Duration by size category",
        "95th percentile of the duration of successful transfers. Files up to 100 MB above 60 s fire "
        "SlowTransfers; the two largest categories may take longer. If small files are slow, check "
        "connection time and retries before bandwidth.",
        "s",
        exemplar_target(queries.DURATION_P95, "{{size_category}}"),
        limit=bad_above(thresholds.TRANSFER_DURATION_P95_SECONDS, ok_colour="transparent"),
        no_value=NO_TRAFFIC,
    )
    sizes = bar_panel(
        "File size distribution",
        "Files sent over the time range by size. More large files lengthen durations, which is no "
        "fault. If it is empty while transfers finish, peers do not report.",
        "short",
        *(instant_target(queries.file_sizes(over, upto), name) for name, over, upto in _SIZES),
    )
    duration = with_colours(
        with_log_scale(duration), *label_values("transfer_duration_seconds", "size_category")
    )
    return Row(8, (12, duration), (12, sizes))


def _chunks_row() -> Row:
    chunks = time_series_panel(
        "Chunk transfer time p95 and p99",
        "Transfer time of one chunk. p99 far above p95 means packet loss or a congested relay; if both rise, "
        "bandwidth is the limit: see Bandwidth utilisation on the Performance dashboard.",
        "s",
        range_target(queries.CHUNK_P95, "p95"),
        range_target(queries.CHUNK_P99, "p99"),
        no_value=NO_TRAFFIC,
    )
    data = time_series_panel(
        "Bytes transferred",
        "Payload bytes a second, recorded as chunks complete. Zero while transfers are active means that no "
        "data flows: see Queue depth and Retry attempts.",
        "Bps",
        range_target(queries.BYTES_RATE, "{{direction}}"),
    )
    return Row(8, (12, with_colours(chunks, "p95", "p99")), (12, with_colours(data, "sent", "received")))


def _waiting_row() -> Row:
    queue = time_series_panel(
        "Queue depth",
        "Transfers with both peers connected that transfer no data yet, by instance. Above 100 for 5 minutes "
        "TransferQueueBacklog fires: peers cannot connect to each other; see Connection failures.",
        "short",
        range_target(queries.QUEUE_DEPTH, "{{instance}}"),
        limit=bad_above(thresholds.QUEUE_DEPTH, ok_colour="transparent"),
        soft_max=10,
    ).decimals(0)
    retries = time_series_panel(
        "Retry attempts",
        "Second and later attempts a minute, by operation and outcome. Successful retries are normal; failed "
        "ones become failed transfers: investigate the operation that grows.",
        "opm",
        range_target(queries.RETRIES, "{{operation}} {{status}}"),
        soft_max=1,
    )
    series = [
        f"{operation} {status}"
        for operation in label_values("retry_attempts_total", "operation")
        for status in label_values("retry_attempts_total", "status")
    ]
    return Row(
        8, (12, with_positional_colours(queue)), (12, with_dashed(with_colours(retries, *series), "failed"))
    )
