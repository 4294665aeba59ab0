"""The protocol between peers and server: every name and number that both sides must agree on.

``docs/protocol.md`` explains it. The server, the command-line peer and the demo's raw client import it from
here.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import Any, Final, Literal, NotRequired, TypedDict

from tallow.monitoring.catalog import METRICS, Metric

PROTOCOL_VERSION: Final = 2
REPORT_VERSION: Final = 1

ROOMS_PATH: Final = "/api/rooms"
INFO_PATH: Final = "/api/info"
OPENAPI_PATH: Final = "/api/openapi.json"
TELEMETRY_PATH: Final = "/api/telemetry"
SIGNAL_PATH: Final = "/api/signal"
RELAY_PATH: Final = "/api/relay"

Role = Literal["sender", "receiver"]
Device = Literal["cli", "desktop", "mobile", "other"]
TransferMethod = Literal["relay", "p2p"]
TransferOutcome = Literal["success", "failed", "cancelled"]
ForwardedType = Literal["offer", "answer", "candidate"]
PeerEvent = Literal["joined", "left", "lost"]
ConfirmationState = Literal["pending", "given"]

ROLES: Final[tuple[Role, ...]] = ("sender", "receiver")
OUTCOMES: Final[tuple[TransferOutcome, ...]] = ("success", "failed", "cancelled")
FORWARDED_TYPES: Final[tuple[ForwardedType, ...]] = ("offer", "answer", "candidate")
"""Signaling messages that the server passes to the other peer as they are."""

ROOM_ID: Final = re.compile(r"[a-z2-7]{16}")
JOIN_TOKEN_BYTES: Final = 32
MAX_RECEIVERS: Final = 20
"""Receivers of one link. Each has a room of its own, see :mod:`tallow.app.room_ids`."""
TOKEN_HASH: Final = re.compile(r"[0-9a-f]{64}")
"""SHA-256 of a join token."""

MAX_SIGNALING_BYTES: Final = 64 * 1024
MAX_SIGNALING_DEPTH: Final = 8
MAX_SIGNALING_VALUES: Final = 256
"""Values of a signaling message: lists, objects, members and elements in all."""
SIGNALING_MESSAGES_PER_SECOND: Final = 50
SIGNALING_BURST: Final = 300
MAX_PAYLOAD_BYTES: Final = 256 * 1024
"""Payload of one encrypted frame."""
MAX_RELAY_MESSAGE_BYTES: Final = MAX_PAYLOAD_BYTES + 64
"""A frame with its header and tag."""
MAX_REPORT_BYTES: Final = 64 * 1024
MAX_REPORT_DEPTH: Final = 6
MAX_REPORT_VALUES: Final = 16_384

CloseReason = Literal[
    "bad_message",
    "bad_version",
    "unknown_room",
    "role_taken",
    "too_large",
    "rate_limited",
    "expired",
    "internal",
    "taken_over",
    "timeout",
    "peer_gone",
]
ErrorCode = CloseReason | Literal["no_peer"]
"""Code of an ``error`` message. The server closes the socket after all of them but ``no_peer``."""

NORMAL_CLOSURE: Final = 1000
CLOSE_CODES: Final[Mapping[CloseReason, int]] = {
    "bad_message": 4000,
    "bad_version": 4001,
    "unknown_room": 4002,
    "role_taken": 4003,
    "too_large": 4004,
    "rate_limited": 4005,
    "expired": 4006,
    "internal": 4007,
    "taken_over": 4008,
    "timeout": 4009,
    "peer_gone": 4100,
}
"""Close codes of both WebSockets. 4000 to 4999 are an application's own (RFC 6455, section 7.4.2)."""
CLOSE_REASONS: Final[Mapping[int, CloseReason]] = {code: reason for reason, code in CLOSE_CODES.items()}

REPORTED_METRICS: Final[Mapping[str, Metric]] = {
    name: metric
    for name, metric in METRICS.items()
    if metric.source in {"peer", "both"} and metric.kind in {"counter", "histogram"}
}
"""Metrics that a telemetry report may hold. All others are the server's own."""

FEATURES: Final = (
    "send",
    "receive",
    "resume",
    "multiple_files",
    "relay_only",
    "keep_metadata",
    "json_output",
    "qr_code",
    "text",
    "folder",
    "share_target",
    "file_handler",
)
"""Values of the label ``feature`` of ``feature_usage_total`` in reports."""


class JoinMessage(TypedDict):
    """First message of a peer. ``token`` is the join token in base64url.

    ``do_not_track``: the person does not want to be counted in usage statistics.
    """

    type: Literal["join"]
    version: int
    room: str
    token: str
    role: Role
    device: Device
    rejoin_key: NotRequired[str]
    do_not_track: NotRequired[bool]


class ForwardedMessage(TypedDict):
    """Passed to the other peer as it is."""

    type: ForwardedType
    data: dict[str, Any]


class StartedMessage(TypedDict):
    """From the sender: data flows from now on."""

    type: Literal["started"]
    method: TransferMethod


class ConfirmationMessage(TypedDict):
    """From the receiver, and passed to the sender: the person is asked, or has agreed."""

    type: Literal["confirmation"]
    state: ConfirmationState


class LeaveMessage(TypedDict):
    """Last message of a peer. With an outcome, the transfer is over.

    ``resumable``: without success, that the peers may come back.
    """

    type: Literal["leave"]
    outcome: NotRequired[TransferOutcome]
    resumable: NotRequired[bool]


class RelayMessage(TypedDict):
    """First message on a relay socket."""

    type: Literal["relay"]
    ticket: str


class JoinedMessage(TypedDict):
    """The server's answer to a join.

    ``room``: the room of this transfer; a receiver may have named another room of the link. ``peer``: whether
    the other peer is in the room. ``rejoin_key``: joins again in place of a lost socket.
    ``confirmation_limit``: seconds that a receiver may take to confirm.
    """

    type: Literal["joined"]
    room: str
    peer: bool
    rejoin_key: str
    telemetry_token: str
    relay_ticket: str
    correlation_id: str
    ice_servers: list[dict[str, Any]]
    confirmation_limit: float


class PeerMessage(TypedDict):
    """From the server: the other peer joined, left, or lost its connection."""

    type: Literal["peer"]
    event: PeerEvent
    outcome: NotRequired[TransferOutcome]
    resumable: NotRequired[bool]


class ErrorMessage(TypedDict):
    """From the server: a refusal. ``message`` is one line for people."""

    type: Literal["error"]
    code: ErrorCode
    message: str


class PairedMessage(TypedDict):
    """From the relay: both peers are connected; binary messages may follow."""

    type: Literal["paired"]


ServerMessage = JoinedMessage | PeerMessage | ConfirmationMessage | ForwardedMessage | ErrorMessage
"""What the server sends on a signaling socket."""


def encode_base64url(data: bytes) -> str:
    """Base64url without padding (RFC 4648, section 5).

    >>> encode_base64url(b"tallow")
    'dGFsbG93'
    """
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def decode_base64url(text: str) -> bytes:
    """The bytes of base64url without padding.

    Raises:
        ValueError: ``text`` is not base64url.

    >>> decode_base64url("dGFsbG93")
    b'tallow'
    """
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
