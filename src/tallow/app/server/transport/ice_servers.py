"""ICE servers for peers, with TURN credentials that expire."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from typing import Any

from tallow.app.server.settings import ServerSettings


def stun_servers(settings: ServerSettings) -> list[dict[str, Any]]:
    """The STUN servers, which are public."""
    return [{"urls": [url]} for url in settings.ice_servers if url.startswith("stun")]


def ice_servers(settings: ServerSettings) -> list[dict[str, Any]]:
    """STUN servers, and TURN servers with credentials that are valid for a room's lifetime.

    Source: "A REST API for access to TURN services" (draft-uberti-behave-turn-rest), as coturn's
    ``use-auth-secret`` implements it. The user name is only the time of expiry: it identifies no peer.
    """
    turn = [url for url in settings.ice_servers if url.startswith("turn")]
    servers = stun_servers(settings)
    if not turn:
        return servers
    entry: dict[str, Any] = {"urls": turn}
    if settings.turn_secret is not None:
        username = str(int(time.time() + settings.room_lifetime))
        digest = hmac.new(settings.turn_secret.get_secret_value().encode(), username.encode(), hashlib.sha1)
        entry |= {"username": username, "credential": base64.b64encode(digest.digest()).decode()}
    return [*servers, entry]
