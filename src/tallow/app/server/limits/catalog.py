"""The limits of the server as data: what each bounds, what it answers, and where it is counted.

``docs/limits.md`` is generated from here, and the names are the values of the label ``limit`` of
``limit_rejections_total``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tallow.app.wire import (
    MAX_REPORT_BYTES,
    MAX_SIGNALING_BYTES,
    SIGNALING_BURST,
    SIGNALING_MESSAGES_PER_SECOND,
)

_TOO_OFTEN: Final = "429 `rate_limited` with Retry-After"
_LEFT_OUT: Final = (
    'left out of the metrics; counted in `tallow_telemetry_dropped_total{reason="rate_limited"}`'
)
_CLOSED: Final = "the connection is closed"


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit that refuses something.

    Attributes:
        name: of the setting; of a fixed limit, a name of its own. It is the value of the label ``limit``.
        bounds: what is limited, and for whom.
        response: what the client sees.
        fixed: the value, if there is no setting.
    """

    name: str
    bounds: str
    response: str
    fixed: str | None = None


@dataclass(frozen=True, slots=True)
class Bound:
    """A setting that bounds a time or a rate without refusing anything.

    Attributes:
        name: of the setting.
        effect: what happens beyond it.
        metric: that shows it.
    """

    name: str
    effect: str
    metric: str


LIMITS_IN_DETAIL: Final = (
    Limit(
        "rooms_per_minute",
        "New rooms of one address, and four times as many of an IPv4 /24 or IPv6 /48, sixteen times of an "
        "IPv6 /40; as many at once",
        _TOO_OFTEN,
    ),
    Limit("rooms_per_address", "Rooms that one address holds", _TOO_OFTEN),
    Limit(
        "room_share",
        "Rooms that a network holds, as a share of the places that are free: an address this share, its IPv4 "
        "/24 or IPv6 /48 twice, its IPv6 /40 four times as much",
        _TOO_OFTEN,
    ),
    Limit("max_rooms", "Rooms that all clients hold", "503 `rate_limited` with Retry-After"),
    Limit(
        "joins_per_minute",
        "Joins of one address; wider networks as for new rooms",
        "WebSocket error `rate_limited`, close code 4005",
    ),
    Limit(
        "reports_per_minute", "Telemetry reports of one address; wider networks as for new rooms", _TOO_OFTEN
    ),
    Limit(
        "failures_per_address",
        "Failures, or observations that an alert takes for slow, of each metric in any ten minutes from one "
        "IPv4 address or IPv6 /48",
        _LEFT_OUT,
    ),
    Limit(
        "errors_per_address",
        "Reported errors in any ten minutes from one IPv4 address or IPv6 /48",
        _LEFT_OUT,
    ),
    Limit(
        "relayed_per_address",
        "Relayed transfers in any ten minutes from one IPv4 address or IPv6 /48",
        _LEFT_OUT,
    ),
    Limit("sockets_per_address", "WebSockets of one address", "the handshake is answered 403"),
    Limit(
        "connections_per_address",
        "Connections of one address, without WebSockets",
        "503 with Retry-After, " + _CLOSED,
    ),
    Limit(
        "connections_per_minute",
        "New connections of one address, WebSockets included; wider networks as for new rooms. Not those of "
        "trusted proxies and of this machine",
        _CLOSED + " at once",
    ),
    Limit(
        "requests_per_minute",
        "Requests of one address, and as many of health and metrics; wider networks as for new rooms. Not "
        "those of this machine",
        _TOO_OFTEN + "; the connection is closed unless it is a trusted proxy's",
    ),
    Limit(
        "max_connections",
        "Connections of one process; places for the operator's probes are kept",
        "503 with Retry-After, " + _CLOSED,
    ),
    Limit(
        "reserved_descriptors",
        "File descriptors that connections may not use",
        "503 with Retry-After, " + _CLOSED,
    ),
    Limit("max_header_bytes", "Bytes of a request's line and header", "431, " + _CLOSED),
    Limit("header_timeout", "Time of a TLS handshake and a request's header", "408, " + _CLOSED),
    Limit("body_timeout", "Time of a request's body", "408, " + _CLOSED),
    Limit("write_timeout", "Time for which a client may not read a response", _CLOSED),
    Limit(
        "join_timeout",
        "Time of the first message of a WebSocket",
        "WebSocket error `timeout`, close code 4009",
    ),
    Limit(
        "request_bytes",
        "Bytes of a request's body: a room request, a telemetry report",
        "413 `too_large`, " + _CLOSED,
        f"1024, {MAX_REPORT_BYTES}",
    ),
    Limit(
        "signaling_message_bytes",
        "Bytes of a signaling message",
        "WebSocket error `too_large`, close code 4004",
        str(MAX_SIGNALING_BYTES),
    ),
    Limit(
        "signaling_messages_per_second",
        f"Signaling messages of one WebSocket; {SIGNALING_BURST} at once",
        "WebSocket error `rate_limited`, close code 4005",
        str(SIGNALING_MESSAGES_PER_SECOND),
    ),
)
"""Everything that a limit refuses counts in ``limit_rejections_total``."""

BOUNDS: Final = (
    Bound(
        "room_lifetime",
        "the room ends with the WebSocket error `expired`",
        '`tallow_signaling_messages_total{type="error"}`',
    ),
    Bound(
        "queued_per_address",
        "further waiting rooms of the IPv4 address or IPv6 /48 are not in the queue's depth",
        "`tallow_transfer_queue_depth`",
    ),
    Bound(
        "max_queued_seconds",
        "the room is no longer in the queue's depth; if one follows another, none of the client's is after "
        "one and a half times as long, for three times as long",
        "`tallow_transfer_queue_depth`",
    ),
    Bound("relay_bandwidth", "the relay reads more slowly", "`tallow_bandwidth_utilization_mbps`"),
    Bound("keep_alive_timeout", "the idle connection is closed", "`tallow_process_open_fds`"),
    Bound("ping_interval", "the peer is sent a ping", '`tallow_active_connections{type="websocket"}`'),
    Bound("ping_timeout", "the WebSocket is closed", '`tallow_active_connections{type="websocket"}`'),
    Bound(
        "stall_timeout",
        "both sides of the relay are closed with code 4009",
        '`tallow_active_connections{type="relay"}`',
    ),
    Bound(
        "confirmation_limit",
        "the waiting room counts as queued although a person is asked",
        "`tallow_transfer_queue_depth`",
    ),
    Bound(
        "outcome_report_timeout",
        "the outcome is recorded as the sender left with it",
        "`tallow_transfers_total`",
    ),
    Bound(
        "sender_reconnect_grace",
        "the transfer of the vanished sender is recorded as failed",
        '`tallow_transfers_total{status="failed"}`',
    ),
)
"""Bounds on times and rates. They slow down or end something, and refuse nothing."""

LIMITS: Final = tuple(limit.name for limit in LIMITS_IN_DETAIL)
"""The values of the label ``limit``."""
