"""WebRTC: a data channel straight to the other side, or through a TURN server.

**Who learns what.** ICE cannot connect two machines that do not know each other's addresses: both session
descriptions go to the other side, through the server, which sees them. They name the addresses this machine
uses towards the Internet, what a STUN server saw of it and what a TURN server lent it, and nothing else
(:func:`tallow.app.channels.ice.discreet`). Browsers hide private addresses behind mDNS names; two command
lines on one network would no longer find each other by it. ``policy="relay"`` names no address of this
machine to anybody but the TURN server. Only the servers that were given are asked.

**On the channel** binary messages are the caller's. Text messages are its own, in words separated by spaces:
``ack N`` (N more bytes were taken), ``ping N``, ``pong N RECEIVED`` (packets so far), ``bye`` (nothing more
comes), ``got`` (all before your bye is here). A side has at most :data:`WINDOW` bytes on their way that were
not acknowledged, fewer on a short way: SCTP in aiortc does not hold a sender back, and a slow reader would
fill its own memory.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, Final, Literal

from aiortc import (
    InvalidStateError,
    RTCConfiguration,
    RTCDataChannel,
    RTCIceTransportPolicy,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.sdp import candidate_from_sdp

from tallow.app.channels import ice
from tallow.app.channels.channel import (
    ChannelClosedError,
    ChannelError,
    ConnectionPath,
    ConnectionQuality,
    SignalingExchange,
    TransferMethod,
    TraversalStrategy,
)

MAX_WINDOW: Final = 4 << 20
"""Bytes on their way at most; whoever sends more is cut off."""
MAX_BYTES_PER_SECOND: Final = 16e6
"""Bytes a second that aiortc can do. More bytes on their way than this makes in a round trip would only
overflow the receiver's socket, and a packet lost at the end costs a second."""
MIN_WINDOW: Final = 192 * 1024
"""Bytes on their way over the shortest round trip: as many packets fit into a socket of Linux."""
MAX_BUFFERED: Final = 1 << 20
"""Bytes that wait here for the network at most, give or take a message."""
ACK_EVERY: Final = 32 * 1024
MAX_MESSAGE: Final = 256 * 1024
"""What aiortc and browsers take. Messages of 64 KiB are the fastest."""
ASSUMED_MAX_MESSAGE: Final = 64 * 1024
"""Of a side that does not say (RFC 8841, section 6)."""
MAX_TEXT: Final = 64
PINGS: Final = 3
PING_TIMEOUT_S: Final = 5.0
PEER_SILENCE_S: Final = 5.0
"""Seconds without a packet after which the other side is not waited for any more."""
CLOSE_TIMEOUT_S: Final = 5.0

Role = Literal["sender", "receiver"]

for _chatty in ("aioice", "aiortc"):  # they log every address that is tried
    logging.getLogger(_chatty).setLevel(logging.WARNING)

_MAX_MESSAGE: Final = re.compile(r"^a=max-message-size:(\d{1,12})\r?$", re.MULTILINE)
_ENDED: Final = "the other side has ended the connection"


async def connect(
    role: Role,
    exchange: SignalingExchange,
    ice_servers: list[dict[str, Any]],
    *,
    policy: Literal["all", "relay"] = "all",
    timeout: float = 10.0,  # noqa: ASYNC109 - how long an attempt may take is the caller's to say
) -> WebRtcChannel:
    """Connect to the other side; the sender makes the offer.

    Args:
        role: this side's.
        exchange: signaling; it is read until the channel is open.
        ice_servers: as the server gives them: ``{"urls": [...], "username": ..., "credential": ...}``.
        policy: relay allows candidates of a TURN server alone.
        timeout: seconds until it has to be open.

    Raises:
        ChannelError: there is no way across, or not in time.
        ChannelClosedError: signaling ended, or the other side left.
    """
    if policy == "relay" and not any(
        url.startswith("turn") for entry in ice_servers for url in entry["urls"]
    ):
        raise ChannelError("no connection: the server offers no TURN server")
    try:
        wanted = RTCConfiguration(ice.rtc_ice_servers(ice_servers), RTCIceTransportPolicy(policy))
        channel = WebRtcChannel(RTCPeerConnection(wanted))
    except (AttributeError, KeyError, TypeError, ValueError):
        raise ChannelError("no connection: the server's list of STUN and TURN servers is not valid") from None
    try:
        async with asyncio.timeout(timeout):
            await channel.establish(role, exchange)
    except TimeoutError:
        raise ChannelError(f"no connection within {timeout:g} seconds") from None
    else:
        return channel
    finally:
        if not channel.is_open:
            await channel.abort("no connection")


