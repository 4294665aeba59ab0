"""The ids of dashboard panels by dashboard uid and panel title; alerts link to panels by these ids.

An id is part of links in messages that were already sent. It stays when its panel moves, and a removed
panel's id is not used again.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

PANEL_IDS: Final[Mapping[str, Mapping[str, int]]] = MappingProxyType(
    {
        "tallow-overview": {
            "Transfer success rate": 1,
            "Active connections": 2,
            "Connected devices": 3,
            "Average transfer speed": 4,
            "Data transferred, last 24 h": 5,
            "Transfers over time": 6,
            "Connection type distribution": 7,
            "Error rate": 8,
            "Data transferred rate": 9,
            "CPU": 10,
            "Memory": 11,
        },
        "tallow-transfers": {
            "Transfer rate by status": 1,
            "P2P vs relay": 2,
            "Transfer speed distribution": 3,
            "Speed by method": 4,
            "Duration by size category": 5,
            "File size distribution": 6,
            "Chunk transfer time p95 and p99": 7,
            "Bytes transferred": 8,
            "Queue depth": 9,
            "Retry attempts": 10,
        },
        "tallow-errors": {
            "Critical errors, last hour": 1,
            "Error rate change against 1 h ago": 2,
            "Error recovery rate": 3,
            "Error rate by type": 4,
            "Errors by severity": 5,
            "Transfer failures": 6,
            "Connection failures": 7,
            "PQC operation failures": 8,
            "API errors by endpoint": 9,
            "Recent errors": 10,
        },
        "tallow-performance": {
            "HTTP request duration p50, p95, p99": 1,
            "Database operation latency p50, p95, p99": 2,
            "WebRTC connection time p95, p99": 3,
            "PQC operation duration p95 by operation": 4,
            "Encryption time by algorithm": 5,
            "CPU usage": 6,
            "Cache hit rate": 7,
            "Memory: RSS and heap": 8,
            "Event loop lag p95, p99": 9,
            "Garbage collection time": 10,
            "Bandwidth utilisation": 11,
            "Request and response sizes": 12,
        },
        "tallow-logs": {
            "Log lines by level": 1,
            "Log lines": 2,
            "Series by metric": 3,
        },
    }
)


def panel_path(uid: str, title: str) -> str:
    """The path that opens one panel of a dashboard.

    >>> panel_path("tallow-errors", "Transfer failures")
    '/d/tallow-errors?viewPanel=6'

    Raises:
        KeyError: there is no such dashboard, or it has no panel with that title.
    """
    return f"/d/{uid}?viewPanel={PANEL_IDS[uid][title]}"
