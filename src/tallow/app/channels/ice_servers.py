"""STUN and TURN servers as the server lists them."""

from __future__ import annotations

from typing import Any

IceServers = list[dict[str, Any]]
"""Each is an RTCIceServer (W3C WebRTC, section 4.2.4) with ``urls``, and ``username`` and ``credential`` of a
TURN server."""


def has_turn(servers: IceServers) -> bool:
    """Whether one of them is a TURN server.

    >>> has_turn([{"urls": ["stun:example.org", "turns:example.org"]}])
    True
    """
    return any(str(url).startswith("turn") for entry in servers for url in entry.get("urls", ()))
