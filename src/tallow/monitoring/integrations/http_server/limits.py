"""Limits on the connections of an HTTP server, and the descriptors that the process may open."""

from __future__ import annotations

import ipaddress
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

if sys.platform != "win32":  # it has no such limit
    import resource

RESERVED_CONNECTIONS: Final = 32
"""Connections above the limits that are accepted for the operational endpoints alone."""
MIN_CONNECTIONS: Final = 16
"""The total that is allowed even if the descriptor limit is lower than the reserve."""

MALFORMED: Final = "malformed_request"
"""Reported in place of a limit: a request that is no HTTP."""

REQUEST_RATE: Final = "requests_per_minute"
"""Reported when :attr:`ConnectionLimits.request_rate_of` has the client wait."""

REFUSALS: Final = (
    *("connections_per_address", "max_connections", "reserved_descriptors"),
    *("max_header_bytes", "header_timeout", "body_timeout", "write_timeout", MALFORMED),
)
"""What :attr:`ConnectionLimits.on_refusal` is called with, beside the names that ``refused_by`` returns and
:data:`REQUEST_RATE` where there is one."""

IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

RequestRate = Callable[[str], float]
"""Called with the path of each request of a client; returns 0, or the seconds to wait if it is refused."""


def ignore_refusal(_limit: str) -> None:
    """Do nothing: the default of :attr:`ConnectionLimits.on_refusal`."""


def refuse_nobody(_host: str) -> str:
    """No limit: the default of :attr:`ConnectionLimits.refused_by`."""
    return ""


def no_request_rate(_host: str) -> RequestRate | None:
    """No limit: the default of :attr:`ConnectionLimits.request_rate_of`."""
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionLimits:
    """Limits on connections. Times are in seconds.

    Attributes:
        header_timeout: from the connection, or from the first byte of a further request, to the end of the
            request's header. A TLS handshake is included.
        body_timeout: from the end of the header to the end of the body.
        write_timeout: for which a client may not read a response.
        keep_alive_timeout: for which a connection is kept without a request.
        max_header_bytes: size of a request's line and header.
        connections_per_address: connections of one IPv4 address or IPv6 /64 network at a time, without its
            WebSockets.
        max_connections: connections at a time, with WebSockets.
        reserved_descriptors: that connections leave free, for log files, databases, caches and the reserved
            connections.
        descriptors_per_connection: that a connection may need; 2 if it may be forwarded to another process.
        trusted_proxies: their connections are counted in the total only, as they carry many clients.
        operational_paths: served above the limits, to the operator's probes.
        refused_by: called with the address of each new connection that is not a trusted proxy's. It returns
            the name of a limit to close the connection at once, before a TLS handshake, or an empty text.
        request_rate_of: called with the address of each connection that sends a request and is not a trusted
            proxy's. It returns what limits the rate of the client's requests; None: nothing does. A request
            beyond the rate is answered 429, and the connection is closed. WebSockets are not limited: each
            needs a connection.
        on_refusal: called for each connection or request that is refused, with the name of the attribute
            that is the limit, the name that ``refused_by`` returned, :data:`REQUEST_RATE`, or
            :data:`MALFORMED`. None of these may wait or raise.
    """

    header_timeout: float = 10.0
    body_timeout: float = 30.0
    write_timeout: float = 60.0
    keep_alive_timeout: float = 15.0
    max_header_bytes: int = 32 * 1024
    connections_per_address: int = 100
    max_connections: int = 10_000
    reserved_descriptors: int = 128
    descriptors_per_connection: int = 1
    trusted_proxies: tuple[IpNetwork, ...] = ()
    operational_paths: frozenset[str] = frozenset()
    refused_by: Callable[[str], str] = refuse_nobody
    request_rate_of: Callable[[str], RequestRate | None] = no_request_rate
    on_refusal: Callable[[str], None] = ignore_refusal

    @property
    def total(self) -> int:
        """Connections at a time that the descriptor limit allows, at most ``max_connections``."""
        allowed = descriptor_limit()
        if allowed is None:
            return self.max_connections
        free = (allowed - self.reserved_descriptors) // self.descriptors_per_connection
        return min(self.max_connections, max(free, MIN_CONNECTIONS))

    def is_trusted_proxy(self, host: str) -> bool:
        """Whether an address is one of a trusted proxy."""
        if not self.trusted_proxies:
            return False
        address = parse_address(host)
        return address is not None and any(
            address in network for network in self.trusted_proxies if network.version == address.version
        )


def parse_address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """An address without its zone, an IPv4 address mapped into IPv6 as IPv4; None if it is none.

    Example:
        >>> parse_address("fe80::1%eth0"), parse_address("::ffff:192.0.2.1"), parse_address("x")
        (IPv6Address('fe80::1'), IPv4Address('192.0.2.1'), None)
    """
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def address_prefix(host: str) -> bytes:
    """What counts as one client: an IPv4 address, or the /64 network of an IPv6 address (RFC 6177).

    Example:
        >>> address_prefix("2001:db8::1") == address_prefix("2001:db8::ffff")
        True
    """
    address = parse_address(host)
    if address is None:
        return b""
    return address.packed if address.version == 4 else address.packed[:8]


def descriptor_limit() -> int | None:
    """The soft limit on open descriptors; None if there is none."""
    if sys.platform == "win32":
        return None
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return None if soft == resource.RLIM_INFINITY else soft


def raise_descriptor_limit() -> int | None:
    """Raise the soft limit on open descriptors to the hard one; returns the limit that holds then.

    Child processes inherit it. macOS may refuse the hard limit: the soft one stays as it is then.
    """
    if sys.platform != "win32":
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        try:
            if soft != hard:
                resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        except (OSError, ValueError):
            return descriptor_limit()
    return descriptor_limit()
