"""Send the correlation id and the trace with requests of httpx; see ``trace_headers.py``."""

from __future__ import annotations

from tallow.monitoring.correlation import outgoing_headers
from tallow.monitoring.integrations.trace_headers import instrument_client

__all__ = ["instrument_client", "outgoing_headers"]
