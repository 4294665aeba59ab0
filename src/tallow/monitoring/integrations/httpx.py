"""The correlation id on outgoing requests, so that the next service's logs tell the same story."""

from __future__ import annotations

import inspect
from typing import Any, Final, TypeVar

from tallow.monitoring import correlation

Client = TypeVar("Client")

_SAMPLED: Final = "00"
"""Trace flags: whoever traces decides for himself."""


def outgoing_headers() -> dict[str, str]:
    """``X-Request-ID`` and ``traceparent`` with the id at hand; nothing outside of a transfer or request.

    Source: W3C Trace Context, section 3.2. The span in it is random: no span of ours is kept.
    """
    current = correlation.current()
    if current is None:
        return {}
    return {
        correlation.HEADER: current,
        "traceparent": f"00-{current}-{correlation.new_id()[:16]}-{_SAMPLED}",
    }


def instrument_client(client: Client) -> Client:
    """Have an ``httpx.Client`` or ``httpx.AsyncClient`` send the id along with each request; the same client.

    Headers that a request has already stay as they are. Again does nothing.

    Raises:
        TypeError: it has no ``event_hooks``, so it is no client of httpx.
    """
    hooks = getattr(client, "event_hooks", None)
    if not isinstance(hooks, dict):
        raise TypeError(f"a {type(client).__name__} is no client of httpx")
    asynchronous = inspect.iscoroutinefunction(getattr(client, "send", None))
    hook = _send_along_later if asynchronous else _send_along
    if hook not in hooks.setdefault("request", []):
        client.event_hooks = hooks | {"request": [*hooks["request"], hook]}  # type: ignore[attr-defined]
    return client


def _send_along(request: Any) -> None:
    for name, value in outgoing_headers().items():
        request.headers.setdefault(name, value)


async def _send_along_later(request: Any) -> None:
    _send_along(request)
