"""The thresholds of the alert contract, shared by rules and panels.

Ratios are fractions of one, durations seconds, sizes bytes (decimal), speeds 10^6 bits a second and rates
events a second. A rule fires above its threshold, or below it where the name contains ``MIN``.
"""

from __future__ import annotations

from typing import Final

# Availability
ERROR_RATE_PER_SECOND: Final = 0.1
SERVER_ERROR_RATIO: Final = 0.05
"""Share of requests answered 5xx, without metrics and health routes."""
CRITICAL_ERRORS: Final = 0
"""Errors of severity critical over 5 minutes."""

# Performance
RESIDENT_MEMORY_BYTES: Final = 1.5e9
CPU_RATIO_PER_WORKER: Final = 0.8
"""Share of one core each server worker uses."""
TRANSFER_DURATION_P95_SECONDS: Final = 60
"""Successful transfers up to 100 MB."""
PQC_DURATION_P95_SECONDS: Final = 5
CONNECTION_TIME_P95_SECONDS: Final = 10

# Transfers
TRANSFER_FAILURE_RATIO: Final = 0.10
"""failed / (success + failed): cancelled transfers are not counted."""
QUEUE_DEPTH: Final = 100
MIN_TRANSFER_SPEED_P50_MBPS: Final = 1

# Connections
CONNECTION_FAILURE_RATIO: Final = 0.20
RELAY_RATIO: Final = 0.50
"""Share of finished transfers that used a relay."""

# Security
PQC_FAILURE_RATIO: Final = 0.05
"""Failed operations, and failed key exchanges."""
UNAUTHORIZED_RESPONSES: Final = 10
"""401 responses over 5 minutes."""

# Database and cache
DB_DURATION_P95_SECONDS: Final = 1
MIN_CACHE_HIT_RATIO: Final = 0.50

OBSERVER_ROUTES: Final = "/(api/)?metrics|/api/health.*"
"""Regular expression of the routes that only monitoring calls; their requests are not those of users."""
