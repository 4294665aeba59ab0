"""Types of the ASGI interface, as in its specification (https://asgi.readthedocs.io)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
"""A connection's type and its request data."""
Message = MutableMapping[str, Any]
"""An event that a server and an application exchange."""
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

RouteOf = Callable[[Scope], str | None]
"""Returns the route template of a request; None if no route matched."""
