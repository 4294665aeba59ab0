"""Tell a client that disconnected, or a server that stops, from an error of the application."""

from __future__ import annotations

import asyncio
from typing import Final

from tallow.monitoring.asgi_types import Scope

_NAMES: Final = frozenset(
    {
        "ClientDisconnect",  # Starlette
        "ClientDisconnected",  # uvicorn
        "MessageAborted",  # BlackSheep
        "RequestAborted",  # Django
        "WebSocketDisconnect",  # Starlette, Litestar
        "WebSocketDisconnected",  # Falcon
        "WebSocketDisconnectedError",  # BlackSheep
    }
)
"""Each framework has its own class, and importing it would need the framework."""

_RAISING_SEND: Final = (2, 4)
"""The ASGI version from which on ``send`` raises OSError after a disconnect."""


def is_disconnect(error: BaseException) -> bool:
    """Whether an exception means that the server stops or the client disconnected."""
    return isinstance(error, asyncio.CancelledError) or type(error).__name__ in _NAMES


def send_raises_on_disconnect(scope: Scope) -> bool:
    """Whether an OSError of the server's ``send`` means that the client disconnected.

    Source: the ASGI specification, "Disconnected Client - send exception", HTTP version 2.4.
    """
    version = str((scope.get("asgi") or {}).get("spec_version", "2.0"))
    try:
        return tuple(int(part) for part in version.split(".")) >= _RAISING_SEND
    except ValueError:
        return False
