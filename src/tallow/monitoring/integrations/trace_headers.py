"""Send the correlation id and the trace with the requests of an HTTP client.

A client is changed only if it is passed to :func:`instrument_client`. The instrumentation of OpenTelemetry
may be on the same client, before or after: a header that a request already has is kept, and OpenTelemetry
replaces ``traceparent`` by that of its own span.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import MutableMapping
from typing import Any, Final, TypeVar

from tallow.monitoring.correlation import outgoing_headers

Client = TypeVar("Client")

_MARK: Final = "_tallow_sends_trace_headers"


def instrument_client(client: Client) -> Client:
    """Send ``X-Request-ID``, ``traceparent`` and ``tracestate`` with each request of a client.

    Headers that a request already has are kept. A second call does nothing.

    Args:
        client: an ``httpx.Client`` or ``httpx.AsyncClient``, a ``requests.Session``, or an
            ``aiohttp.ClientSession``.

    Returns:
        The same client.

    Raises:
        TypeError: the object is none of these clients.

    Example:
        >>> import httpx
        >>> http = instrument_client(httpx.Client())
        >>> http.close()
    """
    if _is_instance(client, "requests", "Session"):
        _instrument_requests(client)
    elif _is_instance(client, "aiohttp", "ClientSession"):
        _instrument_aiohttp(client)
    elif isinstance(getattr(client, "event_hooks", None), dict):
        _instrument_httpx(client)
    else:
        raise TypeError(
            f"a {type(client).__name__} is not a client of httpx; accepted: httpx.Client, httpx.AsyncClient, "
            "requests.Session, aiohttp.ClientSession"
        )
    return client


def _is_instance(client: object, module: str, name: str) -> bool:
    """Whether ``client`` is an instance of a class of a module that its owner has loaded."""
    kind = getattr(sys.modules.get(module), name, None)
    return isinstance(kind, type) and isinstance(client, kind)


def _add_headers(headers: MutableMapping[str, str]) -> None:
    added = outgoing_headers()
    if "traceparent" in headers:  # the tracestate of one trace must not be beside another trace's id
        added.pop("tracestate", None)
    for name, value in added.items():
        headers.setdefault(name, value)


def _instrument_httpx(client: Any) -> None:
    hooks: dict[str, list[Any]] = client.event_hooks
    hook = _httpx_async_hook if inspect.iscoroutinefunction(getattr(client, "send", None)) else _httpx_hook
    if hook not in hooks.setdefault("request", []):
        client.event_hooks = hooks | {"request": [*hooks["request"], hook]}


def _httpx_hook(request: Any) -> None:
    _add_headers(request.headers)


async def _httpx_async_hook(request: Any) -> None:
    _add_headers(request.headers)


def _instrument_requests(session: Any) -> None:
    """Replace ``send`` of this session alone: sessions have no hook for requests.

    The class's method is looked up at each call, so that a later patch of the class has its effect.
    """
    if hasattr(session, _MARK):
        return

    def send(request: Any, **options: Any) -> Any:
        _add_headers(request.headers)
        return type(session).send(session, request, **options)

    setattr(session, _MARK, True)
    session.send = send


def _instrument_aiohttp(session: Any) -> None:
    if any(config.on_request_start.count(_aiohttp_hook) for config in session.trace_configs):
        return
    config = sys.modules["aiohttp"].TraceConfig()
    config.on_request_start.append(_aiohttp_hook)
    config.freeze()
    session.trace_configs.append(config)


async def _aiohttp_hook(_session: Any, _context: Any, request: Any) -> None:
    _add_headers(request.headers)
