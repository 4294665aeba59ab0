"""Scrubbed log lines as log records of OpenTelemetry's data model."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import orjson
from opentelemetry import trace
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.context import Context
from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from tallow.monitoring.otel.sender import SignalSender

_SEVERITIES: Final = {
    "debug": SeverityNumber.DEBUG,
    "info": SeverityNumber.INFO,
    "warning": SeverityNumber.WARN,
    "error": SeverityNumber.ERROR,
    "fatal": SeverityNumber.FATAL,
}
_ON_RESOURCE: Final = ("service", "environment", "version")
_ERROR_NAMES: Final = {
    "type": "exception.type",
    "message": "exception.message",
    "stack": "exception.stacktrace",
}
_LARGEST: Final = 2**63 - 1


class OtlpLogSink:
    """A log sink that queues lines for OTLP. Only :meth:`close` and :meth:`drain` wait for the network.

    Args:
        sender: sends the lines.
    """

    def __init__(self, sender: SignalSender[bytes]) -> None:
        self._sender = sender

    def write(self, lines: Sequence[bytes]) -> None:
        """Queue lines. Lines that do not fit are counted."""
        for line in lines:
            self._sender.put(line)

    def drain(self, deadline: float) -> None:
        """Send what is queued until ``deadline`` on the monotonic clock."""
        self._sender.flush(max(0.0, deadline - time.monotonic()))

    def close(self, deadline: float) -> None:
        """Send what is queued until ``deadline`` on the monotonic clock; count the rest."""
        self._sender.close(max(0.0, deadline - time.monotonic()))


def to_record(line: bytes, resource: Resource) -> ReadableLogRecord:
    """Return the record of a line of the log."""
    fields: dict[str, Any] = orjson.loads(line)
    timestamp = _nanoseconds(fields.pop("timestamp"))
    level, message, logger = fields.pop("level"), fields.pop("message"), fields.pop("logger")
    for name in _ON_RESOURCE:
        fields.pop(name, None)
    context = _context(fields.pop("trace_id", None), fields.pop("span_id", None))
    error = fields.pop("error", None)
    attributes = {name: _encodable(value) for name, value in fields.items()}
    if isinstance(error, dict):
        attributes |= {_ERROR_NAMES.get(name, f"error.{name}"): _encodable(error[name]) for name in error}
    elif error is not None:
        attributes["error"] = _encodable(error)
    record = LogRecord(
        timestamp=timestamp,
        observed_timestamp=max(timestamp, time.time_ns()),
        context=context,
        severity_text=level,
        severity_number=_SEVERITIES.get(level, SeverityNumber.UNSPECIFIED),
        body=message,
        attributes=attributes,
    )
    return ReadableLogRecord(record, resource, InstrumentationScope(str(logger)))


def _nanoseconds(timestamp: str) -> int:
    moment = datetime.fromisoformat(timestamp)
    return int(moment.timestamp()) * 1_000_000_000 + moment.microsecond * 1000


def _context(trace_id: str | None, span_id: str | None) -> Any:
    ids = (int(trace_id or "0", 16), int(span_id or "0", 16))
    return trace.set_span_in_context(
        trace.NonRecordingSpan(trace.SpanContext(*ids, is_remote=False)), Context()
    )


def _encodable(value: Any) -> Any:
    """Return a value that the protocol can hold: its numbers have 64 bits with a sign."""
    if isinstance(value, int) and not -_LARGEST <= value <= _LARGEST:
        return str(value)
    if isinstance(value, list):
        return [_encodable(item) for item in value]
    if isinstance(value, dict):
        return {name: _encodable(item) for name, item in value.items()}
    return value
