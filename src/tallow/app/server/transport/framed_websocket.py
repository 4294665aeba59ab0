"""WebSockets that are fair to one another, and that forward messages without the application."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from tallow.app.server.transport.frames import frame_at
from tallow.app.server.transport.lean_primitives import LeanEvent, LeanQueue
from tallow.app.server.transport.message_forwarder import MessageForwarder, MessageTooLargeError
from tallow.app.server.transport.uvicorn_websocket import MESSAGE_TOO_BIG, BoundedWebSocket

CONNECTION: Final = "tallow.websocket"
"""ASGI extension of a WebSocket's scope: its :class:`FramedWebSocket`."""
_WRITELINES_PAUSES: Final = not (
    (3, 12) <= sys.version_info < (3, 12, 9) or (3, 13) <= sys.version_info < (3, 13, 2)
)
"""Whether ``writelines`` tells that its buffer is full. Otherwise a client that does not read can fill the
server's memory (CVE-2024-12254)."""


@dataclass(frozen=True, slots=True)
class ForwardingHooks:
    """What :meth:`FramedWebSocket.forward_to` calls.

    Attributes:
        before_forwarding: takes the number of bytes that are next; returns after how many seconds they may be
            written.
        stall_timeout: seconds for which the other peer may leave its socket full.
        on_stall: called after that time.
    """

    before_forwarding: Callable[[int], float]
    stall_timeout: float
    on_stall: Callable[[], None]


@dataclass(slots=True)
class _Forwarding:
    target: FramedWebSocket
    hooks: ForwardingHooks
    messages: MessageForwarder
    delayed: list[bytes] = field(default_factory=list)
    pause: asyncio.TimerHandle | None = None
    stall: asyncio.TimerHandle | None = None


