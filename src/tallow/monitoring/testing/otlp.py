"""A fake OTLP/HTTP endpoint: it validates requests more strictly than a collector does.

Messages are decoded with the official package ``opentelemetry-proto`` (extra ``tallow[otel]``).

Sources: OTLP specification 1.x; OpenTelemetry's data models of metrics, logs and traces.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import AGGREGATION_TEMPORALITY_CUMULATIVE

from tallow.monitoring.testing.fake_backend import FakeBackend, ReceivedRequest, RejectedRequestError, running

REQUESTS: Final[Mapping[str, Any]] = {
    "/v1/metrics": ExportMetricsServiceRequest,
    "/v1/logs": ExportLogsServiceRequest,
    "/v1/traces": ExportTraceServiceRequest,
}
RESOURCE_ATTRIBUTES: Final = frozenset({"service.name", "telemetry.sdk.name", "telemetry.sdk.language"})
TRACE_ID_BYTES: Final = 16
SPAN_ID_BYTES: Final = 8
SEVERITY_NUMBERS: Final = range(1, 25)

Series = tuple[str, str, str]
"""Identifies a series: instance, metric, attributes."""


class FakeOtlpEndpoint(FakeBackend):
    """Accepts metrics, logs and spans.

    Attributes:
        metrics: by name, the protocol message that arrived last.
        logs: log records, in order.
        spans: spans, in order.
        resources: the attributes of each resource, in order.

    Example::

        >>> FakeOtlpEndpoint().spans
        []
    """

    def __init__(self) -> None:
        super().__init__()
        self.metrics: dict[str, Any] = {}
        self.logs: list[Any] = []
        self.spans: list[Any] = []
        self.resources: list[dict[str, Any]] = []
        self._sums: dict[Series, tuple[int, int, float]] = {}

    def accept(self, request: ReceivedRequest) -> Mapping[str, str]:
        """Store what a request contains."""
        if request.path not in REQUESTS:
            raise RejectedRequestError("the path is none of " + ", ".join(REQUESTS))
        if request.headers.get("content-type") != "application/x-protobuf":
            raise RejectedRequestError("the content type is not application/x-protobuf")
        if request.headers.get("content-encoding", "gzip") != "gzip":
            raise RejectedRequestError("the content encoding is not gzip")
        try:
            message = REQUESTS[request.path].FromString(request.body)
        except DecodeError as error:
            raise RejectedRequestError("the body is no message of protobuf") from error
        if request.path == "/v1/metrics":
            self._accept_metrics(message)
        elif request.path == "/v1/logs":
            self._accept_logs(message)
        else:
            self._accept_spans(message)
        return {"content-type": "application/x-protobuf"}

    def attributes_of(self, record: Any) -> dict[str, Any]:
        """Return the attributes of a record, span, point or resource as plain data."""
        return _attributes(record)

    def _accept_metrics(self, message: Any) -> None:
        for resource in _parts(message.resource_metrics, "resource_metrics"):
            instance = str(self._resource(resource.resource).get("service.instance.id"))
            for scope in _parts(resource.scope_metrics, "scope_metrics"):
                _require(scope.scope.name, "a scope has no name")
                names = [metric.name for metric in _parts(scope.metrics, "metrics")]
                _require(len(names) == len(set(names)), "a metric is twice in one scope")
                for metric in scope.metrics:
                    self._check_metric(instance, metric)
                    self.metrics[metric.name] = metric

    def _check_metric(self, instance: str, metric: Any) -> None:
        _require(metric.name, "a metric has no name")
        kind = metric.WhichOneof("data")
        _require(kind in {"gauge", "sum", "histogram"}, f"{metric.name} is a {kind}")
        data = getattr(metric, kind)
        points = _parts(data.data_points, f"data_points of {metric.name}")
        keys = [str(sorted(_attributes(point).items())) for point in points]
        _require(len(keys) == len(set(keys)), f"a series of {metric.name} is there twice")
        if kind != "gauge":
            cumulative = data.aggregation_temporality == AGGREGATION_TEMPORALITY_CUMULATIVE
            _require(cumulative, f"{metric.name} is not cumulative")
        for point, key in zip(points, keys, strict=True):
            _check_exemplars(point)
            if kind == "gauge":
                _require(point.time_unix_nano > 0, f"{metric.name} has no time")
                continue
            total = _histogram_count(metric.name, point) if kind == "histogram" else point.as_double
            if kind == "histogram" or data.is_monotonic:
                self._check_rising((instance, metric.name, key), point, total)

    def _check_rising(self, series: Series, point: Any, total: float) -> None:
        start, now = point.start_time_unix_nano, point.time_unix_nano
        _require(0 < start <= now, f"{series[1]} does not begin before it is read")
        _require(math.isfinite(total) and total >= 0, f"{series[1]} is {total}")
        known_start, known_now, known_total = self._sums.get(series, (start, 0, 0.0))
        if known_start == start:
            _require(now > known_now, f"{series[1]} is not newer than before")
            _require(total >= known_total, f"{series[1]} has fallen")
        self._sums[series] = (start, now, total)

    def _accept_logs(self, message: Any) -> None:
        for resource in _parts(message.resource_logs, "resource_logs"):
            self._resource(resource.resource)
            for scope in _parts(resource.scope_logs, "scope_logs"):
                for record in _parts(scope.log_records, "log_records"):
                    _check_log(record)
                    self.logs.append(record)

    def _accept_spans(self, message: Any) -> None:
        for resource in _parts(message.resource_spans, "resource_spans"):
            self._resource(resource.resource)
            for scope in _parts(resource.scope_spans, "scope_spans"):
                for span in _parts(scope.spans, "spans"):
                    _check_span(span)
                    self.spans.append(span)

    def _resource(self, resource: Any) -> dict[str, Any]:
        attributes = _attributes(resource)
        missing = RESOURCE_ATTRIBUTES - attributes.keys()
        _require(not missing, f"the resource has no {', '.join(sorted(missing))}")
        self.resources.append(attributes)
        return attributes


@contextmanager
def otlp_endpoint(port: int = 0) -> Iterator[FakeOtlpEndpoint]:
    """Run a fake OTLP endpoint for the block. Set ``OTEL_EXPORTER_OTLP_ENDPOINT`` to its ``url``.

    Args:
        port: on 127.0.0.1; 0 chooses a free one.

    Example::

        >>> with otlp_endpoint() as endpoint:
        ...     endpoint.url.startswith("http://127.0.0.1:")
        True
    """
    with running(FakeOtlpEndpoint(), port) as endpoint:
        yield endpoint


def _require(fulfilled: object, problem: str) -> None:
    if not fulfilled:
        raise RejectedRequestError(problem)


def _parts(parts: Any, name: str) -> list[Any]:
    _require(len(parts) > 0, f"{name} is empty")
    return list(parts)


def _attributes(holder: Any) -> dict[str, Any]:
    names = [pair.key for pair in holder.attributes]
    _require(len(names) == len(set(names)), "an attribute is there twice")
    _require(all(names), "an attribute has no name")
    return {pair.key: _value(pair.value) for pair in holder.attributes}


def _value(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind is None:
        return None
    if kind == "array_value":
        return [_value(item) for item in value.array_value.values]
    if kind == "kvlist_value":
        return {pair.key: _value(pair.value) for pair in value.kvlist_value.values}
    return getattr(value, kind)


def _histogram_count(name: str, point: Any) -> float:
    edges = list(point.explicit_bounds)
    _require(edges == sorted(set(edges)), f"the edges of {name} do not rise")
    _require(len(point.bucket_counts) == len(edges) + 1, f"{name} has a wrong number of buckets")
    _require(sum(point.bucket_counts) == point.count, f"the buckets of {name} do not add up")
    _require(point.HasField("sum"), f"{name} has no sum")
    return float(point.count)


def _check_exemplars(point: Any) -> None:
    for exemplar in getattr(point, "exemplars", ()):
        _require(exemplar.time_unix_nano > 0, "an exemplar has no time")
        _check_id(exemplar.trace_id, TRACE_ID_BYTES, optional=True)
        _check_id(exemplar.span_id, SPAN_ID_BYTES, optional=True)


def _check_id(identifier: bytes, length: int, *, optional: bool = False) -> None:
    if optional and not identifier:
        return
    _require(len(identifier) == length, f"an id has {len(identifier)} bytes instead of {length}")
    _require(any(identifier), "an id is zero")


def _check_log(record: Any) -> None:
    _attributes(record)
    _require(record.severity_number in SEVERITY_NUMBERS, "a record has no severity")
    _require(record.body.WhichOneof("value") == "string_value", "a record has no text")
    _require(0 < record.time_unix_nano <= record.observed_time_unix_nano, "a record's times are not in order")
    _check_id(record.trace_id, TRACE_ID_BYTES, optional=True)
    _check_id(record.span_id, SPAN_ID_BYTES, optional=True)
    _require(record.trace_id or not record.span_id, "a record has a span id without a trace id")


def _check_span(span: Any) -> None:
    _require(span.name, "a span has no name")
    _attributes(span)
    _check_id(span.trace_id, TRACE_ID_BYTES)
    _check_id(span.span_id, SPAN_ID_BYTES)
    _check_id(span.parent_span_id, SPAN_ID_BYTES, optional=True)
    _require(0 < span.start_time_unix_nano <= span.end_time_unix_nano, "a span ends before it begins")
    _require(not span.trace_state, "a span has a tracestate, which is text of other systems")
    for event in span.events:
        _require(event.name and event.time_unix_nano > 0, "an event has no name or time")
    for link in span.links:
        _check_id(link.trace_id, TRACE_ID_BYTES)
        _check_id(link.span_id, SPAN_ID_BYTES)
        _require(not link.trace_state, "a link has a tracestate")
