"""Signaling: the WebSocket over which two peers of a room find each other."""

from __future__ import annotations

import asyncio
from typing import Final

from starlette.websockets import WebSocket, WebSocketDisconnect

from tallow.app.server.cluster.forwarding import is_forwarded
from tallow.app.server.cluster.room_directory import NodeAddress, RoomLocationError
from tallow.app.server.context import ServerContext
from tallow.app.server.limits.rate_limit import TokenBucket
from tallow.app.server.rooms.room import Member, RoleTakenError, Room
from tallow.app.server.rooms.store import StoreError
from tallow.app.server.transport.ice_servers import ice_servers
from tallow.app.server.transport.messages import (
    Confirmation,
    Forward,
    Join,
    Leave,
    SignalingMessage,
    Started,
    WebSocketRefusedError,
    parse_signaling,
)
from tallow.app.server.transport.websocket import GuardedWebSocket, TaskCanceller, accept_websocket
from tallow.app.wire import (
    CLOSE_CODES,
    ROOM_ID,
    SIGNALING_BURST,
    SIGNALING_MESSAGES_PER_SECOND,
    CloseReason,
    ConfirmationMessage,
    PeerEvent,
    PeerMessage,
    ServerMessage,
    TransferOutcome,
)
from tallow.monitoring import correlation
from tallow.monitoring.logging import connection_logger, security_logger

PENDING: Final[ConfirmationMessage] = {"type": "confirmation", "state": "pending"}


class SignalingEndpoint:
    """The endpoint ``/api/signal``."""

    def __init__(self, context: ServerContext) -> None:
        self._context = context

    async def serve(self, websocket: WebSocket) -> None:
        """Serve one socket, from its join to its end."""
        async with accept_websocket(websocket, self._context) as socket:
            if socket is None:
                return
            if self._context.directory.name:
                await self._where_it_lives(socket)
            else:
                await self._here(socket)

    async def _here(self, socket: GuardedWebSocket, *begun: str | None) -> None:
        """Serve a socket of a room that lives in this process; ``begun`` is what it has said already."""
        metrics = self._context.metrics
        metrics.connection_opened("websocket")
        try:
            await SignalingSession(self._context, socket, *begun).run()
        finally:
            metrics.connection_closed("websocket")

    async def _where_it_lives(self, socket: GuardedWebSocket) -> None:
        """Look at the first message for the room, and hand the socket over if that lives elsewhere."""
        try:
            async with asyncio.timeout(self._context.settings.join_timeout):
                first = await socket.receive_text()
                home = await self._home(first)
        except TimeoutError:
            await socket.close(CLOSE_CODES["timeout"], "timeout")
        except WebSocketDisconnect:
            pass
        except RoomLocationError:
            await socket.refuse(
                WebSocketRefusedError("internal", "the room cannot be reached at this moment; try again")
            )
        else:
            if home is None or first is None:
                await self._here(socket, first)
            elif is_forwarded(socket.scope):  # it moved meanwhile
                await socket.refuse(WebSocketRefusedError("internal", "the room has moved; join again"))
            else:
                await self._context.forwarder.proxy_websocket(socket, home, first)

    async def _home(self, first: str | None) -> NodeAddress | None:
        """Where the room that a join names lives; None: here, or nowhere (the session will say so)."""
        try:
            join = parse_signaling(first)
        except WebSocketRefusedError:
            return None
        known = isinstance(join, Join) and ROOM_ID.fullmatch(join.room)
        return (
            await self._context.directory.locate_room(join.room) if isinstance(join, Join) and known else None
        )


