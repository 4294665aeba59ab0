"""Signaling as a peer has it: its seat in a room, news of the other side, attempts to open a channel."""

from __future__ import annotations

import asyncio
import base64
import secrets
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, Literal, cast

import orjson
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from tallow.app.channels.channel import ChannelClosedError
from tallow.app.link import Link
from tallow.app.peer.connection.closable_queue import ClosableQueue
from tallow.app.peer.errors import ServerConnectionError, ServerRefusedError
from tallow.app.peer.server_client import ServerClient
from tallow.app.wire import Role

SignalType = Literal["offer", "answer", "candidate"]
ChannelType = Literal["webrtc", "relay"]
_KINDS: Final = frozenset({"offer", "answer", "candidate"})
_WAYS: Final = frozenset({"webrtc", "relay"})
JOIN_TIMEOUT_S: Final = 15
MOST_CONFIRMATION_S: Final = 3600.0
# Close codes that no error message comes before.
_SILENT: Final = {4008: "taken_over", 4009: "timeout", 4006: "expired"}


class ChannelRefusedError(ChannelClosedError):
    """The other side may not go this way."""


@dataclass(frozen=True, slots=True)
class JoinedRoom:
    """What the server gives with a seat."""

    rejoin_key: str = field(repr=False)
    telemetry_token: str = field(repr=False)
    relay_ticket: str = field(repr=False)
    correlation_id: str
    ice_servers: list[dict[str, Any]] = field(repr=False)
    confirmation_limit: float | None = None
    """Seconds that a receiver may take to confirm. None: a server from before there was confirmation."""


class ConnectionAttempt:
    """One attempt to open a channel: signaling messages of its own (an ``Exchange``)."""

    def __init__(self, signaling: SignalingClient, name: str, way: ChannelType) -> None:
        self.name = name
        self.channel_type = way
        self.inbox: ClosableQueue[tuple[SignalType, dict[str, object]]] = ClosableQueue()
        self._signaling = signaling

    async def send(self, kind: SignalType, data: dict[str, object]) -> None:
        """Pass a message to the other side."""
        await self._signaling.forward(
            kind, {"attempt": self.name, "channel": self.channel_type, "data": data}
        )

    async def receive(self) -> tuple[SignalType, dict[str, object]]:
        """The other side's next message.

        Raises:
            ChannelClosedError: there is none to wait for.
        """
        return await self.inbox.get()

    async def refuse(self) -> None:
        """Say that this side may not go this way."""
        answer: dict[str, object] = {"attempt": self.name, "channel": self.channel_type, "refused": True}
        await self._signaling.forward("answer", answer)


