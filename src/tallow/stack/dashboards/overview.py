"""Overview: is it working, are transfers getting through, is the server coping?"""

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
    return [_vital_signs(), _transfers(), _flow(), _server()]


def _vital_signs() -> Row:
    success = stat_panel(
        "Transfer success rate",
        "Successful transfers among those that succeeded or failed, over the time range; cancelled ones do "
        "not count, and with no transfers it is 100 %. Under 90 %, HighTransferFailureRate fires: see which "
        "method fails on the Errors dashboard, then whether connections or the cryptography fail beside it.",
        "percentunit",
        instant_target(queries.TRANSFER_SUCCESS, "success"),
        limit=bad_below(1 - thresholds.TRANSFER_FAILURE_RATIO),
    ).decimals(1)
    connections = stat_panel(
        "Active connections",
        "Open data channels, signaling sockets and relay pairs together. At 0 for half an hour in a busy "
        "hour, check that clients reach the signaling address: proxy, certificate, DNS.",
        "short",
        instant_target(queries.ACTIVE_CONNECTIONS, "connections"),
    ).decimals(0)
    devices = stat_panel(
        "Connected devices",
        "Active users: devices on signaling at this moment. A sudden drop with the service up means a "
        "network or proxy problem in front of it, or a restart: compare with Active connections.",
        "short",
        instant_target(queries.CONNECTED_DEVICES, "devices"),
    ).decimals(0)
    speed = stat_panel(
        "Average transfer speed",
        "Mean speed of successful transfers over the time range. LowTransferSpeed fires when the median is "
        "under 1 Mb/s: look at Speed by method on the Transfers dashboard, and at the share of relay.",
        "Mbits",
        instant_target(queries.SPEED_MEAN, "speed"),
        limit=bad_below(thresholds.MIN_TRANSFER_SPEED_P50_MBPS),
        no_value=NO_TRAFFIC,
    ).decimals(1)
    volume = stat_panel(
        "Data transferred, last 24 h",
        "Payload bytes that receivers reported over 24 hours, whatever the time range. Far off the usual "
        "day with transfers succeeding: peers do not report; look for rejected client reports.",
        "decbytes",
        instant_target(queries.BYTES_RECEIVED_24H, "received"),
    ).decimals(1)
    return Row(4, (4, success), (5, connections), (5, devices), (5, speed), (5, volume))


def _transfers() -> Row:
    transfers = time_series_panel(
        "Transfers over time",
        "Finished transfers a minute by outcome. Red growing: open the Errors dashboard. All flat while "
        "Active connections is not: transfers are stuck; see Queue depth on the Transfers dashboard.",
        "opm",
        range_target(queries.TRANSFERS_BY_STATUS, "{{status}}"),
        stacked=True,
        soft_max=1,
    )
    paths = pie_panel(
        "Connection type distribution",
        "Established WebRTC connections over the time range: direct, or through a TURN relay. A growing "
        "relay share costs bandwidth and speed: check that STUN answers and UDP is not blocked.",
        "short",
        instant_target(queries.CONNECTIONS_BY_TYPE, "{{type}}"),
    )
    return Row(
        8,
        (16, with_colours(transfers, "success", "failed", "cancelled")),
        (8, with_colours(paths, "direct", "relay")),
    )


def _flow() -> Row:
    errors = time_series_panel(
        "Error rate",
        "Errors a second by severity, stacked; recovered ones included. When the stack stays above the "
        "line, HighErrorRate fires; any critical one pages at once. Which type: Errors dashboard.",
        "eps",
        range_target(queries.ERRORS_BY_SEVERITY, "{{severity}}"),
        limit=bad_above(thresholds.ERROR_RATE_PER_SECOND, ok_colour="transparent"),
        stacked=True,
        soft_max=1.5 * thresholds.ERROR_RATE_PER_SECOND,
    )
    data = time_series_panel(
        "Data transferred rate",
        "Payload bytes a second that senders and receivers report. The two should lie together: sent "
        "without received means receivers lose data or do not report.",
        "Bps",
        range_target(queries.BYTES_RATE, "{{direction}}"),
    )
    return Row(
        8,
        (12, with_colours(errors, "low", "medium", "high", "critical")),
        (12, with_colours(data, "sent", "received")),
    )


def _server() -> Row:
    cpu = time_series_panel(
        "CPU",
        "Share of one core each server worker uses, by instance. Above 80 % for 5 minutes HighCPUUsage "
        "fires: compare with transfers and relay traffic; add workers if it is load, profile if not.",
        "percentunit",
        range_target(queries.CPU, "{{instance}}"),
        limit=bad_above(thresholds.CPU_RATIO_PER_WORKER, ok_colour="transparent"),
        soft_max=1,
    )
    memory = time_series_panel(
        "Memory",
        "Resident memory by instance. Above 1.5 GB HighMemoryUsage fires. A steady climb without more "
        "connections is a leak: compare with the heap on the Performance dashboard and restart in time.",
        "decbytes",
        range_target(queries.RESIDENT, "{{instance}}"),
        limit=bad_above(thresholds.RESIDENT_MEMORY_BYTES, ok_colour="transparent"),
    )
    return Row(8, (12, with_positional_colours(cpu)), (12, with_positional_colours(memory)))
