"""What a way across offers: an ordered, reliable pipe of binary messages between the two peers of a room."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

TransferMethod = Literal["p2p", "relay"]
ConnectionPath = Literal["direct", "relay"]
TraversalStrategy = Literal["host", "stun", "turn"]


class ChannelError(Exception):
    """A way across could not be opened, or was lost: one line for people, naming no address."""


class ChannelClosedError(ChannelError):
    """The channel ended, here or there; nothing more will come."""


@dataclass(frozen=True, slots=True)
class ConnectionQuality:
    """How a connection does: round trip in seconds, share of packets lost from 0 to 1."""

    round_trip_s: float
    loss: float


class Channel(Protocol):
    """An open way across.

    Attributes:
        method: p2p (data goes directly, or through TURN under ICE) or relay (through Tallow's own relay).
        max_message: the most bytes one message may have.
        descriptions: what both sides must have seen alike of how the channel was made: for WebRTC the
            offer's and the answer's session description. They enter the transcript of the handshake, so that
            a server which exchanged a DTLS fingerprint is detected.
    """

    @property
    def method(self) -> TransferMethod: ...

    @property
    def max_message(self) -> int: ...

    @property
    def descriptions(self) -> tuple[bytes, ...]: ...

    async def send(self, message: bytes) -> None:
        """Hand a message over; waits while the other side is slow, so that memory stays flat.

        Raises:
            ChannelClosedError: it cannot be delivered any more.
        """

    async def receive(self) -> bytes:
        """The next message.

        Raises:
            ChannelClosedError: there will be none.
        """

    async def close(self) -> None:
        """End it; what was sent before still arrives. Never raises, and a second time does nothing."""


class SignalingExchange(Protocol):
    """Signaling as a channel needs it while it is being opened: offers, answers and candidates."""

    async def send(self, kind: Literal["offer", "answer", "candidate"], data: dict[str, object]) -> None:
        """Pass a message to the other side."""

    async def receive(self) -> tuple[Literal["offer", "answer", "candidate"], dict[str, object]]:
        """The other side's next message.

        Raises:
            ChannelClosedError: signaling ended, or the other side left.
        """
