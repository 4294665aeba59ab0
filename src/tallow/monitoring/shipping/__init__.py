"""Send scrubbed log lines to a remote endpoint: Loki's push API, or JSON lines over plain HTTP.

A background thread sends batches, each at least once. While the endpoint fails, batches wait in memory and,
with ``LOG_SPOOL_DIR``, on disk. Dropped lines are counted.
"""

from __future__ import annotations

from tallow.monitoring.shipping.shipper import Shipper

__all__ = ["Shipper"]
