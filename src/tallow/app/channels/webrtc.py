"""A channel over WebRTC: a data channel, directly or through a TURN server.

**Addresses.** ICE needs the addresses of both machines: both session descriptions go to the other side
through the server, which sees them. They hold the addresses of the default route, those that a STUN server
saw and those that a TURN server assigned, and no others (:func:`tallow.app.channels.ice.redact_addresses`).
Browsers replace private addresses by mDNS names; two command-line peers on one network could not find each
other that way. With ``policy="relay"`` only the TURN server learns this machine's address. Only the given
servers are asked.

**Messages.** Binary messages are the caller's. Text messages are control messages, words separated by spaces:
``ack N`` (N more bytes were received), ``ping N``, ``pong N RECEIVED`` (packets received so far), ``bye`` (no
more messages come), ``got`` (everything before your ``bye`` was received). Acknowledgements drive the flow
control of :mod:`tallow.app.channels.flow_control`.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Final, Literal

from aiortc import (
    InvalidStateError,
    RTCConfiguration,
    RTCDataChannel,
    RTCIceTransportPolicy,
    RTCPeerConnection,
)

from tallow.app.channels import ice
from tallow.app.channels.channel import (
    ChannelClosedError,
    ChannelError,
    ConnectionPath,
    ConnectionQuality,
    DirectTransport,
    SignalingExchange,
    TraversalStrategy,
)
from tallow.app.channels.flow_control import ReceiveBuffer, SendWindow
from tallow.app.channels.ice_servers import IceServers, has_turn
from tallow.app.channels.webrtc_errors import ignore_background_errors
from tallow.app.channels.webrtc_negotiation import WebRtcNegotiation
from tallow.app.wire import MAX_PAYLOAD_BYTES, Role, TransferMethod

MAX_BUFFERED: Final = 1 << 20
"""Bytes that wait for the network in aiortc, plus at most one message."""
MAX_MESSAGE: Final = MAX_PAYLOAD_BYTES
"""The largest message that aiortc and browsers accept."""
BEST_MESSAGE: Final = 64 * 1024
"""The fastest size; every browser accepts it."""
ASSUMED_MAX_MESSAGE: Final = 64 * 1024
"""The limit of a side that announces none (RFC 8841, section 6)."""
MAX_TEXT: Final = 64
PINGS: Final = 3
PING_TIMEOUT_S: Final = 5.0
PEER_SILENCE_S: Final = 5.0
"""Seconds without a packet after which closing no longer waits for the other side."""
CLOSE_TIMEOUT_S: Final = 5.0

for _logger in ("aioice", "aiortc"):  # they log every address that is tried
    logging.getLogger(_logger).setLevel(logging.WARNING)

_MAX_MESSAGE: Final = re.compile(r"^a=max-message-size:(\d{1,12})\r?$", re.MULTILINE)
_ENDED: Final = "the other side has ended the connection"


async def connect(
    role: Role,
    exchange: SignalingExchange,
    ice_servers: IceServers,
    *,
    policy: Literal["all", "relay"] = "all",
    timeout: float = 10.0,  # noqa: ASYNC109 - the caller sets the limit
) -> WebRtcChannel:
    """Connect to the other side; the sender makes the offer.

    Args:
        role: this side's role.
        exchange: signaling; it is read until the channel is open.
        ice_servers: STUN and TURN servers to use.
        policy: relay uses candidates of a TURN server only.
        timeout: seconds until the channel must be open.

    Raises:
        ChannelError: no connection is possible, or not in time.
        ChannelClosedError: signaling was lost, or the other side left.
    """
    if policy == "relay" and not has_turn(ice_servers):
        raise ChannelError("no connection: the server offers no TURN server")
    ignore_background_errors(asyncio.get_running_loop())
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
    """An open data channel. Made by :func:`connect`.

    Attributes:
        path: relay if either end of the selected pair is a TURN server's, else direct.
        strategy: host, stun or turn: the kind of the selected candidates.
        established_s: seconds from the offer to the open channel.
    """

    method: TransferMethod = "p2p"
    transport: DirectTransport = "webrtc"
    path: ConnectionPath
    strategy: TraversalStrategy
    established_s: float

    def __init__(self, connection: RTCPeerConnection) -> None:
        self._connection = connection
        self._data: RTCDataChannel = connection.createDataChannel("tallow", negotiated=True, id=0)
        self._descriptions: tuple[bytes, ...] = ()
        self._max_message = ASSUMED_MAX_MESSAGE
        self._received = ReceiveBuffer()
        self._window = SendWindow()
        self._pongs: dict[str, int] = {}
        self._end_reason: str | None = None  # set once the channel is closed
        self._bye_received = self._got_received = False
        self._signaling_ended = False  # before the channel was open
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
        """Whether it was opened and is not closed."""
        return self._end_reason is None and hasattr(self, "established_s")

    @property
    def max_message(self) -> int:
        """Bytes that both sides accept."""
        return self._max_message

    @property
    def best_message(self) -> int:
        """Bytes of the fastest messages."""
        return min(BEST_MESSAGE, self._max_message)

    @property
    def descriptions(self) -> tuple[bytes, ...]:
        """Offer and answer, as this side saw them."""
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
        self._window.sent(len(message))
        self._data.send(message)

    async def receive(self) -> bytes:
        """See :class:`tallow.app.channels.channel.Channel`."""
        await self._wait_for(lambda: bool(self._received) or self._bye_received)
        if not self._received:
            raise ChannelClosedError(self._end_reason or _ENDED)
        message, acknowledged = self._received.take()
        if acknowledged:
            self._send_text(f"ack {acknowledged}")
        return message

    async def quality(self) -> ConnectionQuality:
        """Measure the shortest of several round trips, and the share of lost packets.

        Best measured while nothing is sent, as after a transfer: a ping waits behind earlier messages.

        Raises:
            ChannelClosedError: the channel is closed.
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
        """See :class:`tallow.app.channels.channel.Channel`. Waits for delivery as long as the other side
        responds."""
        if self._closing is None:
            self._closing = asyncio.create_task(self._close(), name="webrtc close")
        await asyncio.shield(self._closing)

    async def abort(self, why: str) -> None:
        """Close it at once; messages under way may be lost."""
        self._end(why)
        closing = asyncio.ensure_future(self._connection.close())
        await asyncio.wait([closing], timeout=CLOSE_TIMEOUT_S)

    async def establish(self, role: Role, exchange: SignalingExchange) -> None:
        """Negotiate, and wait until the channel is open; see :func:`connect`."""
        negotiation = WebRtcNegotiation(self._connection, exchange)
        offer, answer = await negotiation.exchange_descriptions(role)
        self._descriptions = (offer.encode(), answer.encode())
        announced = _MAX_MESSAGE.search(answer if role == "sender" else offer)
        if announced:  # 0 means no limit
            self._max_message = min(MAX_MESSAGE, int(announced[1]) or MAX_MESSAGE)
        listening = asyncio.create_task(self._receive_candidates(negotiation), name="webrtc candidates")
        try:
            await self._wait_for(lambda: self._data.readyState == "open")
        finally:
            listening.cancel()
        if self._end_reason is not None:
            raise (ChannelClosedError if self._signaling_ended else ChannelError)(self._end_reason)
        self.established_s = time.perf_counter() - negotiation.started_at
        self.path, self.strategy = ice.selected_path(self._connection)
        self._measuring = asyncio.create_task(self._measure_window(), name="webrtc window")

    async def _measure_window(self) -> None:
        with suppress(ChannelClosedError):
            self._window.adapt((await self.quality()).round_trip_s)
            self._notify()

    async def _receive_candidates(self, negotiation: WebRtcNegotiation) -> None:
        try:
            await negotiation.receive_candidates()
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
        """Wait until a condition holds or the channel is closed."""
        while self._end_reason is None and not ready():
            await self._changed.wait()

    def _notify(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    def _has_room(self, size: int) -> bool:
        return self._window.fits(size) and self._data.bufferedAmount <= MAX_BUFFERED

    def _raise_if_ended(self) -> None:
        if self._end_reason is not None:
            raise ChannelClosedError(self._end_reason)

    def _send_text(self, text: str) -> None:
        with suppress(InvalidStateError):
            self._data.send(text)

    def _on_message(self, message: bytes | str) -> None:
        if isinstance(message, str):
            self._on_text(message)
        elif not self._received.put(message):
            why = "the other side sends more than the window allows"
            self._end(why)
            self._closing = self._closing or asyncio.create_task(self.abort(why), name="webrtc close")
        self._notify()

    def _on_text(self, text: str) -> None:
        match text.split(" ") if len(text) <= MAX_TEXT else []:
            case ["ack", count] if count.isdecimal():
                self._window.acknowledge(int(count))
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
            self._end("no connection: no candidate pair works")
        self._end(_ENDED if self._bye_received else "the direct connection was lost")

    def _end(self, why: str) -> None:
        if self._end_reason is None:
            self._end_reason = why
            self._notify()
