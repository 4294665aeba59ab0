"""One peer's signaling socket, from its join message to its end."""

from __future__ import annotations

import asyncio

from starlette.websockets import WebSocketDisconnect

from tallow.app.room_ids import possible_rooms
from tallow.app.server.context import ServerContext
from tallow.app.server.endpoints.receiver_rooms import open_receiver_room
from tallow.app.server.limits.client_address import client_host
from tallow.app.server.limits.rate_limit import TokenBucket
from tallow.app.server.rooms.room import Member, RoleTakenError, Room
from tallow.app.server.storage.database import StoreError
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
from tallow.app.server.transport.refusals import log_refusal
from tallow.app.server.transport.websocket import GuardedWebSocket, TaskCanceller
from tallow.app.wire import (
    NORMAL_CLOSURE,
    SIGNALING_BURST,
    SIGNALING_MESSAGES_PER_SECOND,
    CloseReason,
    PeerMessage,
    ServerMessage,
)
from tallow.monitoring import correlation
from tallow.monitoring.errors import report_error
from tallow.monitoring.logging import connection_logger
from tallow.monitoring.logging.repeats import REPEATS
from tallow.monitoring.sentry import context, performance_monitoring


class SignalingSession:
    """Serves one socket. All messages to the peer go through :meth:`send`, which counts them.

    Args:
        received: the first message, if it was read already.
    """

    __slots__ = ("_bucket", "_context", "_metrics", "_received", "_rooms", "_socket", "end_with")

    def __init__(self, context: ServerContext, socket: GuardedWebSocket, *received: str | None) -> None:
        self._context = context
        self._metrics = context.metrics
        self._rooms = context.rooms
        self._socket = socket
        self._received = list(received)
        self._bucket = TokenBucket(SIGNALING_MESSAGES_PER_SECOND, SIGNALING_BURST)
        self.end_with = TaskCanceller()

    async def run(self) -> None:
        """Join the room and exchange messages until the peer or the server ends the session."""
        try:
            async with self.end_with.scope:
                with performance_monitoring.monitor_connection("websocket"):
                    async with asyncio.timeout(self._context.settings.join_timeout):
                        join = await self._receive_join()
                        room = await self._open_room(join)
                with correlation.bind(room.record.correlation_id):
                    context.set_connection_context("websocket", state="joined")
                    member = self._enter_room(room, join)
                    del join  # an idle socket would keep its token as long as it is open
                    await self._serve_member(room, member)
        except TimeoutError:
            await self._close(self.end_with.reason)
        except WebSocketRefusedError as refusal:
            await self._refuse(refusal)
        except WebSocketDisconnect:
            pass

    async def send(self, message: ServerMessage) -> None:
        """Send a message to the peer; a peer that does not read is disconnected. Never raises."""
        self._metrics.record_signaling_message(_outgoing_type(message), "out")
        await self._socket.send(message)

    async def _receive_join(self) -> Join:
        message = await self._receive()
        if not isinstance(message, Join):
            raise WebSocketRefusedError("bad_message", "the first message must be join")
        return message

    async def _open_room(self, join: Join) -> Room:
        networks = self._context.address_hasher.networks(self._socket.scope)
        if self._context.join_limiter.take_from_networks(networks):
            self._metrics.record_limit_rejection("joins_per_minute")
            raise WebSocketRefusedError(
                "rate_limited", "too many joins from this address; try again in a minute"
            )
        try:
            room = await self._find_room(join)
        except StoreError as error:
            report_error(
                "storage",
                "critical",
                "Rooms cannot be looked up",
                error=error,
                log=connection_logger,
                metrics=self._metrics,
            )
            problem = "rooms cannot be looked up at this moment; try again"
            raise WebSocketRefusedError("internal", problem) from None
        if room is None:
            if not any(each in self._rooms.live for each in possible_rooms(join.room)):
                await self._context.directory.release_room(join.room)
            raise WebSocketRefusedError("unknown_room", "no such room: the link is wrong or has expired")
        if room.is_closed and join.role not in room.members:
            raise WebSocketRefusedError("expired", "this transfer is over; a link is good for one transfer")
        return room

    async def _find_room(self, join: Join) -> Room | None:
        """The room that a join opens; for a receiver without a rejoin key, the link's next free room."""
        if join.role == "sender" or join.rejoin_key is not None:
            return await self._rooms.open_room(join.room, join.token_bytes)
        return await open_receiver_room(
            lambda room_id: self._rooms.open_room(room_id, join.token_bytes), join.room
        )

    def _enter_room(self, room: Room, join: Join) -> Member:
        cell = self._context.outcomes.cell(client_host(self._socket.scope))
        try:
            member, replaced = self._rooms.join(
                room, join.role, self, join.device, join.rejoin_key, do_not_track=join.do_not_track, cell=cell
            )
        except RoleTakenError:
            raise WebSocketRefusedError("role_taken", f"another {join.role} is in this room") from None
        self._socket.forget_headers()
        connection_logger.info("Peer joined", role=join.role, device=join.device, again=replaced is not None)
        if replaced is not None:
            replaced.connection.end_with("taken_over")
        return member

    async def _serve_member(self, room: Room, member: Member) -> None:
        self._metrics.device_connected(member.device)
        leave: Leave | None = None
        try:
            await self._send_joined(room, member)
            leave = await self._exchange_messages(room, member)
        finally:
            self._metrics.device_disconnected(member.device)
            connection_logger.info(
                "Peer left",
                role=member.role,
                device=member.device,
                event="lost" if leave is None else "left",
                outcome=leave and leave.outcome,
            )
            await self._leave(room, member, leave)

    async def _leave(self, room: Room, member: Member, leave: Leave | None) -> None:
        """Remove a member and tell the other one.

        Args:
            leave: the member's last message; None: its connection was lost.
        """
        outcome, resumable = (leave.outcome, leave.resumable) if leave is not None else (None, False)
        was_member = self._rooms.leave(room, member, outcome, resumable=resumable)
        peer = room.peer_of(member.role)
        if was_member and peer is not None:
            message: PeerMessage = {"type": "peer", "event": "lost" if leave is None else "left"}
            if outcome is not None:
                message["outcome"] = outcome
            if resumable:
                message["resumable"] = True
            await peer.connection.send(message)
        await self._rooms.conclude_unused(room)

    async def _send_joined(self, room: Room, member: Member) -> None:
        """Answer the join, repeat what the peer missed while it was away, and tell the other peer."""
        peer = room.peer_of(member.role)
        await self.send(
            {
                "type": "joined",
                "room": room.record.id,
                "peer": peer is not None,
                "rejoin_key": member.rejoin_key,
                "telemetry_token": room.report_tokens[member.role],
                "relay_ticket": member.relay_ticket,
                "correlation_id": room.record.correlation_id,
                "ice_servers": ice_servers(self._context.settings),
                "confirmation_limit": self._context.settings.confirmation_limit,
            }
        )
        if member.role == "sender" and room.confirmation_deadline is not None:
            await self.send({"type": "confirmation", "state": "pending"})
        if member.role == "sender" and room.receiver_outcome is not None:
            await self.send({"type": "peer", "event": "left", "outcome": room.receiver_outcome})
        if peer is not None:
            await peer.connection.send({"type": "peer", "event": "joined"})

    async def _exchange_messages(self, room: Room, member: Member) -> Leave:
        """Handle messages until the peer leaves; its last message."""
        while True:
            message = await self._receive()
            if isinstance(message, Forward):
                await self._forward(room, member, message)
            elif isinstance(message, Started) and member.role == "sender":
                await self._rooms.start_transfer(room, message.method)
            elif isinstance(message, Confirmation) and member.role == "receiver":
                await self._set_confirmation(room, message)
            elif isinstance(message, Leave):
                await self._socket.close(NORMAL_CLOSURE, "left")
                return message
            else:
                raise WebSocketRefusedError(
                    "bad_message",
                    "join is sent once, started only by a sender, and confirmation only by a receiver",
                )

    async def _forward(self, room: Room, member: Member, message: Forward) -> None:
        peer = room.peer_of(member.role)
        if peer is None:
            await self.send({"type": "error", "code": "no_peer", "message": "the other peer is not here"})
        else:
            self._rooms.analytics.signal_forwarded(room, message.type, message.data)
            await peer.connection.send({"type": message.type, "data": message.data})

    async def _set_confirmation(self, room: Room, message: Confirmation) -> None:
        self._rooms.set_confirmation(room, pending=message.state == "pending")
        REPEATS.log(  # a receiver may send these messages as often as it likes
            connection_logger,
            "info",
            "Receiver asked to confirm",
            key=(room.record.correlation_id, message.state),
            state=message.state,
        )
        sender = room.peer_of("receiver")
        if sender is not None:
            await sender.connection.send({"type": "confirmation", "state": message.state})

    async def _receive(self) -> SignalingMessage:
        text = self._received.pop() if self._received else await self._socket.receive_text()
        if self._bucket.take():
            self._metrics.record_limit_rejection("signaling_messages_per_second")
            raise WebSocketRefusedError(
                "rate_limited", f"more than {SIGNALING_MESSAGES_PER_SECOND} messages a second"
            )
        try:
            message = parse_signaling(text)
        except WebSocketRefusedError as refusal:
            self._metrics.record_signaling_message("other", "in")
            if refusal.code == "too_large":
                self._metrics.record_limit_rejection("signaling_message_bytes")
            raise
        label = "other" if isinstance(message, Started | Confirmation) else message.type
        self._metrics.record_signaling_message(label, "in")
        return message

    async def _refuse(self, refusal: WebSocketRefusedError) -> None:
        self._metrics.record_signaling_message("error", "out")
        log_refusal("Socket refused", endpoint="signal", reason=refusal.code)
        await self._socket.refuse(refusal)

    async def _close(self, reason: CloseReason | None) -> None:
        """Close the socket for a reason of the server; None: the join did not arrive in time."""
        if reason is None:
            await self._socket.refuse_late_join(self._metrics, "signal")
        elif reason == "expired":
            await self._refuse(WebSocketRefusedError("expired", "the room has expired"))
        elif reason == "internal":
            await self._refuse(WebSocketRefusedError("internal", "the room has moved; join again"))
        else:
            await self._socket.close_with(reason)


def _outgoing_type(message: ServerMessage) -> str:
    """The label ``type`` of ``signaling_messages_total``."""
    if message["type"] == "peer":
        return "join" if message["event"] == "joined" else "leave"
    return {"joined": "join", "confirmation": "other"}.get(message["type"], message["type"])
