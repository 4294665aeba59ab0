"""What ICE says of this machine to the other side, and which pair of candidates it chose."""

from __future__ import annotations

import ipaddress
import re
import socket
from typing import Any, Final

from aiortc import RTCIceServer, RTCPeerConnection

from tallow.app.channels.channel import ConnectionPath, TraversalStrategy

# Addresses for documentation (RFC 5737, RFC 3849): nobody's, so that they are routed by the default route.
_ANYWHERE: Final = ((socket.AF_INET, "192.0.2.255"), (socket.AF_INET6, "2001:db8::ffff"))
_CANDIDATE: Final = re.compile(
    r"a=candidate:\S+ \d+ \S+ \d+ (?P<address>\S+) \d+ typ (?P<type>\S+)(?P<rest>.*)"
)
_RELATED: Final = re.compile(r"raddr \S+ rport \d+")
_MEDIA: Final = re.compile(r"m=application \d+ ")


def rtc_ice_servers(given: list[dict[str, Any]]) -> list[RTCIceServer]:
    """The server's list of STUN and TURN servers as aiortc wants it. (An empty list stays one: without any,
    aiortc would ask a public STUN server.)"""
    return [
        RTCIceServer(urls=entry["urls"], username=entry.get("username"), credential=entry.get("credential"))
        for entry in given
    ]


def has_turn(given: list[dict[str, Any]]) -> bool:
    """Whether one of them is a TURN server."""
    return any(url.startswith("turn") for entry in given for url in entry["urls"])


def redact_addresses(description: str) -> str:
    """A session description that names no more addresses than a direct way needs.

    Of this machine's own addresses those stay that it uses towards the Internet (RFC 8828, mode 2): not those
    of other interfaces (containers, virtual machines, a second network, a VPN beside the way out). Without a
    way out all but link-local ones stay, so that a network of its own works. The address behind a STUN or
    TURN candidate goes too.
    """
    lines = description.split("\r\n")
    hosts = [found["address"] for line in lines if (found := _candidate(line)) and found["type"] == "host"]
    kept = _default_route_addresses() & set(hosts) or {
        address for address in hosts if not ipaddress.ip_address(address).is_link_local
    }
    return "\r\n".join(_redact_line(line) for line in lines if _is_kept(line, kept))


def selected_path(connection: RTCPeerConnection) -> tuple[ConnectionPath, TraversalStrategy]:
    """The path and the strategy of the pair that ICE chose.

    A remote address that nobody announced (peer reflexive) was found out by a STUN check: it counts as stun.
    """
    # aiortc has no public way to the selected pair.
    assert connection.sctp is not None
    [pair] = connection.sctp.transport.transport._connection._nominated.values()
    types = {pair.local_candidate.type, pair.remote_candidate.type}
    if "relay" in types:
        return "relay", "turn"
    return "direct", "host" if types == {"host"} else "stun"


def packet_counts(connection: RTCPeerConnection) -> tuple[int, int]:
    """How many packets were sent and received."""
    assert connection.sctp is not None
    [stats] = connection.sctp.transport._get_stats().values()
    return stats.packetsSent, stats.packetsReceived


def _default_route_addresses() -> set[str]:
    found = set()
    for family, anywhere in _ANYWHERE:
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as probe:
                probe.connect((anywhere, 9))  # chooses a source address; sends nothing
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
    if line.startswith("c=IN "):  # the default candidate's, which ICE does not use
        return "c=IN IP4 0.0.0.0"
    return _MEDIA.sub("m=application 9 ", _RELATED.sub("raddr 0.0.0.0 rport 9", line))
