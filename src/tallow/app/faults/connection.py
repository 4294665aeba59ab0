"""Faults of the connection and of the transfer over it."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from weakref import WeakKeyDictionary

from tallow.app.channels import webrtc
from tallow.app.channels.channel import Channel, ChannelError, SignalingExchange
from tallow.app.channels.relay import RelayChannel
from tallow.app.files.errors import FileError
from tallow.app.peer.connection.connector import ChannelConnector
from tallow.app.peer.transfer.file_sender import FileSender
from tallow.app.wire import ForwardedType

Call = Callable[..., Awaitable[Any]]


def patches(wanted: Mapping[str, float]) -> list[tuple[Any, str, Any]]:
    """The replacements, as (owner, attribute, replacement)."""
    found: list[tuple[Any, str, Any]] = []
    if wanted.keys() & {"break_path", "delay_path"}:
        connect = _connecting(webrtc.connect, wanted.get("break_path", 0), wanted.get("delay_path", 0))
        found.append((webrtc, "connect", connect))
    if "throttle" in wanted:
        for kind in (RelayChannel, webrtc.WebRtcChannel):
            found.append((kind, "send", _throttled(kind.send, wanted["throttle"])))  # noqa: PERF401
    if "hold_start" in wanted:
        found.append((ChannelConnector, "open", _held(ChannelConnector.open, wanted["hold_start"])))
    if "fail_transfer" in wanted:
        found.append((FileSender, "send", _failing(FileSender.send, wanted["fail_transfer"])))
    return found


class DelayedSignaling:
    """Signaling with delayed offers."""

    def __init__(self, exchange: SignalingExchange, delay_s: float) -> None:
        self._exchange = exchange
        self._delay_s = delay_s

    async def send(self, kind: ForwardedType, data: dict[str, object]) -> None:
        """See :class:`SignalingExchange`."""
        if kind == "offer":
            await asyncio.sleep(self._delay_s)
        await self._exchange.send(kind, data)

    async def receive(self) -> tuple[ForwardedType, dict[str, object]]:
        """See :class:`SignalingExchange`."""
        return await self._exchange.receive()


def _connecting(connect: Call, broken: float, delay_s: float) -> Call:
    async def faulty(role: str, exchange: SignalingExchange, *more: Any, **options: Any) -> Any:
        if role == "sender" and _happens(broken):
            raise ChannelError("no connection: the path is broken by a drill")
        return await connect(
            role, DelayedSignaling(exchange, delay_s) if delay_s else exchange, *more, **options
        )

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
