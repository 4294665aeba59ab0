"""The correlation id: a random id of one transfer or request, shared by all services that handle it.

Where a span of OpenTelemetry is current, the id is that of its trace. Otherwise it is taken from a W3C
``traceparent`` header or from ``X-Request-ID``, if that is a UUID or 32 hexadecimal digits: free text could
contain private data. Otherwise it is random.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextvars import ContextVar
from typing import Final

from tallow.monitoring import opentelemetry_api, trace_context
from tallow.monitoring.opentelemetry_api import (
    SpanIds,
    attach_remote_parent,
    current_span_context,
    current_span_ids,
    ids_of,
    restore,
)
from tallow.monitoring.random_ids import RandomIds
from tallow.monitoring.trace_context import TraceContext

HEADER: Final = "X-Request-ID"

_ID = re.compile(r"[0-9a-f]{32}")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_UUID_LENGTH: Final = 36
_NONE = "0" * 32
_random_ids: Final = RandomIds()
_TRACEPARENT: Final = trace_context.TRACEPARENT.encode()
_REQUEST_ID: Final = trace_context.REQUEST_ID.encode()
_TRACE_API: Final = opentelemetry_api.TRACE_API
_modules: Final = sys.modules
"""Looked up here without a call: every request and observation asks whether the API is loaded."""
_RANDOM_SPAN_DIGITS: Final = 16
_NOT_SAMPLED: Final = "00"
"""Trace flags where no caller has set any: the receiver decides."""


def new_id() -> str:
    """Return a new id: 128 random bits as 32 hexadecimal digits.

    Example:
        >>> len(new_id())
        32
    """
    return _random_ids.next()


def parse(text: str) -> str | None:
    """Return the id that ``text`` is, a UUID or 32 hexadecimal digits; None for any other text.

    Example:
        >>> parse("0AF76519-16CD-43DD-8448-EB211C80319C")
        '0af7651916cd43dd8448eb211c80319c'
    """
    lowered = text.lower()
    if len(text) == _UUID_LENGTH and _UUID.fullmatch(lowered):
        lowered = lowered.replace("-", "")
    return lowered if _ID.fullmatch(lowered) and lowered != _NONE else None


def from_headers(headers: Mapping[str, str]) -> str | None:
    """Return the id of a request: from ``traceparent``, else from ``x-request-id``; None if there is none.

    Source: W3C Trace Context, section 3.2.

    Args:
        headers: by lower-case name.

    Example:
        >>> from_headers({"x-request-id": "0af7651916cd43dd8448eb211c80319c"})
        '0af7651916cd43dd8448eb211c80319c'
    """
    found = trace_context.parse(headers)
    return found.trace_id if found is not None else parse(headers.get(trace_context.REQUEST_ID, ""))


class bind:  # noqa: N801 - used as a function; @contextmanager takes three times as long
    """Make an id the current one inside a ``with`` block.

    A span of OpenTelemetry that starts inside the block replaces the id by that of its trace, also for what
    follows the span in the block.

    Args:
        correlation_id: 32 hexadecimal digits.
        exemplars: whether observations in the block get the id as their exemplar. Those of a scrape do not:
            they would replace the exemplars of requests.
        headers: those of an ASGI request that identify it, for requests that are sent in the block.

    Attributes:
        id: the id.

    Example:
        >>> with bind("0af7651916cd43dd8448eb211c80319c"):
        ...     current()
        '0af7651916cd43dd8448eb211c80319c'
    """

    __slots__ = ("_attached", "_headers", "_outer", "_outer_trace", "exemplars", "id", "span")

    def __init__(
        self, correlation_id: str, *, exemplars: bool = True, headers: Sequence[tuple[bytes, bytes]] = ()
    ) -> None:
        self.id = correlation_id
        self.exemplars = exemplars
        self._headers = headers
        self.span: SpanIds | None = None
        self._outer_trace: str | None = None
        self._attached: object = None

    def __enter__(self) -> str:
        if _TRACE_API in _modules:
            self._enter_span()
        # Not a token: until Python 3.11, a value that is read during a garbage collection within reset() of a
        # variable that was not set before stays cached after it is freed, and the interpreter crashes.
        self._outer = _current.get()
        _current.set(self)
        return self.id

    def __exit__(self, *error: object) -> None:
        _current.set(self._outer)
        if self._attached is not None:
            restore(self._attached)

    @property
    def trace(self) -> TraceContext | None:
        """The trace context of the request; None if it has none."""
        return trace_context.parse(trace_context.from_asgi(self._headers)) if self._headers else None

    def _enter_span(self) -> None:
        span = current_span_ids()
        if span is not None:
            self._outer_trace = span.trace_id
            self.span = span if span.trace_id == self.id else None
        else:
            trace = self.trace
            self._attached = None if trace is None else attach_remote_parent(trace)

    def follow_span(self) -> None:
        """Take over the id of the current span's trace, if that span has started inside the block."""
        if _TRACE_API in _modules:
            self.follow(current_span_ids())

    def follow(self, span: SpanIds | None) -> None:
        """As :meth:`follow_span`, with the current span."""
        if span is None or span.trace_id == self._outer_trace:
            return
        if self.span is None or span.trace_id != self.id:
            # The first span that is seen stands for the block: exemplars after its end name it.
            self.span, self.id = span, span.trace_id


