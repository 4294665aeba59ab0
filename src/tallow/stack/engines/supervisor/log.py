"""The supervisor's log: one JSON object per line, which `tallow logs supervisor` reads."""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any, Literal

Level = Literal["info", "warning", "error", "fatal"]


def log_line(level: Level, message: str, **fields: Any) -> str:
    """A log line with its line break: UTC time, level, message, and the fields that are not None."""
    now = time.time()
    timestamp = f"{time.strftime('%FT%T', time.gmtime(now))}.{int(now % 1 * 1000):03}Z"
    record = {"timestamp": timestamp, "level": level, "message": message}
    record |= {name: value for name, value in fields.items() if value is not None}
    return json.dumps(record, ensure_ascii=False, default=str) + "\n"


def log(level: Level, message: str, **fields: Any) -> None:
    """Write a line to standard error, which is the supervisor's log file.

    The line is written with one system call, so that lines of several processes do not mix. A full disk loses
    the line: the services must keep running.
    """
    try:
        os.write(sys.stderr.fileno(), log_line(level, message, **fields).encode())
    except (OSError, ValueError):
        return
