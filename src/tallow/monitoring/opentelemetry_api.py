"""The OpenTelemetry API of the application, where the application has loaded it.

Nothing is imported: without the API in ``sys.modules`` there is no span, and each function costs one look-up.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from tallow.monitoring.trace_context import TraceContext

TRACE_API: Final = "opentelemetry.trace"
"""The module that an application has loaded if it has spans."""
_SERVER_INSTRUMENTATION: Final = frozenset(
    {"opentelemetry.instrumentation.asgi", "opentelemetry.instrumentation.django"}
)
_modules: Final = sys.modules


class SpanIds(NamedTuple):
    """The ids of a span, as lower-case hexadecimal digits."""

    trace_id: str
    """32 digits."""
    span_id: str
    """16 digits."""


def is_loaded() -> bool:
    """Whether the application has loaded the API."""
    return TRACE_API in _modules


def current_span_context() -> Any:
    """Return the ``SpanContext`` of the current span of this process; None if there is no valid one."""
    trace = _modules.get(TRACE_API)
    if trace is None:
        return None
    try:
        context = trace.get_current_span().get_span_context()
        return context if context.is_valid and not context.is_remote else None
    except Exception:  # noqa: BLE001 - a module that is being imported, or a foreign span; telemetry never raises
        return None


class _LastSpan:
    """The last ``SpanContext`` whose ids were asked for: one request asks several times."""

    __slots__ = ("known",)

    def __init__(self) -> None:
        self.known: tuple[Any, SpanIds] = (None, SpanIds("", ""))


_last_span: Final = _LastSpan()


def ids_of(context: Any) -> SpanIds:
    """Return the ids of a ``SpanContext``, which cannot change."""
    known, ids = _last_span.known
    if context is not known:
        ids = SpanIds(f"{context.trace_id:032x}", f"{context.span_id:016x}")
        _last_span.known = context, ids
    return ids


def current_span_ids() -> SpanIds | None:
    """Return the ids of the current span, or None.

    Example:
        >>> current_span_ids() is None
        True
    """
    context = current_span_context()
    return None if context is None else ids_of(context)


def attach_remote_parent(parent: TraceContext) -> Any:
    """Make the caller's span the parent of spans that the application starts.

    Nothing is done where OpenTelemetry instruments servers: it reads the headers itself, and takes a span
    that is current already for a server's own.

    Returns:
        The context before, for :func:`restore`, or None.
    """
    trace = _modules.get(TRACE_API)
    if trace is None or not _SERVER_INSTRUMENTATION.isdisjoint(_modules):
        return None
    from opentelemetry import context

    try:
        remote = trace.SpanContext(
            int(parent.trace_id, 16),
            int(parent.parent_id, 16),
            is_remote=True,
            trace_flags=trace.TraceFlags(int(parent.flags, 16)),
            trace_state=trace.TraceState.from_header([parent.state] if parent.state else []),
        )
        before = context.get_current()
        context.attach(trace.set_span_in_context(trace.NonRecordingSpan(remote)))
        return before
    except Exception:  # noqa: BLE001 - an incomplete or foreign API; telemetry never raises
        return None


def restore(before: Any) -> None:
    """Undo :func:`attach_remote_parent`.

    The context before is attached again. No token is used, for the reason in
    :class:`tallow.monitoring.correlation.bind`.
    """
    from opentelemetry import context

    context.attach(before)


def start_span(name: str, attributes: Mapping[str, Any]) -> Any:
    """Start a span and make it the current one; :func:`end_span` takes what is returned.

    Returns:
        The span and the context before; None without the API.
    """
    trace = _modules.get(TRACE_API)
    if trace is None:
        return None
    from opentelemetry import context

    span = trace.get_tracer("tallow.monitoring").start_span(name, attributes=dict(attributes))
    before = context.get_current()
    context.attach(trace.set_span_in_context(span))
    return span, before


def end_span(started: Any, attributes: Mapping[str, Any], *, failed: bool) -> None:
    """End a span of :func:`start_span`. The status has no description: it could be private."""
    from opentelemetry import context, trace

    span, before = started
    span.set_attributes(dict(attributes))
    if failed:
        span.set_status(trace.StatusCode.ERROR)
    span.end()
    context.attach(before)
