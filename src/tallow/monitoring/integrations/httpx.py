"""Send the correlation id with outgoing requests, so that other services log the same id."""

from __future__ import annotations

import inspect
from typing import Any, Final, TypeVar

from tallow.monitoring import correlation

Client = TypeVar("Client")

_TRACE_FLAGS: Final = "00"
"""Not sampled: the receiver decides."""


def outgoing_headers() -> dict[str, str]:
    """Return ``X-Request-ID`` and ``traceparent`` with the current id; nothing outside a transfer or request.

    The span id is random, as no spans are recorded. Source: W3C Trace Context, section 3.2.

    Example:
        >>> with correlation.bind("0af7651916cd43dd8448eb211c80319c"):
        ...     outgoing_headers()["X-Request-ID"]
        '0af7651916cd43dd8448eb211c80319c'
    """
    current = correlation.current()
    if current is None:
        return {}
    return {
        correlation.HEADER: current,
        "traceparent": f"00-{current}-{correlation.new_id()[:16]}-{_TRACE_FLAGS}",
    }


def instrument_client(client: Client) -> Client:
    """Send the correlation id with each request of an ``httpx.Client`` or ``httpx.AsyncClient``.

    Headers that a request already has are kept. A second call does nothing.

    Args:
        client: the client.

    Returns:
        The same client.

    Raises:
        TypeError: the object has no ``event_hooks``, so it is not a client of httpx.

    Example:
        >>> import httpx
        >>> http = instrument_client(httpx.Client())
        >>> http.close()
    """
    hooks = getattr(client, "event_hooks", None)
    if not isinstance(hooks, dict):
        raise TypeError(f"a {type(client).__name__} is not a client of httpx")
    asynchronous = inspect.iscoroutinefunction(getattr(client, "send", None))
    hook = _add_headers_async if asynchronous else _add_headers
    if hook not in hooks.setdefault("request", []):
        client.event_hooks = hooks | {"request": [*hooks["request"], hook]}  # type: ignore[attr-defined]
    return client


def _add_headers(request: Any) -> None:
    for name, value in outgoing_headers().items():
        request.headers.setdefault(name, value)


async def _add_headers_async(request: Any) -> None:
    _add_headers(request)
