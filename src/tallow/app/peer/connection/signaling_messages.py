"""Signaling messages of the peer: those it sends, and the checks of those it receives."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, Literal, cast

from tallow.app.bounded_json import BadJsonError, parse_bounded
from tallow.app.crypto.sealed_signals import SignalSealer
from tallow.app.peer.link import Link
from tallow.app.room_ids import rooms_of_link
from tallow.app.wire import (
    FORWARDED_TYPES,
    PROTOCOL_VERSION,
    Device,
    ForwardedType,
    JoinMessage,
    Role,
    encode_base64url,
)

ChannelType = Literal["tcp", "webrtc", "relay"]
CHANNEL_TYPES: Final = frozenset({"tcp", "webrtc", "relay"})
MAX_VALUES: Final = 4096
"""Values of a message of the server: the answer to a join lists the ICE servers."""
MAX_CONFIRMATION_S: Final = 3600.0


@dataclass(frozen=True, slots=True)
class JoinedRoom:
    """The server's answer to a join.

    Attributes:
        room: the room of this transfer: for a receiver, one of the link's rooms that the server chose.
        rejoin_key: joins again in place of a lost connection.
        confirmation_limit: seconds that a receiver may take to confirm; None from a server that does not know
            confirmation.
    """

    room: str
    rejoin_key: str = field(repr=False)
    telemetry_token: str = field(repr=False)
    relay_ticket: str = field(repr=False)
    correlation_id: str
    ice_servers: list[dict[str, Any]] = field(repr=False)
    confirmation_limit: float | None = None


@dataclass(frozen=True, slots=True)
class ForwardedSignal:
    """An offer, answer or candidate that the other side sealed.

    Attributes:
        attempt: name of the connection attempt.
        data: what was sealed; ``refused`` is true if the other side does not use this type of channel.
    """

    type: ForwardedType
    attempt: str
    channel_type: ChannelType
    data: dict[str, object]


def join_message(
    link: Link,
    role: Role,
    device: Device = "cli",
    rejoin_key: str | None = None,
    *,
    room: str | None = None,
    do_not_track: bool = False,
) -> JoinMessage:
    """The first message of a peer.

    Args:
        room: one of the link's rooms; by default the one that the link names.
    """
    message: JoinMessage = {
        "type": "join",
        "version": PROTOCOL_VERSION,
        "room": room or link.room,
        "token": encode_base64url(link.join_token),
        "role": role,
        "device": device,
    }
    if rejoin_key:
        message["rejoin_key"] = rejoin_key
    if do_not_track:
        message["do_not_track"] = True
    return message


def parse_message(text: str | bytes) -> dict[str, Any]:
    """A message of the server; empty if it is not a JSON object, or has too many values."""
    try:
        message = parse_bounded(text, MAX_VALUES)
    except BadJsonError:
        return {}
    return message if isinstance(message, dict) else {}


def parse_joined(message: dict[str, Any], link: Link) -> JoinedRoom:
    """The server's answer to a join.

    Raises:
        ValueError: the message is not one, or names a room of another link.
    """
    try:
        if message["room"] not in rooms_of_link(link.room):
            raise ValueError("the answer to the join names another room")
        return JoinedRoom(
            str(message["room"]),
            str(message["rejoin_key"]),
            str(message["telemetry_token"]),
            str(message["relay_ticket"]),
            str(message["correlation_id"]),
            [_ice_server(server) for server in message["ice_servers"]],
            _confirmation_limit(message.get("confirmation_limit")),
        )
    except (KeyError, TypeError):
        raise ValueError("the answer to the join is incomplete") from None


class UnreadableSignalError(Exception):
    """The signal was sealed with another link's secret, or the server changed it."""


def parse_forwarded(message: dict[str, Any], sealer: SignalSealer) -> ForwardedSignal | None:
    """A signal of the other side; None if it is malformed.

    Raises:
        UnreadableSignalError: the other side did not seal it.
    """
    kind, envelope = message.get("type"), message.get("data")
    if kind not in FORWARDED_TYPES or not isinstance(envelope, dict):
        return None
    attempt, channel_type, sealed = (envelope.get(name) for name in ("attempt", "channel", "sealed"))
    if not (isinstance(attempt, str) and isinstance(sealed, str) and channel_type in CHANNEL_TYPES):
        return None
    data = sealer.open(str(kind), attempt, channel_type, sealed)
    if data is None:
        raise UnreadableSignalError
    return ForwardedSignal(cast("ForwardedType", kind), attempt, cast("ChannelType", channel_type), data)


def _ice_server(entry: dict[str, Any]) -> dict[str, Any]:
    """An RTCIceServer (W3C WebRTC, section 4.2.4) with its URLs as a list."""
    urls = entry["urls"]
    return entry | {"urls": [urls] if isinstance(urls, str) else [str(url) for url in urls]}


def _confirmation_limit(seconds: object) -> float | None:
    """The server's limit, restricted to a time that a person may be asked to wait."""
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        return None
    return min(max(seconds, 1.0), MAX_CONFIRMATION_S)
