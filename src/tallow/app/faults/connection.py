"""Faults of the connection and of the transfer over it."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any, Final
from weakref import WeakKeyDictionary

from tallow.app.channels.channel import Channel, ChannelError
from tallow.app.channels.relay import RelayChannel
from tallow.app.channels.tcp.channel import TcpChannel
from tallow.app.files.errors import FileError
from tallow.app.peer.connection.channel_openings import ChannelOpenings
from tallow.app.peer.connection.channel_race import Opened, Opening
from tallow.app.peer.connection.connection_attempt import ChannelExchange, ConnectionAttempt
from tallow.app.peer.connection.connector import ChannelConnector
from tallow.app.peer.connection.signaling import SignalingClient
from tallow.app.peer.connection.signaling_messages import ChannelType
from tallow.app.peer.transfer.file_sender import FileSender
from tallow.app.wire import ForwardedType

Call = Callable[..., Awaitable[Any]]
RELAY_DELAY_FACTOR: Final = 2
"""The relay takes this much longer than a delayed direct connection."""


def patches(wanted: Mapping[str, float]) -> list[tuple[Any, str, Any]]:
    """The replacements, as (owner, attribute, replacement)."""
    found: list[tuple[Any, str, Any]] = []
    if wanted.keys() & {"break_path", "break_tcp", "delay_path"}:
        delay_s = wanted.get("delay_path", 0)
        opening = _with_broken_paths(ChannelOpenings.opening, wanted)
        found.append((ChannelOpenings, "opening", _with_late_relay(opening, delay_s)))
        found.append((ChannelExchange, "send", _delayed(ChannelExchange.send, delay_s)))
    if "throttle" in wanted:
        for kind in _channels():
            found.append((kind, "send", _throttled(kind.send, wanted["throttle"])))  # noqa: PERF401
    if "hold_start" in wanted:
        found.append((ChannelConnector, "open", _held(ChannelConnector.open, wanted["hold_start"])))
    if "fail_transfer" in wanted:
        found.append((FileSender, "send", _failing(FileSender.send, wanted["fail_transfer"])))
    return found


def _channels() -> list[Any]:
    """The classes of channels. WebRTC may not be installed."""
    found: list[Any] = [RelayChannel, TcpChannel]
    with suppress(ImportError):
        from tallow.app.channels.webrtc import WebRtcChannel

        found.append(WebRtcChannel)
    return found


def _with_broken_paths(
    opening: Callable[..., Opening], wanted: Mapping[str, float]
) -> Callable[..., Opening]:
    """Break direct connections at the sender: all of an attempt, or those over TCP."""
    all_broken: WeakKeyDictionary[ConnectionAttempt, bool] = WeakKeyDictionary()

    def faulty(
        self: ChannelOpenings,
        channel_type: ChannelType,
        attempt: ConnectionAttempt,
        signaling: SignalingClient,
    ) -> Opening:
        healthy = opening(self, channel_type, attempt, signaling)
        if channel_type == "relay" or self.role != "sender":
            return healthy
        is_broken = all_broken.setdefault(attempt, _happens(wanted.get("break_path", 0)))
        if channel_type == "tcp":
            is_broken = is_broken or _happens(wanted.get("break_tcp", 0))
        return _broken if is_broken else healthy

    return faulty


def _with_late_relay(opening: Callable[..., Opening], delay_s: float) -> Callable[..., Opening]:
    """Delay the relay, so that it does not replace a delayed direct connection."""

    def faulty(self: ChannelOpenings, channel_type: ChannelType, *more: Any) -> Opening:
        healthy = opening(self, channel_type, *more)
        return _late(healthy, RELAY_DELAY_FACTOR * delay_s) if channel_type == "relay" else healthy

    return faulty


async def _broken(_opened: Opened) -> None:
    raise ChannelError("no connection: the path is broken by a drill")


def _late(opening: Opening, seconds: float) -> Opening:
    async def late(opened: Opened) -> None:
        await asyncio.sleep(seconds)
        await opening(opened)

    return late


def _delayed(send: Call, delay_s: float) -> Call:
    """Delay the offers of direct connections."""

    async def faulty(self: ChannelExchange, kind: ForwardedType, data: dict[str, object]) -> None:
        if kind == "offer" and self.channel_type != "relay":
            await asyncio.sleep(delay_s)
        await send(self, kind, data)

    return faulty


def _throttled(send: Call, bytes_per_second: float) -> Call:
    free_at: WeakKeyDictionary[Channel, float] = WeakKeyDictionary()

    async def faulty(self: Channel, message: bytes) -> None:
        now = time.monotonic()
        free_at[self] = max(now, free_at.get(self, now)) + len(message) / bytes_per_second
        await asyncio.sleep(free_at[self] - now)
        await send(self, message)

    return faulty


def _held(opening: Call, seconds: float) -> Call:
    async def faulty(self: ChannelConnector, *more: Any) -> Any:
        await asyncio.sleep(seconds)
        return await opening(self, *more)

    return faulty


def _failing(sending: Call, share: float) -> Call:
    async def faulty(self: FileSender, *more: Any) -> None:
        if _happens(share):
            raise FileError("cannot read the file: the disk is broken by a drill")
        await sending(self, *more)

    return faulty


def _happens(share: float) -> bool:
    return random.random() < share  # noqa: S311 - no secret
