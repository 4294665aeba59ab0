"""How many connections one client may open in a minute.

A connection that is opened and closed at once is in no place long enough to be limited by number, and costs
processor time all the same: a task, a protocol and, with TLS, a handshake. A client beyond the rate is closed
before any of it.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from tallow.app.server.limits.client_address import ClientAddressHasher
from tallow.app.server.limits.rate_limit import KeyedRateLimiter
from tallow.monitoring.integrations.http_server.limits import parse_address

LIMIT: Final = "connections_per_minute"
MAX_REFUSED: Final = 1_000
"""Refused clients that are remembered. It bounds memory; beyond it a refusal only costs more."""


class ConnectionRate:
    """Decides on each new connection by its address. Wider networks are limited as for new rooms.

    It is the ``refused_by`` of :class:`tallow.monitoring.integrations.http_server.limits.ConnectionLimits`.
    Connections from this machine are not limited: they are the operator's probes, or a proxy's.

    Args:
        per_minute: connections of one address, and as many at once.
        clock: monotonic seconds.
    """

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._limiter = KeyedRateLimiter(per_minute, clock)
        self._hasher = ClientAddressHasher()
        self._clock = clock
        self._refused_until: OrderedDict[bytes, float] = OrderedDict()

    def __call__(self, host: str) -> str:
        """The name of the limit that refuses a connection; empty if none does.

        Args:
            host: the client's address; empty on a Unix socket.
        """
        client, now = self._hasher.text_key(host), self._clock()
        if self._refused_until.get(client, now) > now:  # a flood costs one hash, not those of all networks
            return LIMIT
        address = parse_address(host)
        if address is None or address.is_loopback:
            return ""
        wait = self._limiter.take_from_networks(self._hasher.networks_of(host))
        if not wait:
            return ""
        self._refused_until[client] = now + wait
        if len(self._refused_until) > MAX_REFUSED:
            self._refused_until.popitem(last=False)
        return LIMIT