class WebRtcChannel:
    """An open data channel; made by :func:`connect`.

    Attributes:
        path: relay if either end of the chosen pair is a TURN server's, else direct.
        strategy: host, stun or turn: how the way was found.
        established_s: seconds from the offer to the open channel.
    """

    method: TransferMethod = "p2p"
    path: ConnectionPath
    strategy: TraversalStrategy
    established_s: float

    def __init__(self, connection: RTCPeerConnection) -> None:
        self._connection = connection
        self._data: RTCDataChannel = connection.createDataChannel("tallow", negotiated=True, id=0)
        self._descriptions: tuple[bytes, ...] = ()
        self._max_message = ASSUMED_MAX_MESSAGE
        self._incoming: deque[bytes] = deque()
        self._incoming_bytes = 0  # bytes in it
        self._to_acknowledge = 0  # bytes that were taken, and not yet acknowledged
        self._in_flight = 0  # bytes that were sent, and not yet acknowledged
        self._window = MIN_WINDOW
        self._pongs: dict[str, int] = {}
        self._end_reason: str | None = None  # why nothing more can be sent, or will come
        self._bye_received = self._got_received = False
        self._signaling_ended = False  # signaling ended before the channel was open
        self._changed = asyncio.Event()
        self._closing: asyncio.Task[None] | None = None
        self._measuring: asyncio.Task[None] | None = None
        self._data.bufferedAmountLowThreshold = MAX_BUFFERED // 2
        for event in ("open", "bufferedamountlow"):
            self._data.on(event, self._notify)
        self._data.on("message", self._on_message)
        self._data.on("close", self._on_lost)
        connection.on("connectionstatechange", self._on_connection_state)

    @property
    def is_open(self) -> bool:
        """Whether it was established, and is not over."""
        return self._end_reason is None and hasattr(self, "established_s")

    @property
    def max_message(self) -> int:
        """Bytes: what both sides take."""
        return self._max_message

    @property
    def descriptions(self) -> tuple[bytes, ...]:
        """The offer and the answer, as this side saw them."""
        return self._descriptions

    async def send(self, message: bytes) -> None:
        """See :class:`tallow.app.channels.channel.Channel`.

        Raises:
            ValueError: the message is longer than ``max_message``.
        """
        if len(message) > self._max_message:
            raise ValueError(f"a message has at most {self._max_message} bytes")
        await self._wait_for(lambda: self._has_room(len(message)))
        self._raise_if_ended()
        self._in_flight += len(message)
        self._data.send(message)

    async def receive(self) -> bytes:
        """See :class:`tallow.app.channels.channel.Channel`."""
        await self._wait_for(lambda: bool(self._incoming) or self._bye_received)
        if not self._incoming:
            raise ChannelClosedError(self._end_reason or _ENDED)
        message = self._incoming.popleft()
        self._incoming_bytes -= len(message)
        self._to_acknowledge += len(message)
        if self._to_acknowledge >= ACK_EVERY:
            self._send_text(f"ack {self._to_acknowledge}")
            self._to_acknowledge = 0
        return message

    async def quality(self) -> ConnectionQuality:
        """Ask the other side: the shortest of some round trips, and the share of packets that got lost.

        Best asked when nothing is under way, as after a transfer: a question waits behind what was sent.

        Raises:
            ChannelClosedError: the channel is lost.
        """
        round_trips, loss = [], 0.0
        for number in map(str, range(PINGS)):
            self._pongs.pop(number, None)
            sent, started = ice.packet_counts(self._connection)[0], time.perf_counter()
            self._send_text(f"ping {number}")
            try:
                async with asyncio.timeout(PING_TIMEOUT_S):
                    await self._wait_for(partial(self._pongs.__contains__, number))
            except TimeoutError:
                return ConnectionQuality(PING_TIMEOUT_S, 1.0)
            self._raise_if_ended()
            round_trips.append(time.perf_counter() - started)
            loss = 1 - self._pongs[number] / sent if sent else 0.0
        return ConnectionQuality(min(round_trips), min(1.0, max(0.0, loss)))

    async def close(self) -> None:
        """See :class:`tallow.app.channels.channel.Channel`. It waits until the other side has what was sent,
        as long as that still answers."""
        if self._closing is None:
            self._closing = asyncio.create_task(self._close(), name="webrtc close")
        await asyncio.shield(self._closing)

    async def abort(self, why: str) -> None:
        """End it at once; what is under way may be lost."""
        self._end(why)
        closing = asyncio.ensure_future(self._connection.close())
        await asyncio.wait([closing], timeout=CLOSE_TIMEOUT_S)

    async def establish(self, role: Role, exchange: SignalingExchange) -> None:
        """Exchange descriptions, and wait until the channel is open; see :func:`connect`."""
        if role == "sender":
            started = time.perf_counter()
            offer = await self._send_description(exchange, "offer")
            answer = await self._receive_description(exchange, "answer")
        else:
            offer = await self._receive_description(exchange, "offer")
            started = time.perf_counter()
            answer = await self._send_description(exchange, "answer")
        self._descriptions = (offer.encode(), answer.encode())
        announced = _MAX_MESSAGE.search(answer if role == "sender" else offer)
        if announced:  # 0: no limit
            self._max_message = min(MAX_MESSAGE, int(announced[1]) or MAX_MESSAGE)
        listening = asyncio.create_task(self._receive_candidates(exchange), name="webrtc candidates")
        try:
            await self._wait_for(lambda: self._data.readyState == "open")
        finally:
            listening.cancel()
        if self._end_reason is not None:
            raise (ChannelClosedError if self._signaling_ended else ChannelError)(self._end_reason)
        self.established_s = time.perf_counter() - started
        self.path, self.strategy = ice.selected_path(self._connection)
        self._measuring = asyncio.create_task(self._measure_window(), name="webrtc window")

    async def _measure_window(self) -> None:
        """Send as much at once as the way is long."""
        with suppress(ChannelClosedError):
            round_trip = (await self.quality()).round_trip_s
            self._window = int(min(MAX_WINDOW, max(MIN_WINDOW, MAX_BYTES_PER_SECOND * round_trip)))
            self._notify()

    async def _send_description(self, exchange: SignalingExchange, kind: Literal["offer", "answer"]) -> str:
        """Gather candidates, and tell the other side."""
        await self._connection.setLocalDescription()
        description = ice.redact_addresses(self._connection.localDescription.sdp)
        if "a=candidate:" not in description:
            raise ChannelError("no connection: neither the network nor a TURN server gave an address")
        await exchange.send(kind, {"sdp": description})
        return description

    async def _receive_description(
        self, exchange: SignalingExchange, kind: Literal["offer", "answer"]
    ) -> str:
        """Wait for the other side's description."""
        came, data = await exchange.receive()
        while came != kind:
            came, data = await exchange.receive()
        description = data.get("sdp")
        try:
            if not isinstance(description, str) or "m=application" not in description:
                raise TypeError
            await self._connection.setRemoteDescription(RTCSessionDescription(description, kind))
        except Exception:  # noqa: BLE001 - the parser raises many kinds on what it does not expect
            raise ChannelError(f"no connection: the other side's {kind} cannot be read") from None
        return description

    async def _receive_candidates(self, exchange: SignalingExchange) -> None:
        """What the other side finds out later, as browsers do; and whether it leaves."""
        try:
            while True:
                kind, data = await exchange.receive()
                line = data.get("candidate")
                if kind == "candidate" and isinstance(line, str) and line:
                    with suppress(ValueError, AssertionError, IndexError):
                        candidate = candidate_from_sdp(line.removeprefix("candidate:"))
                        candidate.sdpMid = "0"
                        await self._connection.addIceCandidate(candidate)
        except ChannelClosedError as error:
            self._signaling_ended = True
            self._end(str(error))

    async def _close(self) -> None:
        self._send_text("bye")
        answering = -1
        while not self._got_received and self._end_reason is None:
            heard = ice.packet_counts(self._connection)[1]
            if heard == answering:
                break
            answering = heard
            with suppress(TimeoutError):
                async with asyncio.timeout(PEER_SILENCE_S):
                    await self._wait_for(lambda: self._got_received)
        await self.abort("the connection was closed")

    async def _wait_for(self, ready: Callable[[], bool]) -> None:
        """Wait until something is so, or the channel is over."""
        while self._end_reason is None and not ready():
            await self._changed.wait()

    def _notify(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    def _has_room(self, size: int) -> bool:
        # What the other side took may be unacknowledged up to ACK_EVERY: that must hold nothing back.
        under_way = self._in_flight < ACK_EVERY or self._in_flight + size <= self._window
        return under_way and self._data.bufferedAmount <= MAX_BUFFERED

    def _raise_if_ended(self) -> None:
        if self._end_reason is not None:
            raise ChannelClosedError(self._end_reason)

    def _send_text(self, text: str) -> None:
        with suppress(InvalidStateError):
            self._data.send(text)

    def _on_message(self, message: bytes | str) -> None:
        if isinstance(message, str):
            self._on_text(message)
        elif self._incoming_bytes + len(message) > MAX_WINDOW:
            why = "the other side sends more than it may"
            self._end(why)
            self._closing = self._closing or asyncio.create_task(self.abort(why), name="webrtc close")
        else:
            self._incoming.append(message)
            self._incoming_bytes += len(message)
        self._notify()

    def _on_text(self, text: str) -> None:
        match text.split(" ") if len(text) <= MAX_TEXT else []:
            case ["ack", count] if count.isdecimal():
                self._in_flight = max(0, self._in_flight - int(count))
            case ["ping", number]:
                self._send_text(f"pong {number} {ice.packet_counts(self._connection)[1]}")
            case ["pong", number, count] if count.isdecimal() and len(self._pongs) < PINGS:
                self._pongs[number] = int(count)
            case ["bye"]:
                self._bye_received = True
                self._send_text("got")
            case ["got"]:
                self._got_received = True

    def _on_connection_state(self) -> None:
        if self._connection.connectionState in {"failed", "closed"}:
            self._on_lost()

    def _on_lost(self) -> None:
        if not self._descriptions or self._data.readyState == "connecting":
            self._end("no connection: no way across was found")
        self._end(_ENDED if self._bye_received else "the direct connection was lost")

    def _end(self, why: str) -> None:
        if self._end_reason is None:
            self._end_reason = why
            self._notify()
