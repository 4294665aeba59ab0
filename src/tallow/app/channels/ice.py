"""ICE through aiortc: server list, candidates sent to the other side, the selected candidate pair."""

from __future__ import annotations

import ipaddress
import re
import socket
from typing import Final

from aiortc import RTCIceServer, RTCPeerConnection

from tallow.app.channels.channel import ConnectionPath, TraversalStrategy
from tallow.app.channels.ice_servers import IceServers

# Documentation addresses (RFC 5737, RFC 3849): no host has them, so they use the default route.
_UNUSED_ADDRESSES: Final = ((socket.AF_INET, "192.0.2.255"), (socket.AF_INET6, "2001:db8::ffff"))
_CANDIDATE: Final = re.compile(
    r"a=candidate:\S+ \d+ \S+ \d+ (?P<address>\S+) \d+ typ (?P<type>\S+)(?P<rest>.*)"
)
_RELATED: Final = re.compile(r"raddr \S+ rport \d+")
_MEDIA: Final = re.compile(r"m=application \d+ ")


def rtc_ice_servers(servers: IceServers) -> list[RTCIceServer]:
    """The server's list of STUN and TURN servers for aiortc. An empty list stays empty: without a list
    aiortc asks a public STUN server."""
    return [
        RTCIceServer(urls=entry["urls"], username=entry.get("username"), credential=entry.get("credential"))
        for entry in servers
    ]


def redact_addresses(description: str) -> str:
    """Remove addresses from a session description that a direct connection does not need.

    Of this machine's addresses, only those of the default route stay (RFC 8828, mode 2): not those of
    containers, virtual machines, a second network, or a VPN beside the default route. Without a default route
    all but link-local ones stay, so that an isolated network works. The related address of a STUN or TURN
    candidate is removed, too.
    """
    lines = description.split("\r\n")
    hosts = [found["address"] for line in lines if (found := _candidate(line)) and found["type"] == "host"]
    kept = _default_route_addresses() & set(hosts) or {
        address for address in hosts if not ipaddress.ip_address(address).is_link_local
    }
    return "\r\n".join(_redact_line(line) for line in lines if _is_kept(line, kept))


def selected_path(connection: RTCPeerConnection) -> tuple[ConnectionPath, TraversalStrategy]:
    """Path and strategy of the candidate pair that ICE selected.

    A remote address that was not announced (peer reflexive) was found by a STUN check and counts as stun.
    """
    # aiortc has no public attribute for the selected pair.
    assert connection.sctp is not None
    [pair] = connection.sctp.transport.transport._connection._nominated.values()
    types = {pair.local_candidate.type, pair.remote_candidate.type}
    if "relay" in types:
        return "relay", "turn"
    return "direct", "host" if types == {"host"} else "stun"


def packet_counts(connection: RTCPeerConnection) -> tuple[int, int]:
    """Packets sent and received."""
    assert connection.sctp is not None
    [stats] = connection.sctp.transport._get_stats().values()
    return stats.packetsSent, stats.packetsReceived


def _default_route_addresses() -> set[str]:
    found = set()
    for family, address in _UNUSED_ADDRESSES:
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as probe:
                probe.connect((address, 9))  # selects a source address; sends nothing
                found.add(probe.getsockname()[0])
        except OSError:
            continue
    return found


def _candidate(line: str) -> re.Match[str] | None:
    return _CANDIDATE.fullmatch(line)


def _is_kept(line: str, kept: set[str]) -> bool:
    found = _candidate(line)
    return found is None or found["type"] != "host" or found["address"] in kept


def _redact_line(line: str) -> str:
    if line.startswith("c=IN "):  # the default candidate, which ICE does not use
        return "c=IN IP4 0.0.0.0"
    return _MEDIA.sub("m=application 9 ", _RELATED.sub("raddr 0.0.0.0 rport 9", line))
