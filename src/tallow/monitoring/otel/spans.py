"""Queue the spans of a tracer provider, and copy them without private data when they are sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan, SpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import INVALID_TRACE_ID, Link, SpanContext, SpanKind, Status

from tallow.monitoring import correlation
from tallow.monitoring.lazy_scrubber import scrub
from tallow.monitoring.otel.sender import SignalSender

LEFT_OUT: Final = frozenset(
    {
        "client.address",
        "client.port",
        "db.query.text",
        "db.statement",
        "enduser.id",
        "http.client_ip",
        "http.target",
        "http.url",
        "http.user_agent",
        "net.peer.ip",
        "net.sock.peer.addr",
        "network.peer.address",
        "network.peer.port",
        "url.full",
        "url.path",
        "url.query",
        "user_agent.original",
    }
)
"""Attributes that hold raw paths, queries, statements and what identifies a client."""
_SPAN_OVERHEAD: Final = 1024


class CorrelationIdGenerator(RandomIdGenerator):
    """Gives a new trace the current correlation id."""

    def generate_trace_id(self) -> int:
        """Return the current correlation id as a trace id; a random one without it."""
        try:
            return int(correlation.current() or "", 16) or super().generate_trace_id()
        except ValueError:
            return super().generate_trace_id()


class OtlpSpanProcessor(SpanProcessor):
    """Queues sampled spans when they end. A provider cannot lose a processor: without a sender it is idle.

    Attributes:
        sender: where spans are queued, or None.
    """

    sender: SignalSender[ReadableSpan] | None = None

    def on_end(self, span: ReadableSpan) -> None:
        """Queue a span."""
        context = span.context
        if self.sender is not None and context is not None and context.trace_flags.sampled:
            self.sender.put(span)

    def shutdown(self) -> None:
        """Queue no more spans. Those that wait are sent when the process ends."""
        self.sender = None

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Send what is queued: whether nothing is left."""
        if self.sender is None:
            return True
        self.sender.flush(timeout_millis / 1000)
        return self.sender.queued == 0


def size_of(span: ReadableSpan) -> int:
    """Return about how many bytes a span holds."""
    texts = [span.attributes or {}, *(event.attributes or {} for event in span.events)]
    return _SPAN_OVERHEAD + sum(len(str(value)) for attributes in texts for value in attributes.values())


def without_private_data(span: ReadableSpan, resource: Resource) -> ReadableSpan:
    """Return a copy of a span: scrubbed, with a route instead of a path, and without tracestate."""
    attributes = scrub_attributes(span.attributes)
    return ReadableSpan(
        name=_name(span, attributes),
        context=_ids_only(span.context),
        parent=_ids_only(span.parent),
        resource=resource,
        attributes=attributes,
        events=[
            Event(scrub(event.name), scrub_attributes(event.attributes), event.timestamp)
            for event in span.events
        ],
        links=[
            Link(context, scrub_attributes(link.attributes))
            for link in span.links
            if (context := _ids_only(link.context)) is not None
        ],
        kind=span.kind,
        status=Status(span.status.status_code, _scrubbed_or_none(span.status.description)),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def scrub_attributes(attributes: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return attributes without private data."""
    kept = {name: value for name, value in (attributes or {}).items() if name not in LEFT_OUT}
    cleaned: dict[str, Any] = scrub(kept)
    return cleaned


def _name(span: ReadableSpan, attributes: Mapping[str, Any]) -> str:
    """Return the name; of a request without its path, which may hold a code or a name."""
    first, _, rest = span.name.partition(" ")
    http = span.kind in {SpanKind.SERVER, SpanKind.CLIENT} or rest.endswith((" http send", " http receive"))
    if not (http and "/" in rest):
        return scrub(span.name)
    route = attributes.get("http.route")
    if isinstance(route, str):
        return f"{first} {route}"
    return first


def _ids_only(context: SpanContext | None) -> SpanContext | None:
    """Return a context without tracestate, which is text of other systems."""
    if context is None or context.trace_id == INVALID_TRACE_ID:
        return None
    return SpanContext(context.trace_id, context.span_id, context.is_remote, context.trace_flags)


def _scrubbed_or_none(text: str | None) -> str | None:
    return None if text is None else scrub(text)
