"""The signaling connection of a peer: a WebSocket to the server, from the join to the end."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

import orjson
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from tallow.app.channels.channel import ChannelClosedError
from tallow.app.crypto.sealed_signals import SignalSealer
from tallow.app.peer.connection.closable_queue import ClosableQueue
from tallow.app.peer.connection.connection_attempt import ConnectionAttempt, ConnectionAttempts
from tallow.app.peer.connection.peer_presence import PeerPresence
from tallow.app.peer.connection.signaling_messages import (
    JoinedRoom,
    UnreadableSignalError,
    join_message,
    parse_forwarded,
    parse_joined,
    parse_message,
)
from tallow.app.peer.errors import ServerConnectionError, ServerRefusedError
from tallow.app.peer.link import Link
from tallow.app.peer.server_client import ServerClient
from tallow.app.wire import (
    CLOSE_REASONS,
    MAX_SIGNALING_BYTES,
    SIGNAL_PATH,
    CloseReason,
    ConfirmationState,
    ForwardedType,
    JoinMessage,
    Role,
    TransferMethod,
)

JOIN_TIMEOUT_S: Final = 15
LEAVE_TIMEOUT_S: Final = 2
MAX_MESSAGE: Final = 2 * MAX_SIGNALING_BYTES
"""Bytes of a message of the server: a forwarded one, and what the server adds to it."""
CONNECTION_LOST: Final = "the connection to the server was lost"
# The server closes with these codes without an error message.
_REASONS_WITHOUT_MESSAGE: Final = frozenset[CloseReason]({"taken_over", "timeout", "expired"})


class SignalingClient:
    """One signaling connection. Made by :meth:`join`.

    Args:
        sealer: seals and opens the signals between the peers.
        link_proven: whether the other side is known to have the link. Later a signal that cannot be opened is
            ignored: the server could end a transfer with it for good.
        offered: gets the connection attempts that the other side starts.

    Attributes:
        joined: the server's answer to the join.
        peer: presence of the other peer.
        lost: set once the connection is over.
        error: why it is over.
    """

    joined: JoinedRoom

    def __init__(
        self,
        socket: ClientConnection,
        sealer: SignalSealer,
        offered: ClosableQueue[ConnectionAttempt],
        *,
        link_proven: bool = False,
    ) -> None:
        self._socket = socket
        self._sealer = sealer
        self._link_proven = link_proven
        self._attempts = ConnectionAttempts(sealer, self.forward, offered)
        self.peer = PeerPresence()
        self.lost = asyncio.Event()
        self.error: Exception | None = None
        self._reading: asyncio.Task[None] | None = None

    @classmethod
    async def join(
        cls,
        server: ServerClient,
        link: Link,
        role: Role,
        offered: ClosableQueue[ConnectionAttempt],
        rejoin_key: str | None = None,
        room: str | None = None,
    ) -> SignalingClient:
        """Join a room; with the key of an earlier join, in place of that connection.

        Args:
            room: one of the link's rooms; by default the one that the link names, in whose place the server
                may choose another one for a receiver.

        Raises:
            ServerRefusedError: the server refuses.
            ServerConnectionError: the server cannot be reached.
        """
        socket = await server.open_websocket(SIGNAL_PATH, max_size=MAX_MESSAGE, ping_timeout=60)
        sealer = SignalSealer(link.secret, role)
        signaling = cls(socket, sealer, offered, link_proven=rejoin_key is not None)
        try:
            message = join_message(
                link, role, rejoin_key=rejoin_key, room=room, do_not_track=server.do_not_track
            )
            await signaling._join(message, link)
        except BaseException:
            await socket.close()
            raise
        signaling._reading = asyncio.create_task(signaling._read(), name="signaling")
        return signaling

    async def _join(self, message: JoinMessage, link: Link) -> None:
        try:
            async with asyncio.timeout(JOIN_TIMEOUT_S):
                await self._socket.send(orjson.dumps(message).decode())
                answer = parse_message(await self._socket.recv())
        except ConnectionClosed:
            raise self._close_error() from None
        except TimeoutError:
            raise ServerConnectionError("the server does not answer") from None
        if answer.get("type") == "error":
            raise ServerRefusedError(str(answer.get("code")))
        try:
            self.joined = parse_joined(answer, link)
        except ValueError:
            raise ServerRefusedError("bad_message") from None
        if answer.get("peer") is True:
            self.peer.joined()

    def start_attempt(self) -> ConnectionAttempt:
        """Start to connect; the attempt before is over."""
        return self._attempts.start()

    async def wait_for_peer(self) -> None:
        """Wait until the other side is in the room.

        Raises:
            ServerRefusedError: the server ended the connection for good.
            ServerConnectionError: the connection was lost.
        """
        await self._wait_for(self.peer.present)

    async def wait_for_absence(self) -> None:
        """Wait until the other side has left, or the connection is lost."""
        with suppress(ServerConnectionError, ServerRefusedError):
            await self._wait_for(self.peer.absent)

    async def wait_for_departure(self) -> None:
        """Wait until the other side has left on purpose, or the connection is lost."""
        with suppress(ServerConnectionError, ServerRefusedError):
            await self._wait_for(self.peer.departed)

    async def _wait_for(self, event: asyncio.Event) -> None:
        waits = [asyncio.ensure_future(each.wait()) for each in (event, self.lost)]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        if not event.is_set():
            raise self.error or ServerConnectionError(CONNECTION_LOST)

    async def report_started(self, method: TransferMethod) -> None:
        """Tell the server that data flows from now on. Only the sender does.

        Raises:
            ServerConnectionError: the connection was lost.
        """
        await self._send({"type": "started", "method": method})

    async def report_confirmation(self, state: ConfirmationState) -> None:
        """Tell the sender whether the person here is asked or agreed. Only the receiver does.

        Nothing is sent to a server that does not know confirmation.

        Raises:
            ServerConnectionError: the connection was lost.
        """
        if self.joined.confirmation_limit is not None:
            await self._send({"type": "confirmation", "state": state})

    async def forward(self, kind: ForwardedType, data: dict[str, object]) -> None:
        """Send a signal to the other side.

        Raises:
            ChannelClosedError: the connection was lost.
        """
        try:
            await self._send({"type": kind, "data": data})
        except ServerConnectionError as error:
            raise ChannelClosedError(str(error)) from None

    async def leave(self, outcome: str | None, *, resumable: bool = False) -> None:
        """Leave the room, with the transfer's outcome if it is over, and close. Never raises.

        Args:
            resumable: a transfer without success can be resumed.
        """
        message: dict[str, object] = {"type": "leave"}
        message |= {"outcome": outcome} if outcome else {}
        message |= {"resumable": True} if resumable else {}
        with suppress(ServerConnectionError, TimeoutError):
            async with asyncio.timeout(LEAVE_TIMEOUT_S):
                await self._send(message)
                await self._socket.wait_closed()
        await self.close()

    async def close(self) -> None:
        """Close the socket without leaving the room."""
        if self._reading is not None:
            self._reading.cancel()
        with suppress(ConnectionClosed):
            await self._socket.close()

    def handle(self, message: Mapping[str, Any]) -> None:
        """Process a message of the server. Malformed and unknown messages are ignored."""
        match message.get("type"):
            case "peer" if message.get("event") == "joined":
                self.peer.joined()
            case "peer":
                outcome = message.get("outcome")
                resumable = message.get("resumable") is True
                self._peer_left(str(outcome) if outcome else None, resumable=resumable)
            case "confirmation":
                self.peer.confirmation(message.get("state"))
            case "error" if message.get("code") == "no_peer":
                self._peer_left(self.peer.outcome, resumable=self.peer.resumable)
            case "error":
                self.error = ServerRefusedError(str(message.get("code")))
            case _:
                self._handle_signal(message)

    def _handle_signal(self, message: Mapping[str, Any]) -> None:
        try:
            signal = parse_forwarded(dict(message), self._sealer)
        except UnreadableSignalError:
            if not self._link_proven:
                self._attempts.fail_unreadable()
            return
        if signal is not None:
            self._link_proven = True
            self._attempts.handle(signal)

    def _peer_left(self, outcome: str | None, *, resumable: bool) -> None:
        self.peer.left(outcome, resumable=resumable)
        self._attempts.fail("the other side has left")

    async def _send(self, message: Mapping[str, Any]) -> None:
        try:
            await self._socket.send(orjson.dumps(message).decode())
        except ConnectionClosed:
            raise ServerConnectionError(CONNECTION_LOST) from None

    async def _read(self) -> None:
        try:
            while True:
                self.handle(parse_message(await self._socket.recv()))
        except ConnectionClosed:
            self.error = self._close_error()
            self.lost.set()
            self._attempts.fail("signaling was lost")

    def _close_error(self) -> Exception:
        if self.error is not None:
            return self.error
        reason = CLOSE_REASONS.get(self._socket.close_code or 0)
        if reason in _REASONS_WITHOUT_MESSAGE:
            return ServerRefusedError(reason)
        return ServerConnectionError(CONNECTION_LOST)
