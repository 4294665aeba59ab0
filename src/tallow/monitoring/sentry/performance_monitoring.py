"""Spans for the work of a transfer, as context managers and decorators, sync and async.

::

    >>> from tallow.monitoring.sentry import performance_monitoring
    >>> with performance_monitoring.monitor_transfer(size_bytes=5_000_000, method="p2p"):
    ...     pass

In Sentry a span belongs to the current transaction; without one, it is a transaction itself. Where the
application has loaded OpenTelemetry, there is a span of OpenTelemetry, too. It holds categories, its result
(success, failed, cancelled) and its times. Without a DSN and without OpenTelemetry nothing is stored.
"""

from __future__ import annotations

import asyncio
from contextlib import ExitStack, nullcontext, suppress
from dataclasses import dataclass
from typing import Any, Final, Self

from tallow.monitoring import opentelemetry_api
from tallow.monitoring.block import Block
from tallow.monitoring.lazy_scrubber import scrub
from tallow.monitoring.metrics import labels
from tallow.monitoring.sentry import sdk
from tallow.monitoring.sentry.context import opaque_id

_OUTGOING: Final = "http.client"
_INCOMING: Final = "http.server"
_SPAN_STATUSES: Final = {"success": "ok", "cancelled": "cancelled", "failed": "internal_error"}


@dataclass(slots=True)
class _StartedSpans:
    """The spans of one block.

    Attributes:
        sentry: with its scope, which is None if a framework's integration ends the span.
        opentelemetry: with its token.
    """

    sentry: tuple[Any, ExitStack | None] | None = None
    opentelemetry: Any = None


class MonitoredSpan(Block):
    """A span around one block, or around every call of the function it decorates.

    Args:
        op: Sentry's name of the kind of operation.
        name: of the span.
        data: of the span; fields that are None are left out.
    """

    def __init__(self, op: str, name: str, **data: Any) -> None:
        self._operation = op
        self._name = name
        self._data = {field: value for field, value in data.items() if value is not None}
        self._spans: list[_StartedSpans] = []

    def copy(self) -> Self:
        return type(self)(self._operation, self._name, **self._data)

    def begin(self) -> None:
        started = _StartedSpans()
        if sdk.active is not None:
            with suppress(Exception):  # telemetry never harms its host
                started.sentry = self._start_span(sdk.active)
        if opentelemetry_api.is_loaded():
            with suppress(Exception):
                started.opentelemetry = opentelemetry_api.start_span(scrub(self._name), scrub(self._data))
        self._spans.append(started)

    def end(self, error: BaseException | None) -> None:
        if not self._spans:
            return
        started, result = self._spans.pop(), _result(error)
        if started.opentelemetry is not None:
            attributes = {"result": result} | ({} if error is None else {"error.type": type(error).__name__})
            with suppress(Exception):
                opentelemetry_api.end_span(started.opentelemetry, attributes, failed=result == "failed")
        if started.sentry is not None:
            with suppress(Exception):
                _end_sentry_span(*started.sentry, result, error)

    def _start_span(self, sdk: Any) -> tuple[Any, ExitStack | None]:
        with ExitStack() as scope:
            # A separate scope: otherwise spans of concurrent tasks would become each other's children.
            scope.enter_context(sdk.new_scope())
            begin = sdk.start_span if sdk.get_current_span() is not None else sdk.start_transaction
            span = begin(op=self._operation, name=self._name)
            for field, value in self._data.items():
                span.set_data(field, value)
            span.__enter__()
            return span, scope.pop_all()


class IncomingRequestSpan(MonitoredSpan):
    """The span of a request that this application answers.

    Sentry's integration of a framework opens a transaction for each request. The result is added to it then:
    a second span of the same kind would count the request twice.
    """

    def _start_span(self, sdk: Any) -> tuple[Any, ExitStack | None]:
        current = sdk.get_current_span()
        transaction = None if current is None else current.containing_transaction
        if transaction is not None and transaction.op == self._operation:
            return transaction, None
        return super()._start_span(sdk)


def monitor_transfer(
    transfer_id: object = None, size_bytes: float | None = None, method: str | None = None
) -> MonitoredSpan:
    """Monitor a transfer.

    Args:
        transfer_id: sent if it is a UUID or 32 hexadecimal digits.
        size_bytes: sent as size category.
        method: p2p or relay.

    Example::

        >>> with monitor_transfer(size_bytes=5_000_000, method="p2p"):
        ...     pass
    """
    size = None if size_bytes is None else labels.size_category(size_bytes)
    return MonitoredSpan("transfer", "transfer", transfer_id=opaque_id(transfer_id), size=size, method=method)


def monitor_crypto(
    operation: str, algorithm: str | None = None, size_bytes: float | None = None
) -> MonitoredSpan:
    """Monitor a cryptographic operation.

    Args:
        operation: encrypt, decrypt, keygen, …
        algorithm: such as aes_256_gcm.
        size_bytes: of the data; sent as size category.

    Example::

        >>> @monitor_crypto("encrypt", "aes_256_gcm")
        ... def seal(chunk: bytes) -> bytes:
        ...     return chunk[::-1]
        >>> seal(b"ab")
        b'ba'
    """
    size = None if size_bytes is None else labels.size_category(size_bytes)
    return MonitoredSpan("crypto", f"crypto {operation}", operation=operation, algorithm=algorithm, size=size)


def monitor_connection(kind: str, path: str | None = None) -> MonitoredSpan:
    """Monitor the establishment of a connection. Do not pass an address.

    Args:
        kind: webrtc, websocket or relay.
        path: direct or relay.

    Example::

        >>> with monitor_connection("webrtc", path="direct"):
        ...     pass
    """
    return MonitoredSpan("connection", f"connect {kind}", kind=kind, path=path)


def monitor_api_call(method: str, route: str, *, incoming: bool = False) -> MonitoredSpan:
    """Monitor an HTTP request to an API: one that the application sends, or one that it answers.

    Sentry's name of the operation is ``http.client`` or ``http.server``.

    Args:
        method: such as GET.
        route: a template such as ``/api/rooms/{id}``; a query is left out.
        incoming: whether the application answers the request.

    Example::

        >>> with monitor_api_call("GET", "/api/rooms/{id}"):
        ...     pass
        >>> @monitor_api_call("POST", "/api/rooms", incoming=True)
        ... async def create_room(request: object) -> str:
        ...     return "created"
    """
    name = f"{method.upper()} {route.partition('?')[0]}"
    return IncomingRequestSpan(_INCOMING, name) if incoming else MonitoredSpan(_OUTGOING, name)


def _end_sentry_span(span: Any, scope: ExitStack | None, result: str, error: BaseException | None) -> None:
    with scope or nullcontext():
        span.set_data("result", result)
        if error is not None:
            span.set_data("error_type", type(error).__name__)
        if scope is not None:
            span.set_status(_SPAN_STATUSES[result])
            span.__exit__(None, None, None)  # the status is set already


def _result(error: BaseException | None) -> str:
    if error is None:
        return "success"
    cancelled = isinstance(error, asyncio.CancelledError | KeyboardInterrupt | GeneratorExit)
    return "cancelled" if cancelled else "failed"
