"""Fault switches of the peers: ``TALLOW_PEER_FAULTS="name=amount,..."`` beside ``TALLOW_FAULTS=1``.

They wrap the real functions. A peer with faults only connects to servers on this machine.

===================  =============================================  =======================================
name                 amount                                         what happens
===================  =============================================  =======================================
delay_keys           seconds (a handshake has 3, in at most 20 s)    each ML-KEM operation takes longer
fail_keys            share of operations                            ML-KEM operations fail
break_confirmation   share of handshakes                            a ciphertext is corrupted
break_path           share of attempts                              TCP and WebRTC cannot connect
break_tcp            share of attempts                              TCP cannot connect
delay_path           seconds                                        TCP and WebRTC take longer to connect
throttle             bytes per second                               upper limit of a channel's rate
hold_start           seconds                                        both sides wait before data flows
fail_transfer        share of connections                           the sender's disk fails
===================  =============================================  =======================================
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import urlsplit

from tallow.app.faults import connection, key_exchange
from tallow.app.peer import server_client
from tallow.app.peer.errors import PeerError
from tallow.monitoring.http.auth import is_loopback

LIMITS: Final[Mapping[str, float]] = MappingProxyType(
    {
        "delay_keys": 60,
        "fail_keys": 1,
        "break_confirmation": 1,
        "break_path": 1,
        "break_tcp": 1,
        "delay_path": 300,
        "throttle": 1e10,
        "hold_start": 3600,
        "fail_transfer": 1,
    }
)
"""Upper limits; every amount is above 0."""

Undo = Callable[[], None]


class BadFaultError(Exception):
    """TALLOW_PEER_FAULTS is invalid; one line that names what is accepted."""


def parse(text: str) -> dict[str, float]:
    """Parse faults and their amounts.

    Raises:
        BadFaultError: a name is unknown, or an amount is invalid or out of bounds.
    """
    wanted = {}
    for part in filter(None, map(str.strip, text.split(","))):
        name, _, amount = map(str.strip, part.partition("="))
        if name not in LIMITS:
            raise BadFaultError(f"TALLOW_PEER_FAULTS: unknown fault; accepted: {', '.join(LIMITS)}")
        try:
            number = float(amount)
        except ValueError:
            number = math.nan
        if not 0 < number <= LIMITS[name]:
            raise BadFaultError(
                f"TALLOW_PEER_FAULTS: {name}: accepted: a number above 0 up to {LIMITS[name]:g}"
            )
        wanted[name] = number
    return wanted


def install(text: str) -> Undo:
    """Switch faults on in this process.

    Returns:
        A function that switches them off.

    Raises:
        BadFaultError: see :func:`parse`.
    """
    wanted = parse(text)
    patches: list[tuple[Any, str, Any]] = [
        (server_client.ServerClient, "__init__", _restrict_to_loopback(server_client.ServerClient.__init__))
    ]
    patches += key_exchange.patches(wanted)
    patches += connection.patches(wanted)
    before = [(owner, name, getattr(owner, name)) for owner, name, _ in patches]
    for owner, name, faulty in patches:
        setattr(owner, name, faulty)

    def undo() -> None:
        for owner, name, real in before:
            setattr(owner, name, real)

    return undo


def _restrict_to_loopback(init: Callable[..., None]) -> Callable[..., None]:
    def checked(self: server_client.ServerClient, origin: str, *more: Any, **options: Any) -> None:
        host = urlsplit(origin).hostname or ""
        if host != "localhost" and not is_loopback(host):
            text = "TALLOW_FAULTS is on; accepted with it: a server on this machine (127.0.0.1, ::1)"
            raise PeerError(text, "validation", "low")
        init(self, origin, *more, **options)

    return checked
