"""The configuration of coturn, the TURN server of the profile ``turn``."""

from __future__ import annotations

import re
import socket
from collections.abc import Mapping
from typing import Final

from tallow.monitoring.settings.errors import BadSettingError

PROFILE: Final = "turn"
_TURN_HOST: Final = re.compile(r"\bturn:(?:([\w.-]+)|(\[[0-9a-fA-F:.]+\]))")
"""The host of the first TURN server that peers are told: a name or an IPv4 address, or an IPv6 address."""
_OPTIONS: Final = (
    "listening-port=3478",
    "min-port=49160",
    "max-port=49200",
    "realm=tallow",
    "fingerprint",
    # Versions from 4.7 on have neither unless it is asked for.
    "no-cli",
    "no-dtls",
    "no-tls",
    # Peers use datagrams. A relay of TCP connections would reach HTTP services of this network.
    "no-tcp-relay",
    "no-multicast-peers",
    # Link-local addresses, with the metadata service of a cloud. Other private addresses stay allowed:
    # the container's own is one of them, and a peer reaches another one's relay there.
    "denied-peer-ip=169.254.0.0-169.254.255.255",
    "denied-peer-ip=fe80::-febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    "log-file=stdout",
    "simple-log",
    "pidfile=/tmp/turnserver.pid",
)


def coturn_config(values: Mapping[str, str]) -> str:
    """coturn's configuration; Tallow's TURN_SECRET is its shared secret.

    It tells peers the address at which they reach it: its own one is that of a container. It resolves a host
    name once, when it starts.

    Args:
        values: the operator's variables by name.
    """
    lines = [*_OPTIONS]
    host = _TURN_HOST.search(values.get("ICE_SERVERS", ""))
    if host and host[1]:
        lines += [f"external-ip={host[1]}"]
    if secret := values.get("TURN_SECRET"):
        lines += ["use-auth-secret", f"static-auth-secret={secret}"]
    else:
        lines += ["lt-cred-mech"]  # without a user nobody can use it: an open relay is worse than none
    return "".join(f"{line}\n" for line in lines)


def is_offered(values: Mapping[str, str]) -> bool:
    """Whether the operator's variables have a TURN server that peers are told."""
    return _TURN_HOST.search(values.get("ICE_SERVERS", "")) is not None


def require_address(values: Mapping[str, str]) -> None:
    """Refuse a host of ``ICE_SERVERS`` that coturn could not tell peers.

    coturn itself only logs such a host. It then tells peers the address of its container, which none reaches.

    Args:
        values: the operator's variables by name.

    Raises:
        BadSettingError: the host of the first TURN server is an IPv6 address, which containers do not have,
            or a name without an IPv4 address; one line.
    """
    host = _TURN_HOST.search(values.get("ICE_SERVERS", ""))
    if host is None:
        return
    if host[2]:
        raise _unusable(host[2], "an IPv6 address, and the container of coturn has none")
    try:
        socket.getaddrinfo(host[1], None, socket.AF_INET, socket.SOCK_DGRAM)
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a host name"
        raise _unusable(host[1], f"without an IPv4 address ({reason})") from None


def _unusable(host: str, reason: str) -> BadSettingError:
    accepted = "an IPv4 address, or a host name that has one"
    return BadSettingError(f"ICE_SERVERS has the TURN server {host}, {reason}; accepted: {accepted}")
