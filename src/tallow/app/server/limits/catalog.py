"""The limits of the server, by the value of the label ``limit`` of ``limit_rejections_total``."""

from __future__ import annotations

from typing import Final

LIMITS: Final = (
    "rooms_per_minute",
    "rooms_per_address",
    "room_share",
    "max_rooms",
    "joins_per_minute",
    "reports_per_minute",
    "sockets_per_address",
    "join_timeout",
    "connections_per_address",
    "max_connections",
    "reserved_descriptors",
    "max_header_bytes",
    "header_timeout",
    "body_timeout",
    "write_timeout",
)
"""Names of limits, which are those of their settings."""
