"""How many requests one client may send in a minute.

On a connection that is kept, a request costs a client little more than its bytes, and the server a task, a
route and a response: without a limit one client with one connection uses a core.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from tallow.app.server.limits.client_address import ClientAddressHasher
from tallow.app.server.limits.rate_limit import KeyedRateLimiter
from tallow.monitoring.exposition import scrape
from tallow.monitoring.health import responses
from tallow.monitoring.integrations.http_server.limits import REQUEST_RATE, RequestRate, parse_address

LIMIT: Final = REQUEST_RATE
OPERATIONAL_PATHS: Final = frozenset((*scrape.PATHS, *responses.PATHS))
"""Health and metrics."""


class ClientRequestRates:
    """Decides on each request by the client's address. Wider networks are limited as for new rooms.

    The paths of health and metrics have a rate of their own: whoever shares an address with the operator's
    probes, behind one NAT, cannot use up theirs with other requests. Requests from this machine are not
    limited: they are the operator's probes, or a proxy's.

    Args:
        per_minute: requests of one address, and as many at once.
        clock: monotonic seconds.
    """

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._requests = KeyedRateLimiter(per_minute, clock)
        self._probes = KeyedRateLimiter(per_minute, clock)
        self._hasher = ClientAddressHasher()

    def of(self, host: str) -> RequestRate | None:
        """The rate of a client; None if it has none.

        It is the ``request_rate_of`` of
        :class:`tallow.monitoring.integrations.http_server.limits.ConnectionLimits`.

        Args:
            host: the client's address; empty on a Unix socket.
        """
        address = parse_address(host)
        if address is None or address.is_loopback:
            return None
        return partial(self._take, self._hasher.networks_of(host))

    def _take(self, networks: Sequence[bytes], path: str) -> float:
        limiter = self._probes if path in OPERATIONAL_PATHS else self._requests
        return limiter.take_from_networks(networks)
