"""What all shippers have in common: the log file, and the fields of a line that Loki stores beside it."""

from __future__ import annotations

from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Final

LOG_FOLDER: Final = PurePosixPath("/var/log/tallow")
"""The folder of Tallow's log in the shipper's container. The file has mode 0600: the shipper runs as the same
user as the server, or as root."""
LOG_FILES: Final = str(LOG_FOLDER / "*.log")
"""A rotated file has another suffix (``tallow.log.1``): a shipper follows it by its open descriptor."""

LOKI: Final = "http://loki:3100"
"""The address of Loki in the Compose file."""
PUSH_PATH: Final = "/loki/api/v1/push"
OTLP_PATH: Final = "/otlp"
READY_PATH: Final = "/ready"

SERVICE: Final = "tallow"
"""The service of lines that name none, for example the traceback of an interpreter that cannot start."""

LABELS: Final = MappingProxyType({"service_name": "service", "environment": "environment"})
"""Index labels of a push, with the field that each is taken from. Each combination of values is a stream."""
METADATA: Final = ("level", "correlation_id", "trace_id", "span_id")
"""Fields that become structured metadata: many values, found by a filter and not by a selector."""
