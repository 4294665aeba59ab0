"""Overview dashboard: availability, transfers and the load of the server."""

from __future__ import annotations

from tallow.stack import thresholds
from tallow.stack.dashboards import queries
from tallow.stack.dashboards.layout import Row
from tallow.stack.dashboards.palette import bad_above, bad_below, with_colours, with_positional_colours
from tallow.stack.dashboards.panels import NO_TRAFFIC, pie_panel, stat_panel, time_series_panel
from tallow.stack.dashboards.targets import instant_target, range_target

UID = "tallow-overview"
TITLE = "Tallow / Overview"


def rows() -> list[Row]:
    return [_summary_row(), _transfers_row(), _rates_row(), _server_row()]


def _summary_row() -> Row:
    success = stat_panel(
        "Transfer success rate",
        "Share of successful transfers among those that succeeded or failed, over the time range; 100 % "
        "without transfers. Under 90 %, HighTransferFailureRate fires: see on the Errors dashboard which "
        "method fails, and whether connections or the cryptography fail as well.",
        "percentunit",
        instant_target(queries.TRANSFER_SUCCESS, "success"),
        limit=bad_below(1 - thresholds.TRANSFER_FAILURE_RATIO),
    ).decimals(1)
    connections = stat_panel(
        "Active connections",
        "Open data channels, signaling sockets and relay pairs together. If it is 0 for half an hour during "
        "the day, check that clients reach the signaling address: proxy, certificate, DNS.",
        "short",
        instant_target(queries.ACTIVE_CONNECTIONS, "connections"),
    ).decimals(0)
    devices = stat_panel(
        "Connected devices",
        "Active users: devices connected to signaling. A sudden drop while the service is up means a "
        "network or proxy problem in front of it, or a restart: compare with Active connections.",
        "short",
        instant_target(queries.CONNECTED_DEVICES, "devices"),
    ).decimals(0)
    speed = stat_panel(
        "Average transfer speed",
        "Mean speed of successful transfers over the time range. LowTransferSpeed fires when the median is "
        "under 1 Mb/s: see Speed by method on the Transfers dashboard, and the share of relay.",
        "Mbits",
        instant_target(queries.SPEED_MEAN, "speed"),
        limit=bad_below(thresholds.MIN_TRANSFER_SPEED_P50_MBPS),
        no_value=NO_TRAFFIC,
    ).decimals(1)
    volume = stat_panel(
        "Data transferred, last 24 h",
        "Payload bytes that receivers reported over 24 hours, whatever the time range. If it differs much "
        "from other days while transfers succeed, peers do not report: check for rejected client reports.",
        "decbytes",
        instant_target(queries.BYTES_RECEIVED_24H, "received"),
    ).decimals(1)
    return Row(4, (4, success), (5, connections), (5, devices), (5, speed), (5, volume))


def _transfers_row() -> Row:
    transfers = time_series_panel(
        "Transfers over time",
        "Finished transfers a minute by outcome. If failed grows, see the Errors dashboard. No "
        "transfers despite active connections: they are stuck; see Queue depth on the Transfers dashboard.",
        "opm",
        range_target(queries.TRANSFERS_BY_STATUS, "{{status}}"),
        stacked=True,
        soft_max=1,
    )
    paths = pie_panel(
        "Connection type distribution",
        "Connections over the time range: direct, through a TURN relay, or through Tallow's own. A growing "
        "share of relays costs bandwidth and speed: check that STUN answers and UDP is not blocked.",
        "short",
        instant_target(queries.CONNECTIONS_BY_TYPE, "{{type}}"),
        instant_target(queries.CONNECTIONS_BY_SERVER_RELAY, "via server"),
    )
    return Row(
        8,
        (16, with_colours(transfers, "success", "failed", "cancelled")),
        (8, with_colours(paths, "direct", "relay", "via server")),
    )


def _rates_row() -> Row:
    errors = time_series_panel(
        "Error rate",
        "Errors a second by severity, stacked; recovered ones included. When the sum stays above the "
        "line, HighErrorRate fires; critical ones fire CriticalErrors. See types on the Errors dashboard.",
        "eps",
        range_target(queries.ERRORS_BY_SEVERITY, "{{severity}}"),
        limit=bad_above(thresholds.ERROR_RATE_PER_SECOND, ok_colour="transparent"),
        stacked=True,
        soft_max=1.5 * thresholds.ERROR_RATE_PER_SECOND,
    )
    data = time_series_panel(
        "Data transferred rate",
        "Payload bytes a second that senders and receivers report. The two should be equal: sent "
        "without received means that receivers lose data or do not report.",
        "Bps",
        range_target(queries.BYTES_RATE, "{{direction}}"),
    )
    return Row(
        8,
        (12, with_colours(errors, "low", "medium", "high", "critical")),
        (12, with_colours(data, "sent", "received")),
    )


def _server_row() -> Row:
    cpu = time_series_panel(
        "CPU",
        "Share of one core each server worker uses, by instance. Above 80 % for 5 minutes HighCPUUsage "
        "fires: compare with transfers and relay traffic; add workers if load is the cause, profile if not.",
        "percentunit",
        range_target(queries.CPU, "{{instance}}"),
        limit=bad_above(thresholds.CPU_RATIO_PER_WORKER, ok_colour="transparent"),
        soft_max=1,
    )
    memory = time_series_panel(
        "Memory",
        "Resident memory by instance. Above 1.5 GB HighMemoryUsage fires. A steady rise without more "
        "connections is a leak: compare with the heap on the Performance dashboard, and plan a restart.",
        "decbytes",
        range_target(queries.RESIDENT, "{{instance}}"),
        limit=bad_above(thresholds.RESIDENT_MEMORY_BYTES, ok_colour="transparent"),
    )
    return Row(8, (12, with_positional_colours(cpu)), (12, with_positional_colours(memory)))