class SignalingSession:
    """One socket, from its join to its end. Everything sent to the peer goes through here and is counted."""

    def __init__(self, context: ServerContext, socket: GuardedWebSocket, *begun: str | None) -> None:
        self._context = context
        self._begun = list(begun)
        self._metrics = context.metrics
        self._lobby = context.rooms
        self._socket = socket
        self._rate = TokenBucket(SIGNALING_MESSAGES_PER_SECOND, SIGNALING_BURST)
        self.end_with = TaskCanceller()

    async def run(self) -> None:
        """Join a room and talk until one side ends it."""
        try:
            async with self.end_with.scope:
                async with asyncio.timeout(self._context.settings.join_timeout):
                    join = await self._first()
                    room = await self._admitted(join)
                with correlation.bind(room.record.correlation_id):
                    await self._in_room(room, join)
        except TimeoutError:
            await self._ended(self.end_with.code or "timeout")
        except WebSocketRefusedError as refusal:
            await self._refuse(refusal)
        except WebSocketDisconnect:
            pass

    async def _first(self) -> Join:
        message = await self._receive()
        if not isinstance(message, Join):
            raise WebSocketRefusedError("bad_message", "the first message must be join")
        return message

    async def _admitted(self, join: Join) -> Room:
        if self._context.join_limiter.take(self._context.address_hasher.key(self._socket.scope)):
            raise WebSocketRefusedError(
                "rate_limited", "too many joins from this address; try again in a minute"
            )
        try:
            room = await self._lobby.open_room(join.room, join.token_bytes)
        except StoreError:
            self._metrics.record_error("storage", "critical")
            raise WebSocketRefusedError(
                "internal", "rooms cannot be looked up at this moment; try again"
            ) from None
        if room is None:
            if join.room not in self._lobby.live:
                await self._context.directory.release_room(join.room)
            raise WebSocketRefusedError("unknown_room", "no such room: the link is wrong or its time is over")
        if room.is_closed and join.role not in room.members:
            raise WebSocketRefusedError("expired", "this transfer is over; a link is good for one transfer")
        return room

    async def _in_room(self, room: Room, join: Join) -> None:
        try:
            seat, old = self._lobby.join(room, join.role, self, join.device, join.rejoin_key)
        except RoleTakenError:
            raise WebSocketRefusedError(
                "role_taken", f"another {join.role} is in this room already"
            ) from None
        self._metrics.device_connected(join.device)
        log = connection_logger.bind(role=join.role, device=join.device)
        log.info("Peer joined", again=old is not None)
        outcome: TransferOutcome | None = None
        event: PeerEvent = "lost"
        try:
            if old is not None:
                old.connection.end_with("taken_over")
            await self._welcome(room, seat)
            outcome = await self._converse(room, seat)
            event = "left"
        finally:
            self._metrics.device_disconnected(join.device)
            log.info("Peer left", event=event, outcome=outcome)
            held = self._lobby.leave(room, seat, outcome)
            peer = room.peer_of(seat.role)
            if held and peer is not None:
                message: PeerMessage = {"type": "peer", "event": event}
                if outcome is not None:
                    message["outcome"] = outcome
                await peer.connection.send(message)
            await self._lobby.conclude_unused(room)

    async def _welcome(self, room: Room, seat: Member) -> None:
        peer = room.peer_of(seat.role)
        await self.send(
            {
                "type": "joined",
                "room": room.record.id,
                "peer": peer is not None,
                "rejoin_key": seat.rejoin_key,
                "telemetry_token": room.report_tokens[seat.role],
                "relay_ticket": seat.relay_ticket,
                "correlation_id": room.record.correlation_id,
                "ice_servers": ice_servers(self._context.settings),
                "confirmation_limit": self._context.settings.confirmation_limit,
            }
        )
        if seat.role == "sender" and room.confirmation_deadline is not None:
            await self.send(PENDING)
        if seat.role == "sender" and room.receiver_outcome is not None:
            await self.send({"type": "peer", "event": "left", "outcome": room.receiver_outcome})
        if peer is not None:
            await peer.connection.send({"type": "peer", "event": "joined"})

    async def _converse(self, room: Room, seat: Member) -> TransferOutcome | None:
        """Carry messages until the peer says goodbye: the outcome it names."""
        while True:
            message = await self._receive()
            if isinstance(message, Forward):
                await self._forward(room, seat, message)
            elif isinstance(message, Started) and seat.role == "sender":
                await self._lobby.start_transfer(room, message.method)
            elif isinstance(message, Confirmation) and seat.role == "receiver":
                await self._confirm(room, message)
            elif isinstance(message, Leave):
                await self._socket.close(1000, "goodbye")
                return message.outcome
            else:
                raise WebSocketRefusedError(
                    "bad_message",
                    "join comes once; only a sender says started, and only a receiver says confirmation",
                )

    async def _confirm(self, room: Room, message: Confirmation) -> None:
        self._lobby.set_confirmation(room, pending=message.state == "pending")
        connection_logger.info("Receiver asked to confirm", state=message.state)
        peer = room.peer_of("receiver")
        if peer is not None:
            await peer.connection.send({"type": "confirmation", "state": message.state})

    async def _forward(self, room: Room, seat: Member, message: Forward) -> None:
        peer = room.peer_of(seat.role)
        if peer is None:
            await self.send({"type": "error", "code": "no_peer", "message": "the other peer is not here"})
        else:
            await peer.connection.send({"type": message.type, "data": message.data})

    async def _receive(self) -> SignalingMessage:
        text = self._begun.pop() if self._begun else await self._socket.receive_text()
        if self._rate.take():
            raise WebSocketRefusedError(
                "rate_limited", f"more than {SIGNALING_MESSAGES_PER_SECOND} messages a second"
            )
        try:
            message = parse_signaling(text)
        except WebSocketRefusedError:
            self._metrics.record_signaling_message("other", "in")
            raise
        kind = "other" if isinstance(message, Started | Confirmation) else message.type
        self._metrics.record_signaling_message(kind, "in")
        return message

    async def _refuse(self, refusal: WebSocketRefusedError) -> None:
        self._metrics.record_signaling_message("error", "out")
        security_logger.warning("Socket refused", endpoint="signal", reason=refusal.code)
        await self._socket.refuse(refusal)

    async def send(self, message: ServerMessage) -> None:
        """Send to this session's peer (what a room calls its link)."""
        kind = {"joined": "join", "peer": "other", "confirmation": "other"}.get(
            message["type"], message["type"]
        )
        if message["type"] == "peer":
            kind = "join" if message["event"] == "joined" else "leave"
        self._metrics.record_signaling_message(kind, "out")
        await self._socket.send(message)

    async def _ended(self, code: CloseReason) -> None:
        if code == "expired":
            await self._refuse(WebSocketRefusedError("expired", "the room's time is over"))
        elif code == "internal":
            await self._refuse(WebSocketRefusedError("internal", "the room has moved; join again"))
        else:
            await self._socket.close(CLOSE_CODES[code], code)
