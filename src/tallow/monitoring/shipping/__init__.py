"""Scrubbed log lines to a remote endpoint: Loki's push API, or JSON lines over plain HTTP.

In batches, from a thread of its own, at least once. While the endpoint is down, batches wait in memory and,
if there is a folder for them, on disk; what has to be given up is counted, never silent.
"""

from __future__ import annotations

from tallow.monitoring.shipping.shipper import Shipper

__all__ = ["Shipper"]
