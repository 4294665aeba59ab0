"""Levels, timestamps, and JSON encoding that cannot fail."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import Any, Final

import orjson

DEBUG: Final = 10
INFO: Final = 20
WARNING: Final = 30
ERROR: Final = 40
FATAL: Final = 50

LEVELS: Final = {"debug": DEBUG, "info": INFO, "warning": WARNING, "error": ERROR, "fatal": FATAL}

STANDARD_FIELDS: Final = (
    "timestamp",
    "level",
    "logger",
    "message",
    "service",
    "environment",
    "version",
    "correlation_id",
)
"""The first fields of every line. Context of the same name is written as ``context_NAME``."""

MAX_LINE_BYTES: Final = 64 * 1024
"""A longer line loses its largest context fields and gets the field ``truncated``."""
MAX_DEPTH: Final = 32

MAX_ARGUMENTS: Final = 10
"""Arguments that do not fit their message and are logged beside it."""

_OPTIONS: Final = orjson.OPT_NON_STR_KEYS | orjson.OPT_UTC_Z


def level_name(number: int) -> str:
    """Return the level's name for a number on the standard library's scale."""
    if number >= ERROR:
        return "error" if number < FATAL else "fatal"
    if number >= INFO:
        return "info" if number < WARNING else "warning"
    return "debug"


def as_text(value: Any) -> str:
    """Return ``str(value)``, or the name of its type if that raises."""
    try:
        return str(value)
    except Exception:  # noqa: BLE001 - a __str__ of the host may raise anything
        return f"(unreadable {type(value).__name__})"


_MILLISECONDS: Final = tuple(f"{number:03d}Z" for number in range(1000))


class TimestampFormatter:
    """Formats RFC 3339 timestamps in UTC with milliseconds. The part up to the second is cached."""

    __slots__ = ("_last_second",)

    def __init__(self) -> None:
        self._last_second = (-1, "")

    def format(self, now_ns: int) -> str:
        """Format ``now_ns``, nanoseconds since the Unix epoch."""
        second, rest = divmod(now_ns // 1_000_000, 1000)
        kept, text = self._last_second
        if second != kept:
            text = time.strftime("%Y-%m-%dT%H:%M:%S.", time.gmtime(second))
            self._last_second = (second, text)  # one store, so that other threads see a consistent pair
        return text + _MILLISECONDS[rest]


def encode(record: dict[str, Any]) -> bytes:
    """Encode a scrubbed record as one line of JSON of at most :data:`MAX_LINE_BYTES`."""
    try:
        line = _to_line(record)
    except TypeError:  # large numbers, lone surrogates, cycles, other types
        record = json_compatible(record)
        line = _to_line(record)
    return line if len(line) <= MAX_LINE_BYTES else _truncated(record)


def _truncated(record: dict[str, Any]) -> bytes:
    """Encode the record without its largest context fields."""
    record = json_compatible(record)
    free = [name for name in record if name not in STANDARD_FIELDS]
    sizes = {name: len(orjson.dumps(record[name], None, _OPTIONS)) for name in free}
    record["truncated"] = True
    while sizes:
        largest = max(sizes, key=sizes.__getitem__)
        del sizes[largest]
        record[largest] = f"[{largest} left out: too long]" if len(largest) <= 64 else None
        line = _to_line(record)
        if len(line) <= MAX_LINE_BYTES:
            return line
    kept = {name: value for name, value in record.items() if name in STANDARD_FIELDS}
    return _to_line({**kept, "message": str(kept["message"])[:1024], "truncated": True})


def _to_line(record: dict[str, Any]) -> bytes:
    # The concatenation copies: orjson's own object keeps its write buffer of several KiB, and lines wait in
    # queues.
    return orjson.dumps(record, None, _OPTIONS) + b"\n"


def json_compatible(value: Any, depth: int = 0) -> Any:
    """Return a copy that JSON can encode. A value of another type is replaced by the name of its type."""
    if value is None or isinstance(value, (bool, int, float)):
        return _json_number(value)
    if isinstance(value, str):
        return str.encode(value, "utf-8", "replace").decode()
    if depth >= MAX_DEPTH:
        return "[too deep]"
    if isinstance(value, Mapping):
        return {
            str(json_compatible(key, MAX_DEPTH)): json_compatible(item, depth + 1)
            for key, item in value.items()
        }
    if isinstance(value, (list, tuple, set, frozenset)):
        return [json_compatible(item, depth + 1) for item in value]
    return f"[{type(value).__name__}]"


def _json_number(value: Any) -> Any:
    """A number that all JSON readers understand: finite and within 53 bits. Others become text or null."""
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, int) and abs(value) > 2**53:
        return str(value)[:64] if abs(value) < 10**64 else "[large number]"
    return value