class SignalingClient:
    """A seat in a room, from its join on. Made by :meth:`join`.

    Args:
        attempts: where what the other side offers is put (a receiver's).

    Attributes:
        here: set while the other side is in the room.
        met: the other side has been in the room.
        left: set while the other side is away again.
        farewell: set when it left on purpose, with an outcome.
        outcome: that one.
        confirming: set while the person at the receiver is asked whether to take the files (at the sender).
        confirmed: set once the person has agreed.
        lost: set once signaling is over.
        error: why it is lost.
    """

    def __init__(self, socket: ClientConnection, attempts: ClosableQueue[ConnectionAttempt]) -> None:
        self._socket = socket
        self._attempts = attempts
        self.joined: JoinedRoom
        self.peer_present = asyncio.Event()
        self.peer_seen = False
        self.peer_absent = asyncio.Event()
        self.peer_departed = asyncio.Event()
        self.confirming = asyncio.Event()
        self.confirmed = asyncio.Event()
        self.lost = asyncio.Event()
        self.peer_outcome: str | None = None
        self.error: Exception | None = None
        self._attempt: ConnectionAttempt | None = None
        self._reading: asyncio.Task[None] | None = None

    @classmethod
    async def join(
        cls,
        server: ServerClient,
        link: Link,
        role: Role,
        attempts: ClosableQueue[ConnectionAttempt],
        seat: str | None = None,
    ) -> SignalingClient:
        """Take a seat; with its key, take it back.

        Raises:
            RefusedError: the server says no.
            LostError: it cannot be reached.
        """
        socket = await server.open_websocket("/api/signal", max_size=128 * 1024, ping_timeout=60)
        signaling = cls(socket, attempts)
        try:
            await signaling._join(link, role, seat)
        except BaseException:
            await signaling._socket.close()
            raise
        signaling._reading = asyncio.create_task(signaling._read(), name="signaling")
        return signaling

    async def _join(self, link: Link, role: Role, seat: str | None) -> None:
        token = base64.urlsafe_b64encode(link.join_token).decode().rstrip("=")
        message = {"type": "join", "version": 1, "room": link.room, "token": token, "role": role}
        message |= {"device": "cli"} | ({"rejoin_key": seat} if seat else {})
        try:
            async with asyncio.timeout(JOIN_TIMEOUT_S):
                await self._socket.send(orjson.dumps(message).decode())
                answer = _parsed(await self._socket.recv())
        except ConnectionClosed:
            raise self._closed() from None
        except TimeoutError:
            raise ServerConnectionError("the server does not answer") from None
        if answer.get("type") == "error":
            raise ServerRefusedError(str(answer.get("code")))
        try:
            self.joined = JoinedRoom(
                str(answer["rejoin_key"]),
                str(answer["telemetry_token"]),
                str(answer["relay_ticket"]),
                str(answer["correlation_id"]),
                [_ice_server(server) for server in answer["ice_servers"]],
                _confirmation_limit(answer.get("confirmation_limit")),
            )
        except (KeyError, TypeError, ValueError):
            raise ServerRefusedError("bad_message") from None
        if answer.get("peer") is True:
            self._other_came()

    def attempt(self, way: ChannelType) -> ConnectionAttempt:
        """Begin an attempt; the one before is over."""
        self._begin(ConnectionAttempt(self, secrets.token_hex(8), way))
        assert self._attempt is not None
        return self._attempt

    async def wait_for_peer(self) -> None:
        """Wait until the other side is in the room.

        Raises:
            RefusedError: the server ended it for good.
            LostError: signaling was lost.
        """
        await self._first(self.peer_present)

    async def wait_for_absence(self) -> None:
        """Wait until the other side has left, or signaling is lost."""
        with suppress(ServerConnectionError, ServerRefusedError):
            await self._first(self.peer_absent)

    async def wait_for_departure(self) -> None:
        """Wait until the other side has left on purpose, or signaling is lost."""
        with suppress(ServerConnectionError, ServerRefusedError):
            await self._first(self.peer_departed)

    async def _first(self, event: asyncio.Event) -> None:
        waits = [asyncio.ensure_future(each.wait()) for each in (event, self.lost)]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        if not event.is_set():
            raise self.error or ServerConnectionError("the connection to the server was lost")

    async def report_started(self, method: str) -> None:
        """Say that data flows from now on. A sender's."""
        await self._send({"type": "started", "method": method})

    async def report_confirmation(self, state: Literal["pending", "given"]) -> None:
        """Say that the person here is asked, or has agreed. A receiver's; nothing to a server that does not
        know of it.

        Raises:
            LostError: signaling was lost.
        """
        if self.joined.confirmation_limit is not None:
            await self._send({"type": "confirmation", "state": state})

    async def forward(self, kind: SignalType, data: dict[str, object]) -> None:
        """Pass a message to the other side.

        Raises:
            ChannelClosedError: signaling was lost.
        """
        try:
            await self._send({"type": kind, "data": data})
        except ServerConnectionError as error:
            raise ChannelClosedError(str(error)) from None

    async def leave(self, outcome: str | None) -> None:
        """Say goodbye, with the transfer's outcome if it has one, and close. Never raises."""
        with suppress(ServerConnectionError, TimeoutError):
            async with asyncio.timeout(2):
                await self._send({"type": "leave"} | ({"outcome": outcome} if outcome else {}))
                await self._socket.wait_closed()
        await self.close()

    async def close(self) -> None:
        """Drop the socket."""
        if self._reading is not None:
            self._reading.cancel()
        with suppress(ConnectionClosed):
            await self._socket.close()

    async def _send(self, message: dict[str, Any]) -> None:
        try:
            await self._socket.send(orjson.dumps(message).decode())
        except ConnectionClosed:
            raise ServerConnectionError("the connection to the server was lost") from None

    async def _read(self) -> None:
        try:
            while True:
                self._take(_parsed(await self._socket.recv()))
        except ConnectionClosed:
            self._end(self._closed())

    def _closed(self) -> Exception:
        code = self._socket.close_code
        if self.error is not None:
            return self.error
        if code in _SILENT:
            return ServerRefusedError(_SILENT[code])
        return ServerConnectionError("the connection to the server was lost")

    def _end(self, error: Exception) -> None:
        self.error = self.error or error
        self.lost.set()
        if self._attempt is not None:
            self._attempt.inbox.fail(ChannelClosedError("signaling was lost"))

    def _take(self, message: dict[str, Any]) -> None:
        kind = message.get("type")
        if not isinstance(kind, str):
            return
        if kind == "peer":
            self._peer(str(message.get("event")), message.get("outcome"))
        elif kind == "confirmation":
            self._confirmation(message.get("state"))
        elif kind == "error" and message.get("code") == "no_peer":
            self._other_left()
        elif kind == "error":
            self.error = ServerRefusedError(str(message.get("code")))
        elif kind in _KINDS and isinstance(message.get("data"), dict):
            self._forwarded(cast("SignalType", kind), message["data"])

    def _peer(self, event: str, outcome: object) -> None:
        if event == "joined":
            self.peer_outcome = None
            self.peer_absent.clear()
            self.peer_departed.clear()
            self._other_came()
        else:
            self.peer_outcome = str(outcome) if outcome else None
            if outcome:
                self.peer_departed.set()
            self._other_left()

    def _confirmation(self, state: object) -> None:
        if state == "pending":
            self.confirmed.clear()
            self.confirming.set()
        elif state == "given":
            self.confirming.clear()
            self.confirmed.set()

    def _other_came(self) -> None:
        self.peer_seen = True
        self.peer_present.set()

    def _other_left(self) -> None:
        self.peer_present.clear()
        self.peer_absent.set()
        if self._attempt is not None:
            self._attempt.inbox.fail(ChannelClosedError("the other side has left"))

    def _forwarded(self, kind: SignalType, data: dict[str, Any]) -> None:
        name, way, inner = data.get("attempt"), data.get("channel"), data.get("data")
        if not isinstance(name, str) or not isinstance(way, str) or way not in _WAYS:
            return
        if kind == "offer" and (self._attempt is None or self._attempt.name != name):
            self._begin(ConnectionAttempt(self, name, cast("ChannelType", way)))
            assert self._attempt is not None
            self._attempts.put(self._attempt)
        if self._attempt is None or self._attempt.name != name:
            return
        if data.get("refused") is True:
            self._attempt.inbox.fail(ChannelRefusedError("the other side does not go this way"))
        elif isinstance(inner, dict):
            self._attempt.inbox.put((kind, inner))

    def _begin(self, attempt: ConnectionAttempt) -> None:
        if self._attempt is not None:
            self._attempt.inbox.fail(ChannelClosedError("another attempt has begun"))
        self._attempt = attempt


def _ice_server(entry: dict[str, Any]) -> dict[str, Any]:
    """An RTCIceServer (W3C WebRTC, section 4.2.4) with its URLs as a list."""
    urls = entry["urls"]
    return entry | {"urls": [urls] if isinstance(urls, str) else [str(url) for url in urls]}


def _confirmation_limit(seconds: object) -> float | None:
    """The server's limit, within what a person may be asked to wait for."""
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        return None
    return min(max(seconds, 1.0), MOST_CONFIRMATION_S)


def _parsed(text: str | bytes) -> dict[str, Any]:
    try:
        message = orjson.loads(text)
    except orjson.JSONDecodeError:
        return {}
    return message if isinstance(message, dict) else {}
