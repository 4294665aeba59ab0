"""The supervisor's log: one JSON object a line, which `tallow logs supervisor` reads."""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any, Literal

Level = Literal["info", "warning", "error"]


def line(level: Level, message: str, **facts: Any) -> str:
    """A log line with its line break: time in UTC, level, message, and further facts that are not None."""
    now = time.time()
    stamp = f"{time.strftime('%FT%T', time.gmtime(now))}.{int(now % 1 * 1000):03}Z"
    said = {"timestamp": stamp, "level": level, "message": message}
    said |= {name: value for name, value in facts.items() if value is not None}
    return json.dumps(said, ensure_ascii=False, default=str) + "\n"


def log(level: Level, message: str, **facts: Any) -> None:
    """Write a line to standard error, which is the supervisor's log file.

    It goes to the descriptor in one call, so that lines stay whole. A full disk loses the line: keeping the
    services running matters more.
    """
    try:
        os.write(sys.stderr.fileno(), line(level, message, **facts).encode())
    except (OSError, ValueError):
        return