class FramedWebSocket(BoundedWebSocket):
    """A WebSocket that parses a message only after the application has taken the last one.

    One read may bring a thousand small messages. uvicorn parses them all at once and the application handles
    them without a pause, while every other connection waits. Here the others have their turn after each
    message.

    :meth:`forward_to` copies binary messages to another socket. Through the application a message costs
    several task switches and two queues; a forwarded one costs neither.
    """

    __slots__ = ("_forwarding", "_position", "_source", "_unread")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        lean: Any = self
        lean.queue, lean.writable = LeanQueue(), LeanEvent()
        self._unread: bytes | bytearray = b""
        self._position = 0
        self._forwarding: _Forwarding | None = None
        self._source: FramedWebSocket | None = None

    def handle_connect(self, event: Any) -> None:
        super().handle_connect(event)
        if not self.handshake_complete:
            extensions: Any = self.scope["extensions"]
            extensions[CONNECTION] = self

    def data_received(self, data: bytes) -> None:
        if not self.handshake_initiated:
            super().data_received(data)
            return
        self._progress += 1
        if not self._unread:
            self._unread = data
        else:
            if isinstance(self._unread, bytes):
                self._unread = bytearray(self._unread)
            self._unread += data
        self._process()

    def _process(self) -> None:
        """Handle frames until a message waits for the application, or the rest is a part of a frame."""
        limit: int = self.config.ws_max_size
        while not self.read_paused:
            if self._forwarding is not None and not self._forward(self._forwarding):
                break
            frame = frame_at(self._unread, self._position, limit)
            if frame is None:
                break
            start, self._position = self._position, frame.end
            super().data_received(bytes(self._unread[start : frame.end]))
        self._drop_processed()
        self._update_reading()

    def _forward(self, forwarding: _Forwarding) -> bool:
        """Forward the next messages; False if nothing more may be handled now."""
        if forwarding.pause is not None:
            return False
        try:
            self._position = forwarding.messages.forward(self._unread, self._position)
        except MessageTooLargeError:
            self.stop_forwarding()
            self._unread, self._position = b"", 0
            self._fail(MESSAGE_TOO_BIG, "the message is too large")
            return False
        return forwarding.pause is None

    def _drop_processed(self) -> None:
        position = self._position
        if position == len(self._unread):
            self._unread, self._position = b"", 0
        elif position and not self.read_paused:
            # A part of a frame is left. What waits for the application stays where it is: to move it after
            # each message would take time that grows with the square of their number.
            self._unread, self._position = self._unread[position:], 0

    async def send(self, message: Any) -> None:
        await super().send(message)
        if message["type"] == "websocket.accept":
            self._drop_handshake()

    def _drop_handshake(self) -> None:
        """Free what only the handshake needed: several kilobytes that an idle socket would keep."""
        self.request.headers.clear()  # the parser keeps the request
        del self.request, self.response

    async def receive(self) -> Any:
        message = await self.queue.get()
        if self.read_paused and self.queue.empty():
            self.read_paused = False
            if self._unread:
                self.loop.call_soon(self._process)  # in the next cycle: other connections have their turn
            else:
                self._update_reading()
        return message

    def forward_to(self, target: FramedWebSocket, hooks: ForwardingHooks) -> bool:
        """Copy binary messages to ``target`` from now on, unless messages wait for the application already.

        Text and the end of the connection still reach the application. While the target's buffer is full, or
        the hooks ask for a pause, nothing is read.

        Returns:
            Whether messages are forwarded.
        """
        if not self.queue.empty() or self._unread or self.frames:
            return False
        messages = MessageForwarder(self.config.ws_max_size, self._write_to_target)
        self._forwarding = _Forwarding(target, hooks, messages)
        target._source = self
        self._watch_target()
        return True

    def stop_forwarding(self) -> None:
        """Give messages to the application again. Does nothing if they are not forwarded."""
        forwarding, self._forwarding = self._forwarding, None
        if forwarding is None:
            return
        for timer in (forwarding.pause, forwarding.stall):
            if timer is not None:
                timer.cancel()
        forwarding.target._source = None
        self._update_reading()

    def _write_to_target(self, parts: list[bytes], size: int) -> None:
        forwarding = self._forwarding
        if forwarding is None:
            return
        pause = forwarding.hooks.before_forwarding(size)
        forwarding.delayed = parts
        if pause > 0:
            forwarding.pause = self.loop.call_later(pause, self._end_pause)
        else:
            self._write_delayed(forwarding)

    def _end_pause(self) -> None:
        if self._forwarding is not None:
            self._forwarding.pause = None
            self._write_delayed(self._forwarding)
            self._process()

    @staticmethod
    def _write_delayed(forwarding: _Forwarding) -> None:
        target, parts = forwarding.target, forwarding.delayed
        forwarding.delayed = []
        if not target.close_sent and not target.transport.is_closing():  # else the pair ends
            if _WRITELINES_PAUSES:
                target.transport.writelines(parts)
            else:
                target.transport.write(b"".join(parts))

    def _watch_target(self) -> None:
        """Limit the time for which the target's buffer is full, and do not read meanwhile."""
        forwarding = self._forwarding
        if forwarding is not None:
            if forwarding.target.writable.is_set():
                if forwarding.stall is not None:
                    forwarding.stall.cancel()
                    forwarding.stall = None
            elif forwarding.stall is None:
                hooks = forwarding.hooks
                forwarding.stall = self.loop.call_later(hooks.stall_timeout, hooks.on_stall)
        self._update_reading()

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._source is not None:
            self._source._watch_target()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._update_reading()
        if self._source is not None:
            self._source._watch_target()

    def connection_lost(self, exc: Exception | None) -> None:
        self._unread, self._position = b"", 0
        self.stop_forwarding()
        super().connection_lost(exc)

    def _update_reading(self) -> None:
        """Read if the application has taken all messages and no buffer is full."""
        if self.transport.is_closing():
            return
        forwarding = self._forwarding
        may_forward = forwarding is None or (forwarding.pause is None and forwarding.target.writable.is_set())
        if may_forward and not self.read_paused and self.writable.is_set():
            self.transport.resume_reading()
        else:
            self.transport.pause_reading()


def frame_protocol(scope: Any) -> FramedWebSocket | None:
    """The connection of a WebSocket's scope; None if another server than uvicorn serves it."""
    connection = scope.get("extensions", {}).get(CONNECTION)
    return connection if isinstance(connection, FramedWebSocket) else None
