"""Errors dashboard: their number, types and endpoints."""

from __future__ import annotations

from tallow.stack import thresholds
from tallow.stack.dashboards import queries
from tallow.stack.dashboards.layout import Row
from tallow.stack.dashboards.palette import bad_above, with_colours
from tallow.stack.dashboards.panels import (
    gauge_panel,
    pie_panel,
    stat_panel,
    table_panel,
    time_series_panel,
    with_count_axis,
)
from tallow.stack.dashboards.queries import label_values
from tallow.stack.dashboards.targets import instant_target, range_target, table_target

UID = "tallow-errors"
TITLE = "Tallow / Errors"
NO_ERRORS = "no errors"


def rows() -> list[Row]:
    return [_summary_row(), _types_row(), _failures_row(), _endpoints_row()]


def _summary_row() -> Row:
    critical = stat_panel(
        "Critical errors, last hour",
        "Errors of severity critical over the last hour. Each one fires CriticalErrors: find its type in "
        "Recent errors, then read `tallow logs --level error` around its time.",
        "short",
        instant_target(queries.CRITICAL_ERRORS_1H, "critical"),
        limit=bad_above(thresholds.CRITICAL_ERRORS + 1),
    ).decimals(0)
    change = stat_panel(
        "Error rate change against 1 h ago",
        "Errors a minute over 15 minutes, minus the same an hour earlier: above zero the rate rose. Compare "
        "the start of a rise with deployments and with traffic: more transfers cause more errors.",
        "epm",
        instant_target(queries.ERROR_CHANGE, "change"),
        no_value="less than an hour of data",
    ).decimals(2)
    recovery = gauge_panel(
        "Error recovery rate",
        "Share of errors that a retry or a fallback recovered, over the time range; 100 % without errors. A "
        "fall means that more errors reach users: see Retry attempts on the Transfers dashboard.",
        instant_target(queries.ERROR_RECOVERY, "recovered"),
    )
    return Row(5, (8, critical), (8, change), (8, recovery))


def _types_row() -> Row:
    types = time_series_panel(
        "Error rate by type",
        "Errors a second by type, stacked. When the total stays above the line, HighErrorRate fires. The "
        "widest band is the type to investigate: see its panel below, or the runbook.",
        "eps",
        range_target(queries.ERRORS_BY_TYPE, "{{type}}"),
        limit=bad_above(thresholds.ERROR_RATE_PER_SECOND, ok_colour="transparent"),
        stacked=True,
        soft_max=1.5 * thresholds.ERROR_RATE_PER_SECOND,
    )
    severities = pie_panel(
        "Errors by severity",
        "Errors over the time range by severity; peers report at most high. Networks usually "
        "cause those of severity low; for a critical one see Critical errors.",
        "short",
        instant_target(queries.SEVERITY_SHARES, "{{severity}}"),
        no_value=NO_ERRORS,
    )
    types = with_colours(types, *label_values("errors_total", "type"))
    return Row(8, (16, types), (8, with_colours(severities, "low", "medium", "high", "critical")))


def _failures_row() -> Row:
    transfers = time_series_panel(
        "Transfer failures",
        "Share of transfers that failed, cancelled ones left out (line), and failures a minute (bars). Above "
        "10 % HighTransferFailureRate fires. If connections fail as well, investigate those first.",
        "percentunit",
        range_target(queries.TRANSFER_FAILURE, "failed share"),
        range_target(queries.TRANSFERS_FAILED, "failed a minute"),
        limit=bad_above(thresholds.TRANSFER_FAILURE_RATIO, ok_colour="transparent"),
        soft_max=1.5 * thresholds.TRANSFER_FAILURE_RATIO,
    )
    connections = time_series_panel(
        "Connection failures",
        "Share of WebRTC attempts that failed (line), and failures a minute (bars). Above 20 % "
        "HighConnectionFailureRate fires: check STUN and TURN, then recent changes in the network.",
        "percentunit",
        range_target(queries.CONNECTION_FAILURE, "failed share"),
        range_target(queries.CONNECTIONS_FAILED, "failed a minute"),
        limit=bad_above(thresholds.CONNECTION_FAILURE_RATIO, ok_colour="transparent"),
        soft_max=1.5 * thresholds.CONNECTION_FAILURE_RATIO,
    )
    cryptography = time_series_panel(
        "PQC operation failures",
        "Shares of failed ML-KEM operations and of key exchanges whose confirmation failed (lines), and "
        "failed operations a minute (bars). Above 5 % HighPQCFailureRate fires: versions do not match, or "
        "somebody tampers with the exchange. Escalate to security.",
        "percentunit",
        range_target(queries.PQC_FAILURE, "failed share"),
        range_target(queries.KEY_EXCHANGE_FAILURE, "failed key exchanges"),
        range_target(queries.PQC_FAILED, "failed a minute"),
        limit=bad_above(thresholds.PQC_FAILURE_RATIO, ok_colour="transparent"),
        soft_max=1.5 * thresholds.PQC_FAILURE_RATIO,
    )
    with_colours(cryptography, "failed key exchanges")
    panels = [with_colours(panel, "failed share") for panel in (transfers, connections, cryptography)]
    first, second, third = (with_count_axis(panel, "failed a minute", "light-red") for panel in panels)
    return Row(8, (8, first), (8, second), (8, third))


def _endpoints_row() -> Row:
    endpoints = table_panel(
        "API errors by endpoint",
        "Responses of 400 and above over the time range. Many 401 in 5 minutes fire UnauthorizedAPIAccess: "
        "a client guesses tokens. 429 is the rate limit; 5xx is an error of the server: read its logs.",
        "short",
        table_target(queries.API_ERRORS),
        {"endpoint": "Endpoint", "status_code": "Status", "Value": "Responses"},
        no_value=NO_ERRORS,
    )
    recent = table_panel(
        "Recent errors",
        "Error counters that rose in the last 15 minutes. Their log lines: `tallow logs --level error`, or "
        "the Logs dashboard where Loki runs.",
        "short",
        table_target(queries.RECENT_ERRORS),
        {"severity": "Severity", "type": "Type", "Value": "Errors"},
        no_value="no errors in the last 15 minutes",
    )
    return Row(8, (12, endpoints), (12, recent))
