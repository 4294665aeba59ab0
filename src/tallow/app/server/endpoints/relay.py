"""The relay: carries ciphertext between the two seats of a room, as fast as the slower one reads.

Nothing is stored: a message is read from one side only when the one before has been handed to the other, so
that a slow reader slows the writer and memory stays flat for files of any size.
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
from tallow.app.server.transport.messages import WebSocketRefusedError, parse_relay
from tallow.app.server.transport.websocket import GuardedWebSocket, TaskCanceller, accept_websocket
from tallow.app.wire import CLOSE_CODES, MAX_RELAY_MESSAGE_BYTES, ROLES, Role
from tallow.monitoring import correlation
from tallow.monitoring.logging import connection_logger, security_logger


@dataclass(slots=True, eq=False)
class RelaySide:
    """One side's relay socket; ``across`` is the other's, once they are paired."""

    role: Role
    socket: GuardedWebSocket
    canceller: TaskCanceller = field(default_factory=TaskCanceller)
    paired: asyncio.Event = field(default_factory=asyncio.Event)
    other: RelaySide | None = None
    bucket: TokenBucket | None = None


class RelayEndpoint:
    """The endpoint ``/api/relay``."""

    def __init__(self, context: ServerContext) -> None:
        self._context = context
        self._ends: dict[tuple[str, Role], RelaySide] = {}
        context.rooms.end_listeners.append(self._end_room)

    async def serve(self, websocket: WebSocket) -> None:
        """Serve one socket, from its ticket to its end."""
        async with accept_websocket(websocket, self._context) as socket:
            if socket is None:
                return
            try:
                found = await self._ticket(socket)
            except WebSocketRefusedError as refusal:
                security_logger.warning("Socket refused", endpoint="relay", reason=refusal.code)
                await socket.refuse(refusal)
            except TimeoutError:
                await socket.close(CLOSE_CODES["timeout"], "no ticket")
            except WebSocketDisconnect:
                pass
            else:
                if found is not None:
                    room, role = found
                    with correlation.bind(room.record.correlation_id):
                        await self._seated(room, RelaySide(role, socket))

    def _end_room(self, room: Room) -> None:
        for role in ROLES:
            end = self._ends.get((room.record.id, role))
            if end is not None:
                end.canceller("expired")

    async def _ticket(self, socket: GuardedWebSocket) -> tuple[Room, Role] | None:
        """The place a ticket opens; None once a socket was handed to the process that issued its ticket."""
        async with asyncio.timeout(self._context.settings.join_timeout):
            text = await socket.receive_text()
            ticket = parse_relay(text).ticket
            found = self._context.rooms.relay_tickets.find(ticket)
            home = (
                None
                if found or is_forwarded(socket.scope)
                else await self._context.directory.locate_token(ticket)
            )
        if home is not None and text is not None:
            await self._context.forwarder.proxy_websocket(socket, home, text)
            return None
        if found is None:
            raise WebSocketRefusedError(
                "unknown_room", "no such relay ticket: join the room again for a new one"
            )
        return found[0], found[1].role

    async def _seated(self, room: Room, end: RelaySide) -> None:
        """Run one side from its ticket to its end, and end the other side with it."""
        place = (room.record.id, end.role)
        refusal: WebSocketRefusedError | None = None
        try:
            async with end.canceller.scope:
                self._attach(place, end)
                await self._meet(room, end)
                await self._carry(end, await self._first(end))
        except WebSocketRefusedError as error:
            refusal = error
        except (TimeoutError, WebSocketDisconnect):
            pass  # ended from elsewhere, stalled, or gone
        finally:
            if self._ends.get(place) is end:
                del self._ends[place]
            self._part(end)
        if refusal is not None:
            await end.socket.refuse(refusal)
        else:
            await end.socket.close(
                CLOSE_CODES[end.canceller.code or "timeout"], end.canceller.code or "stalled"
            )

    def _attach(self, place: tuple[str, Role], end: RelaySide) -> None:
        """Take the place; an older socket there is ended, and with it the side it was paired with."""
        older = self._ends.get(place)
        self._ends[place] = end
        if older is not None:
            older.canceller("taken_over")
            self._part(older)

    def _part(self, end: RelaySide) -> None:
        """Undo a pair, once."""
        other = end.other
        if other is not None:
            end.other = other.other = None
            self._context.metrics.connection_closed("relay")
            connection_logger.info("Relay parted", by=end.role, reason=end.canceller.code or "gone")
            other.canceller("peer_gone")

    async def _meet(self, room: Room, end: RelaySide) -> None:
        """Complete the pair if the other side waits already."""
        other = self._ends.get((room.record.id, "receiver" if end.role == "sender" else "sender"))
        if other is None or other.other is not None or other.canceller.code is not None:
            return
        end.other, other.other = other, end
        room.uses_relay = True
        self._context.metrics.connection_opened("relay")
        connection_logger.info("Relay paired")
        rate = self._context.settings.relay_bandwidth
        end.bucket = other.bucket = TokenBucket(rate, rate) if rate else None
        for side in (other, end):
            await side.socket.send({"type": "paired"})
        # Only now may data follow: "paired" must come first on both sockets.
        other.paired.set()
        end.paired.set()

    async def _first(self, end: RelaySide) -> dict[str, Any]:
        """The first message after the pair is complete; before that only silence is accepted."""
        receive = asyncio.ensure_future(end.socket.receive())
        opened = asyncio.ensure_future(end.paired.wait())
        try:
            await asyncio.wait({receive, opened}, return_when=asyncio.FIRST_COMPLETED)
            if end.other is None and receive.done():
                receive.result()
                raise WebSocketRefusedError("bad_message", 'wait for {"type": "paired"} before sending')
            await opened
            return await receive
        finally:
            receive.cancel()
            opened.cancel()

    async def _carry(self, end: RelaySide, message: dict[str, Any]) -> None:
        """Hand each message to the other side before the next one is read."""
        metrics = self._context.metrics
        stall = self._context.settings.stall_timeout
        while end.other is not None:
            data = message.get("bytes")
            if data is None:
                raise WebSocketRefusedError("bad_message", "only binary messages are carried")
            if len(data) > MAX_RELAY_MESSAGE_BYTES:
                raise WebSocketRefusedError(
                    "too_large", f"a message has at most {MAX_RELAY_MESSAGE_BYTES} bytes"
                )
            if end.bucket is not None:
                await asyncio.sleep(end.bucket.borrow(len(data)))
            metrics.record_bytes_moved("received", len(data))
            async with asyncio.timeout(stall):
                await end.other.socket.send_bytes(data)
            metrics.record_bytes_moved("sent", len(data))
            message = await end.socket.receive()
