"""Lines of Tallow's log file for tests of shippers."""

from __future__ import annotations

import orjson

from support.loki_endpoint import LokiEndpoint
from support.loki_entries import with_variables
from support.stack import wait_until
from tallow.stack.dashboards import logs

ID, TRACE, SPAN = "5f" * 16, "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
MOMENT = "2026-11-29T10:20:30.456Z"
ALL_LEVELS = ".*"


def line(level: str, message: str, *, timestamp: str = MOMENT, **fields: str) -> bytes:
    fixed = {"timestamp": timestamp, "service": "tallow", "environment": "test", "logger": "tallow"}
    return orjson.dumps({**fixed, "level": level, "message": message, **fields}) + b"\n"


ERROR = line("error", "Transfer failed", correlation_id=ID, trace_id=TRACE, span_id=SPAN)
INFO = line("info", "Ready", details="x" * 30_000)
FATAL = line("fatal", "Cannot start")
TRACEBACK = b"Traceback (most recent call last):\n"
WRITTEN = [ERROR, INFO, FATAL, TRACEBACK]


def arrived(loki: LokiEndpoint, *lines: bytes) -> None:
    """Wait until lines are in the stand-in for Loki."""
    wanted = {text.decode().rstrip() for text in lines}
    wait_until(lambda: wanted <= {entry.line for entry in loki.entries}, "the lines arrive")


def query(level: str = ALL_LEVELS, correlation_id: str = "") -> str:
    """The query of the logs dashboard with values of its variables."""
    return with_variables(logs.LINES, level=level, correlation_id=correlation_id)
