"""Overview: is it working, are transfers getting through, is the server coping?"""

from __future__ import annotations

from tallow.stack import thresholds
from tallow.stack.dashboards import queries
from tallow.stack.dashboards.layout import Row
from tallow.stack.dashboards.palette import above, below, by_position, coloured
from tallow.stack.dashboards.panels import NO_TRAFFIC, lines, number, pie
from tallow.stack.dashboards.targets import now, over_time

UID = "tallow-overview"
TITLE = "Tallow / Overview"


def rows() -> list[Row]:
    return [_vital_signs(), _transfers(), _flow(), _server()]


def _vital_signs() -> Row:
    success = number(
        "Transfer success rate",
        "Successful transfers among those that succeeded or failed, over the time range; cancelled ones do "
        "not count, and with no transfers it is 100 %. Under 90 %, HighTransferFailureRate fires: see which "
        "method fails on the Errors dashboard, then whether connections or the cryptography fail beside it.",
        "percentunit",
        now(queries.TRANSFER_SUCCESS, "success"),
        limit=below(1 - thresholds.TRANSFER_FAILURE_RATIO),
    ).decimals(1)
    connections = number(
        "Active connections",
        "Open data channels, signaling sockets and relay pairs together. At 0 for half an hour in a busy "
        "hour, check that clients reach the signaling address: proxy, certificate, DNS.",
        "short",
        now(queries.ACTIVE_CONNECTIONS, "connections"),
    ).decimals(0)
    devices = number(
        "Connected devices",
        "Active users: devices on signaling at this moment. A sudden drop with the service up means a "
        "network or proxy problem in front of it, or a restart: compare with Active connections.",
        "short",
        now(queries.CONNECTED_DEVICES, "devices"),
    ).decimals(0)
    speed = number(
        "Average transfer speed",
        "Mean speed of successful transfers over the time range. LowTransferSpeed fires when the median is "
        "under 1 Mb/s: look at Speed by method on the Transfers dashboard, and at the share of relay.",
        "Mbits",
        now(queries.SPEED_MEAN, "speed"),
        limit=below(thresholds.MIN_TRANSFER_SPEED_P50_MBPS),
        idle=NO_TRAFFIC,
    ).decimals(1)
    volume = number(
        "Data transferred, last 24 h",
        "Payload bytes that receivers reported over 24 hours, whatever the time range. Far off the usual "
        "day with transfers succeeding: peers do not report; look for rejected client reports.",
        "decbytes",
        now(queries.BYTES_RECEIVED_24H, "received"),
    ).decimals(1)
    return Row(4, (4, success), (5, connections), (5, devices), (5, speed), (5, volume))


def _transfers() -> Row:
    transfers = lines(
        "Transfers over time",
        "Finished transfers a minute by outcome. Red growing: open the Errors dashboard. All flat while "
        "Active connections is not: transfers are stuck; see Queue depth on the Transfers dashboard.",
        "opm",
        over_time(queries.TRANSFERS_BY_STATUS, "{{status}}"),
        stacked=True,
        reach=1,
    )
    paths = pie(
        "Connection type distribution",
        "Established WebRTC connections over the time range: direct, or through a TURN relay. A growing "
        "relay share costs bandwidth and speed: check that STUN answers and UDP is not blocked.",
        "short",
        now(queries.CONNECTIONS_BY_TYPE, "{{type}}"),
    )
    return Row(
        8,
        (16, coloured(transfers, "success", "failed", "cancelled")),
        (8, coloured(paths, "direct", "relay")),
    )


def _flow() -> Row:
    errors = lines(
        "Error rate",
        "Errors a second by severity, stacked; recovered ones included. When the stack stays above the "
        "line, HighErrorRate fires; any critical one pages at once. Which type: Errors dashboard.",
        "eps",
        over_time(queries.ERRORS_BY_SEVERITY, "{{severity}}"),
        limit=above(thresholds.ERROR_RATE_PER_SECOND, fine="transparent"),
        stacked=True,
        reach=1.5 * thresholds.ERROR_RATE_PER_SECOND,
    )
    data = lines(
        "Data transferred rate",
        "Payload bytes a second that senders and receivers report. The two should lie together: sent "
        "without received means receivers lose data or do not report.",
        "Bps",
        over_time(queries.BYTES_RATE, "{{direction}}"),
    )
    return Row(
        8,
        (12, coloured(errors, "low", "medium", "high", "critical")),
        (12, coloured(data, "sent", "received")),
    )


def _server() -> Row:
    cpu = lines(
        "CPU",
        "Share of one core each server worker uses, by instance. Above 80 % for 5 minutes HighCPUUsage "
        "fires: compare with transfers and relay traffic; add workers if it is load, profile if not.",
        "percentunit",
        over_time(queries.CPU, "{{instance}}"),
        limit=above(thresholds.CPU_RATIO_PER_WORKER, fine="transparent"),
        reach=1,
    )
    memory = lines(
        "Memory",
        "Resident memory by instance. Above 1.5 GB HighMemoryUsage fires. A steady climb without more "
        "connections is a leak: compare with the heap on the Performance dashboard and restart in time.",
        "decbytes",
        over_time(queries.RESIDENT, "{{instance}}"),
        limit=above(thresholds.RESIDENT_MEMORY_BYTES, fine="transparent"),
    )
    return Row(8, (12, by_position(cpu)), (12, by_position(memory)))
