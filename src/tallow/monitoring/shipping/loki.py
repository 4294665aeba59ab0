"""Loki's push API: the body of a request, and how many lines a rejection concerns.

Source: Grafana Loki's HTTP API, ``POST /loki/api/v1/push``, and "Enforce rate limits and push request
validation".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import orjson

PUSH_PATH: Final = "/loki/api/v1/push"

_LABELS: Final = {"service": "service_name", "environment": "environment"}
"""Fields of a line that become labels: few values, because each combination is a stream."""
_METADATA: Final = ("level", "correlation_id", "trace_id", "span_id")
"""Fields of a line that become structured metadata."""
_UNKNOWN_SERVICE: Final = {"service_name": "unknown_service"}

_IGNORED: Final = re.compile(r"total ignored: (\d{1,9}) out of \d+")
_IGNORED_ONE: Final = re.compile(r"entry with timestamp [^']{1,100} ignored, reason: ")
_INVALID_ONE: Final = re.compile(
    r"(?:(\d{1,9}) errors? like: )?"
    r"(?:Max entry size '\d+' bytes exceeded|"
    r"entry for stream '[^']{0,2000}' has timestamp too|"
    r"stream '[^']{0,2000}' has (?:structured metadata too large|too many structured metadata labels))"
)
"""An error that concerns one line. Loki summarises equal errors with their number."""


def push_body(lines: Sequence[bytes], first_number: int) -> bytes:
    """Return the body of a push, not compressed.

    Args:
        lines: JSON lines with ``timestamp``.
        first_number: the first line's number, which is added to its time in nanoseconds.

    Raises:
        ValueError, KeyError, TypeError, AttributeError: a line is not an object with a valid time.
    """
    streams: dict[tuple[tuple[str, str], ...], list[list[Any]]] = {}
    for number, line in enumerate(lines, first_number):
        record = orjson.loads(line)
        labels = {label: record[field] for field, label in _LABELS.items() if _is_text(record.get(field))}
        entry: list[Any] = [str(to_nanoseconds(record["timestamp"]) + number), line.rstrip(b"\n").decode()]
        metadata = {field: record[field] for field in _METADATA if _is_text(record.get(field))}
        streams.setdefault(tuple((labels or _UNKNOWN_SERVICE).items()), []).append([*entry, metadata])
    pushed = [{"stream": dict(labels), "values": values} for labels, values in streams.items()]
    return orjson.dumps({"streams": pushed})


def to_nanoseconds(stamp: str) -> int:
    """Convert an RFC 3339 time to nanoseconds since the Unix epoch, rounded to milliseconds."""
    return round(datetime.fromisoformat(stamp).timestamp() * 1000) * 1_000_000


def rejected_line_count(text: str, total: int) -> int:
    """Return how many lines of a push were not stored, from the text of the response 400.

    Loki stores the valid lines of a push and answers 400 for the others. Errors of the ingester end with
    ``total ignored: N out of M``; the distributor's name one line each. Every other text, such as an error in
    a label, concerns all lines.

    Args:
        text: the body of the response.
        total: the lines of the push.

    Example:
        >>> rejected_line_count("user 'fake', total ignored: 2 out of 10 for stream: {a=\\"b\\"}", 10)
        2
        >>> rejected_line_count("error at least one label pair is required per stream", 10)
        10
    """
    ignored = sum(map(int, _IGNORED.findall(text))) or len(_IGNORED_ONE.findall(text))
    invalid = sum(int(number or 1) for number in _INVALID_ONE.findall(text))
    return min(ignored + invalid, total) or total


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value != ""
