"""A stand-in for Loki: accepts what shippers send and keeps the entries that Loki would store."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from support.loki_entries import Entry, entries_of_push, entry_of_record
from support.loki_push import entries_of_protobuf
from tallow.monitoring.testing.fake_backend import FakeBackend, ReceivedRequest, RejectedRequestError


class LokiEndpoint(FakeBackend):
    """Loki's two ways in: its push API and OTLP. tests/integration/test_loki.py asks Loki itself."""

    def __init__(self) -> None:
        super().__init__()
        self.entries: list[Entry] = []
        self.times: list[int] = []
        """Nanoseconds since the epoch of each entry that a shipper sent."""

    def accept(self, request: ReceivedRequest) -> Mapping[str, str]:
        """Store the entries of a request."""
        if request.path == "/loki/api/v1/push":
            self._accept_push(request)
        elif request.path == "/otlp/v1/logs":
            self._accept_otlp(ExportLogsServiceRequest.FromString(request.body))
        else:
            raise RejectedRequestError("404 page not found", status=404)
        return {}

    def _accept_push(self, request: ReceivedRequest) -> None:
        if request.headers["content-type"] == "application/x-protobuf":
            for entry, moment in entries_of_protobuf(request.body):
                self.entries.append(entry)
                self.times.append(moment)
        else:
            self.entries += entries_of_push(request.body)

    def _accept_otlp(self, message: Any) -> None:
        for resource in message.resource_logs:
            about = _plain(resource.resource.attributes)
            for record in (record for scope in resource.scope_logs for record in scope.log_records):
                self.times.append(record.time_unix_nano)
                self.entries.append(
                    entry_of_record(
                        record.body.string_value,
                        about,
                        _plain(record.attributes),
                        severity_text=record.severity_text,
                        trace_id=record.trace_id.hex(),
                        span_id=record.span_id.hex(),
                    )
                )


def _plain(attributes: Any) -> dict[str, str]:
    return {each.key: each.value.string_value for each in attributes}
