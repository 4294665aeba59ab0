"""The interface of a channel: ordered, reliable binary messages between the two peers of a room."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from tallow.app.wire import ForwardedType, TransferMethod

ConnectionPath = Literal["direct", "relay"]
DirectTransport = Literal["tcp", "webrtc"]
TraversalStrategy = Literal["host", "stun", "turn"]


class ChannelError(Exception):
    """A channel could not be opened, or was lost. The text is one line that names no address."""


class ChannelClosedError(ChannelError):
    """The channel was closed by either side; no more messages come."""


@dataclass(frozen=True, slots=True)
class ConnectionQuality:
    """Round trip in seconds, and share of lost packets from 0 to 1."""

    round_trip_s: float
    loss: float


class Channel(Protocol):
    """An open channel.

    Attributes:
        method: p2p (directly, or through TURN) or relay (Tallow's own relay).
        path: relay if a TURN server forwards the packets, else direct; None for Tallow's own relay.
        max_message: size limit of a message in bytes.
        best_message: size of the messages that are transferred fastest, in bytes.
        descriptions: WebRTC's offer and answer, else empty. They are part of the handshake's transcript, so
            that a server which replaces a DTLS fingerprint is detected.
    """

    @property
    def method(self) -> TransferMethod: ...

    @property
    def path(self) -> ConnectionPath | None: ...

    @property
    def max_message(self) -> int: ...

    @property
    def best_message(self) -> int: ...

    @property
    def descriptions(self) -> tuple[bytes, ...]: ...

    async def send(self, message: bytes) -> None:
        """Send a message. Waits while the other side is slow, so that memory use is bounded.

        Raises:
            ChannelClosedError: it cannot be delivered.
        """

    async def receive(self) -> bytes:
        """Wait for the next message.

        Raises:
            ChannelClosedError: the channel is closed.
        """

    async def quality(self) -> ConnectionQuality | None:
        """Measure the connection; None if this channel cannot.

        Raises:
            ChannelClosedError: the channel is closed.
        """

    async def close(self) -> None:
        """Close it after all sent messages are delivered. Never raises; a second call does nothing."""


class SignalingExchange(Protocol):
    """Signaling for one channel while it is opened: offers, answers and candidates."""

    async def send(self, kind: ForwardedType, data: dict[str, object]) -> None:
        """Send a signal to the other side."""

    async def receive(self) -> tuple[ForwardedType, dict[str, object]]:
        """Wait for the other side's next signal.

        Raises:
            ChannelClosedError: signaling was lost, or the other side left.
        """
