"""WebSocket ``/api/relay``: copies ciphertext between the two peers of a room.

Nothing is stored. While the buffer of a peer's socket is full nothing is read from the other peer, so that
a slow reader slows the writer and memory use does not depend on the size of files. uvicorn's protocol copies
the messages itself (:mod:`tallow.app.server.transport.framed_websocket`). Under another HTTP server, or for a
peer that sends before it is told to, this endpoint does.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from tallow.app.server.cluster.forwarding import is_forwarded
from tallow.app.server.context import ServerContext
from tallow.app.server.limits.rate_limit import TokenBucket
from tallow.app.server.rooms.room import Room
from tallow.app.server.transport.framed_websocket import ForwardingHooks
from tallow.app.server.transport.messages import WebSocketRefusedError, parse_relay
from tallow.app.server.transport.refusals import log_refusal
from tallow.app.server.transport.websocket import GuardedWebSocket, TaskCanceller, accept_websocket
from tallow.app.wire import MAX_RELAY_MESSAGE_BYTES, ROLES, Role
from tallow.monitoring import correlation
from tallow.monitoring.logging import connection_logger
from tallow.monitoring.logging.repeats import REPEATS
from tallow.monitoring.sentry import context, performance_monitoring


@dataclass(slots=True, eq=False)
class RelaySide:
    """One peer's relay socket.

    Attributes:
        paired: set when data may flow.
        forwards: messages go to the other side without this endpoint.
        other: the other peer's socket, while they are paired.
        bucket: limits the pair's bandwidth; both sides share it.
    """

    role: Role
    socket: GuardedWebSocket
    canceller: TaskCanceller = field(default_factory=TaskCanceller)
    paired: asyncio.Event = field(default_factory=asyncio.Event)
    forwards: bool = False
    other: RelaySide | None = None
    bucket: TokenBucket | None = None


class RelayEndpoint:
    """Serves relay sockets."""

    def __init__(self, context: ServerContext) -> None:
        self._context = context
        self._sides: dict[tuple[str, Role], RelaySide] = {}
        context.rooms.end_listeners.append(self._end_room)

    async def serve(self, websocket: WebSocket) -> None:
        """Serve one socket until it is closed."""
        address, limiter = self._context.address_hasher.key(websocket.scope), self._context.socket_limiter
        socket = await accept_websocket(websocket, address, limiter, self._context.metrics)
        if socket is None:
            return
        try:
            await self._serve_socket(socket)
        finally:
            limiter.release(address)

    async def _serve_socket(self, socket: GuardedWebSocket) -> None:
        try:
            found = await self._redeem_ticket(socket)
        except WebSocketRefusedError as refusal:
            log_refusal("Socket refused", endpoint="relay", reason=refusal.code)
            await socket.refuse(refusal)
        except TimeoutError:
            await socket.refuse_late_join(self._context.metrics, "relay")
        except WebSocketDisconnect:
            pass
        else:
            if found is not None:
                room, role = found
                with correlation.bind(room.record.correlation_id):
                    await self._serve_side(room, RelaySide(role, socket))

    def _end_room(self, room: Room) -> None:
        for role in ROLES:
            side = self._sides.get((room.record.id, role))
            if side is not None:
                side.canceller("expired")

    async def _redeem_ticket(self, socket: GuardedWebSocket) -> tuple[Room, Role] | None:
        """The room and role of a ticket; None after the socket was forwarded to the ticket's issuer."""
        async with asyncio.timeout(self._context.settings.join_timeout):
            text = await socket.receive_text()
            ticket = parse_relay(text).ticket
            found = self._context.rooms.relay_tickets.find(ticket)
            node = None
            if found is None and not is_forwarded(socket.scope):
                node = await self._context.directory.locate_token(ticket)
        if node is not None and text is not None:
            await self._context.forwarder.forward_websocket(socket, node, text)
            return None
        if found is None:
            raise WebSocketRefusedError(
                "unknown_room", "no such relay ticket: join the room again for a new one"
            )
        room, member = found
        return room, member.role

    async def _serve_side(self, room: Room, side: RelaySide) -> None:
        """Serve one side until it ends; the other side ends with it."""
        key = (room.record.id, side.role)
        refusal: WebSocketRefusedError | None = None
        try:
            async with side.canceller.scope:
                self._attach(key, side)
                context.set_connection_context("relay", path="relay", state="waiting")
                with performance_monitoring.monitor_connection("relay", path="relay"):
                    await self._pair(room, side)
                    early = await self._wait_until_paired(side)
                context.set_connection_context("relay", path="relay", state="paired")
                await self._copy(side, early)
        except WebSocketRefusedError as error:
            refusal = error
        except (TimeoutError, WebSocketDisconnect):
            pass  # ended by another task, stalled, or disconnected
        finally:
            if self._sides.get(key) is side:
                del self._sides[key]
            self._separate(side)
        if refusal is not None:
            await side.socket.refuse(refusal)
        else:
            reason = side.canceller.reason or "timeout"
            await side.socket.close_with(reason, "stalled" if reason == "timeout" else None)

    def _attach(self, key: tuple[str, Role], side: RelaySide) -> None:
        """Register the side. An older socket of the same peer ends, and the other side with it."""
        older = self._sides.get(key)
        self._sides[key] = side
        if older is not None:
            older.canceller("taken_over")
            self._separate(older)

    def _separate(self, side: RelaySide) -> None:
        """End a pair, if the side is in one."""
        other = side.other
        if other is not None:
            side.other = other.other = None
            for each in (side, other):
                each.socket.stop_forwarding()
            self._context.metrics.connection_closed("relay")
            reason = side.canceller.reason or "disconnected"
            _log_pair("Relay closed", by=side.role, reason=reason)
            other.canceller("peer_gone")

    async def _pair(self, room: Room, side: RelaySide) -> None:
        """Pair the side with the other peer's socket, if that is waiting."""
        other = self._sides.get((room.record.id, "receiver" if side.role == "sender" else "sender"))
        if other is None or other.other is not None or other.canceller.reason is not None:
            return
        side.other, other.other = other, side
        room.uses_relay = True
        self._context.metrics.connection_opened("relay")
        _log_pair("Relay paired")
        rate = self._context.settings.relay_bandwidth
        side.bucket = other.bucket = TokenBucket(rate, rate) if rate else None
        for each in (other, side):
            await each.socket.send({"type": "paired"})
        for source, target in ((other, side), (side, other)):
            source.forwards = source.socket.forward_to(target.socket, self._hooks(source))
        # Data may flow only after both sockets were sent "paired".
        other.paired.set()
        side.paired.set()

    def _hooks(self, side: RelaySide) -> ForwardingHooks:
        def stall() -> None:
            side.canceller("timeout")

        return ForwardingHooks(
            lambda size: self._account(side, size), self._context.settings.stall_timeout, stall
        )

    def _account(self, side: RelaySide, size: int) -> float:
        """Record bytes that are copied next; for how many seconds to wait, to keep to the bandwidth."""
        self._context.metrics.record_bytes_moved("received", size)
        self._context.metrics.record_bytes_moved("sent", size)
        return 0.0 if side.bucket is None else side.bucket.borrow(size)

    async def _wait_until_paired(self, side: RelaySide) -> dict[str, Any] | None:
        """Wait until the sides are paired. A message before that is refused.

        Returns:
            A message that came at the same time.
        """
        receive = asyncio.ensure_future(side.socket.receive())
        paired = asyncio.ensure_future(side.paired.wait())
        try:
            await asyncio.wait({receive, paired}, return_when=asyncio.FIRST_COMPLETED)
            if receive.done() and (side.other is None or side.forwards):
                receive.result()
                raise WebSocketRefusedError("bad_message", 'wait for {"type": "paired"} before sending')
            await paired
            return receive.result() if receive.done() else None
        finally:
            receive.cancel()
            paired.cancel()

    async def _copy(self, side: RelaySide, message: dict[str, Any] | None) -> None:
        """Send each message to the other side before the next one is read.

        While the socket forwards, binary messages do not come here; anything else ends the session.

        Args:
            message: the first one, if it was received already.
        """
        while side.other is not None:
            if message is None:
                message = await side.socket.receive()
            data = message.get("bytes")
            if data is None:
                raise WebSocketRefusedError("bad_message", "only binary messages are carried")
            if len(data) > MAX_RELAY_MESSAGE_BYTES:
                raise WebSocketRefusedError(
                    "too_large", f"a message has at most {MAX_RELAY_MESSAGE_BYTES} bytes"
                )
            await asyncio.sleep(self._account(side, len(data)))
            async with asyncio.timeout(self._context.settings.stall_timeout):
                await side.other.socket.send_bytes(data)
            message = None


def _log_pair(message: str, **context: str) -> None:
    """Log once a minute for each transfer: its peers may connect to the relay as often as they like."""
    REPEATS.log(connection_logger, "info", message, key=correlation.current(), **context)
