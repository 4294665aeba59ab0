"""The setup of a WebRTC connection: session descriptions and candidates over signaling."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Literal

from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.sdp import candidate_from_sdp

from tallow.app.channels import ice
from tallow.app.channels.channel import ChannelError, SignalingExchange
from tallow.app.wire import Role

Description = Literal["offer", "answer"]


class WebRtcNegotiation:
    """One negotiation; the sender makes the offer.

    Attributes:
        started_at: when the first description was made or received (``time.perf_counter``).
    """

    def __init__(self, connection: RTCPeerConnection, exchange: SignalingExchange) -> None:
        self._connection = connection
        self._exchange = exchange
        self.started_at = 0.0

    async def exchange_descriptions(self, role: Role) -> tuple[str, str]:
        """Exchange session descriptions.

        Returns:
            Offer and answer.

        Raises:
            ChannelError: there is no candidate, or the other side's description is invalid.
            ChannelClosedError: signaling was lost, or the other side left.
        """
        if role == "sender":
            self.started_at = time.perf_counter()
            return await self._send("offer"), await self._receive("answer")
        offer = await self._receive("offer")
        self.started_at = time.perf_counter()
        return offer, await self._send("answer")

    async def receive_candidates(self) -> None:
        """Add candidates that the other side finds later, as browsers do, until signaling ends.

        Raises:
            ChannelClosedError: signaling was lost, or the other side left.
        """
        while True:
            kind, data = await self._exchange.receive()
            line = data.get("candidate")
            if kind == "candidate" and isinstance(line, str) and line:
                with suppress(ValueError, AssertionError, IndexError):
                    candidate = candidate_from_sdp(line.removeprefix("candidate:"))
                    candidate.sdpMid = "0"
                    await self._connection.addIceCandidate(candidate)

    async def _send(self, kind: Description) -> str:
        """Gather candidates and send this side's description."""
        await self._connection.setLocalDescription()
        description = ice.redact_addresses(self._connection.localDescription.sdp)
        if "a=candidate:" not in description:
            raise ChannelError("no connection: neither the network nor a TURN server provides an address")
        await self._exchange.send(kind, {"sdp": description})
        return description

    async def _receive(self, kind: Description) -> str:
        """Wait for the other side's description."""
        received, data = await self._exchange.receive()
        while received != kind:
            received, data = await self._exchange.receive()
        description = data.get("sdp")
        try:
            if not isinstance(description, str) or "m=application" not in description:
                raise TypeError
            await self._connection.setRemoteDescription(RTCSessionDescription(description, kind))
        except Exception:  # noqa: BLE001 - the parser raises many kinds of errors on malformed text
            raise ChannelError(f"no connection: the other side's {kind} cannot be read") from None
        return description
