"""The numbers of the alert contract: the one place rules and panels take them from.

Ratios are fractions of one, durations seconds, sizes bytes (decimal), speeds 10^6 bits a second, rates
events a second. A value means "fires beyond": above it, except where the name says ``MIN``.
"""

from __future__ import annotations

from typing import Final

# Availability
ERROR_RATE_PER_SECOND: Final = 0.1
SERVER_ERROR_RATIO: Final = 0.05
"""Share of requests answered 5xx; metrics and health routes are not counted."""
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
"""failed / (success + failed): a cancelled transfer is nobody's fault."""
QUEUE_DEPTH: Final = 100
MIN_TRANSFER_SPEED_P50_MBPS: Final = 1

# Connections
CONNECTION_FAILURE_RATIO: Final = 0.20
RELAY_RATIO: Final = 0.50
"""Share of finished transfers whose method was relay."""

# Security
PQC_FAILURE_RATIO: Final = 0.05
"""Failed operations, and failed key exchanges."""
UNAUTHORIZED_ANSWERS: Final = 10
"""Answers 401 over 5 minutes."""

# Database and cache
DB_DURATION_P95_SECONDS: Final = 1
MIN_CACHE_HIT_RATIO: Final = 0.50

OBSERVER_ROUTES: Final = "/(api/)?metrics|/api/health.*"
"""Regular expression of the routes monitoring itself calls: they say nothing about what users meet."""