_current: ContextVar[bind | None] = ContextVar("tallow_correlation", default=None)

current_binding = _current.get
"""Return the innermost :class:`bind` block that is entered, or None: a fast first question for recorders."""


def bind_request(headers: Iterable[tuple[bytes, bytes]], *, exemplars: bool = True) -> bind:
    """Return the binding for a request: the id of the current span's trace, of its headers, or a new one.

    Args:
        headers: of the ASGI scope.
        exemplars: as for :class:`bind`.

    Example:
        >>> with bind_request([(b"x-request-id", b"0af76519-16cd-43dd-8448-eb211c80319c")]) as request_id:
        ...     request_id
        '0af7651916cd43dd8448eb211c80319c'
    """
    return bind_received(
        [pair for pair in headers if pair[0] in trace_context.ASGI_NAMES], exemplars=exemplars
    )


def bind_received(received: list[tuple[bytes, bytes]], *, exemplars: bool = True) -> bind:
    """As :func:`bind_request`, for headers of which the caller has left out others already."""
    span = current_span_ids() if _TRACE_API in _modules else None
    if span is not None:
        identifier: str | None = span.trace_id
    else:
        identifier = _received_id(received) if received else None
    return bind(identifier or _random_ids.next(), exemplars=exemplars, headers=received)


def _received_id(headers: list[tuple[bytes, bytes]]) -> str | None:
    """As :func:`from_headers`, in less time if there are no two headers of one name."""
    named = dict(headers)
    if len(named) < len(headers):
        return from_headers(trace_context.from_asgi(headers))
    parent = named.get(_TRACEPARENT)
    identifier = None if parent is None else trace_context.trace_id(parent)
    return identifier or parse(named.get(_REQUEST_ID, b"").decode("latin-1"))


def current() -> str | None:
    """Return the id of the current transfer or request, or None."""
    binding = _current.get()
    if _TRACE_API in _modules:
        if binding is None:
            span = current_span_ids()
            return None if span is None else span.trace_id
        binding.follow_span()
    return None if binding is None else binding.id


def exemplar_id() -> str | None:
    """Return the id for the exemplar of an observation; None if observations get no exemplar.

    Where a span of OpenTelemetry is current, it is the id of its trace, ``-`` and the id of the span.
    """
    if _TRACE_API in _modules:
        return _traced_exemplar_id(_current.get())
    binding = _current.get()
    return None if binding is None or not binding.exemplars else binding.id


def _traced_exemplar_id(binding: bind | None) -> str | None:
    span = current_span_ids()
    if binding is not None:
        if not binding.exemplars:
            return None
        binding.follow(span)
        if span is None or span.trace_id != binding.id:
            span = binding.span
        if span is None:
            return binding.id
    return None if span is None else f"{span.trace_id}-{span.span_id}"


def outgoing_headers() -> dict[str, str]:
    """Return ``X-Request-ID``, ``traceparent`` and ``tracestate`` for a request that is sent now.

    Flags and tracestate of the incoming request are passed on unchanged. The span id is that of the current
    span of OpenTelemetry; without one it is random, as no span is recorded. Nothing is returned outside a
    transfer, request or span. Source: W3C Trace Context, sections 3.2 and 3.3.

    Example:
        >>> with bind("0af7651916cd43dd8448eb211c80319c"):
        ...     outgoing_headers()["X-Request-ID"]
        '0af7651916cd43dd8448eb211c80319c'
    """
    identifier = current()
    if identifier is None:
        return {}
    return {HEADER: identifier, **_trace_headers(identifier)}


def _trace_headers(identifier: str) -> dict[str, str]:
    context = current_span_context()
    if context is not None:
        ids = ids_of(context)
        if ids.trace_id == identifier:
            state = _as_received(context.trace_state.to_header())
            return TraceContext(*ids, f"{int(context.trace_flags):02x}", state).headers(ids.span_id)
    binding = _current.get()
    received = binding.trace if binding is not None else None
    if received is None or received.trace_id != identifier:
        received = TraceContext(identifier, "", _NOT_SAMPLED)
    return received.headers(new_id()[:_RANDOM_SPAN_DIGITS])


def _as_received(state: str) -> str:
    """Return the incoming tracestate where a span has the same members: the API joins them without spaces."""
    binding = _current.get()
    trace = binding.trace if binding is not None else None
    received = trace.state if trace is not None else ""
    members = ",".join(stripped for member in received.split(",") if (stripped := member.strip()))
    return received if members == state else trace_context.valid_state(state)
