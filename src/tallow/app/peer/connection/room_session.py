"""Membership of a room that lasts: signaling is joined again whenever it is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

from tallow.app.peer.connection.closable_queue import ClosableQueue
from tallow.app.peer.connection.connection_attempt import ConnectionAttempt
from tallow.app.peer.connection.retry import RetrySchedule
from tallow.app.peer.connection.signaling import CONNECTION_LOST, SignalingClient
from tallow.app.peer.connection.signaling_messages import JoinedRoom
from tallow.app.peer.errors import PeerError, ServerConnectionError, is_transient
from tallow.app.peer.events import EventHandler
from tallow.app.peer.link import Link
from tallow.app.peer.options import PeerTiming
from tallow.app.peer.server_client import ServerClient
from tallow.app.peer.tasks import end_task
from tallow.app.peer.telemetry_reporter import TelemetryReporter
from tallow.app.wire import Role
from tallow.monitoring import correlation
from tallow.monitoring.metrics import Metrics

REJOIN_TO_LEAVE_S: Final = 2.0


async def _ignore(_signaling: SignalingClient) -> None:
    pass


class RoomSession:
    """One peer's membership of a room.

    Args:
        rejoin_key: from an earlier run.
        room: of the link; None: a receiver's, which the server chooses at the first join.
        on_joined: is called with the server's answer to each join, to store what a later run needs.
        on_rejoin: is called after signaling was lost and joined again.

    Attributes:
        attempts: connection attempts that the other side starts.
        correlation_id: the room's, once joined.
    """

    def __init__(
        self,
        server: ServerClient,
        link: Link,
        role: Role,
        metrics: Metrics,
        telemetry: TelemetryReporter,
        events: EventHandler,
        timing: PeerTiming,
        *,
        rejoin_key: str | None = None,
        room: str | None = None,
        on_joined: Callable[[JoinedRoom], None] = lambda _joined: None,
        on_rejoin: Callable[[SignalingClient], Awaitable[None]] = _ignore,
    ) -> None:
        self.attempts: ClosableQueue[ConnectionAttempt] = ClosableQueue()
        self.correlation_id = correlation.current() or correlation.new_id()
        self._server = server
        self._link = link
        self._role = role
        self._telemetry = telemetry
        self._events = events
        self._retries = RetrySchedule("signaling", metrics, timing)
        self._rejoin_key = rejoin_key
        self._room = room
        self._on_joined = on_joined
        self._on_rejoin = on_rejoin
        self._signaling: SignalingClient | None = None
        self._fatal_error: Exception | None = None
        self._peer_seen = False
        self._joining = asyncio.Lock()
        self._rejoining: asyncio.Task[None] | None = None

    @property
    def peer_seen(self) -> bool:
        """Whether both sides were in the room at the same time, as far as this side knows."""
        return self._peer_seen or (self._signaling is not None and self._signaling.peer.seen)

    async def signaling(self) -> SignalingClient:
        """The signaling connection; a lost one is joined again first.

        Raises:
            PeerError: the server refuses, or could not be reached for too long.
        """
        async with self._joining:
            if self._fatal_error is not None:
                raise self._fatal_error
            if self._signaling is None:
                return await self._join()
            if self._signaling.lost.is_set():
                await self._rejoin(self._signaling.error or ServerConnectionError(CONNECTION_LOST))
            return self._signaling

    async def _rejoin(self, error: Exception) -> None:
        """Join again after signaling was lost with ``error``."""
        while True:
            wait = self._retries.record_failure(error) if is_transient(error) else None
            if wait is None:
                self._fatal_error = error
                raise error
            self._events("interrupted", reason=str(error), retry_in=round(wait, 1))
            await asyncio.sleep(wait)
            try:
                signaling = await self._join()
            except PeerError as problem:
                error = problem
            else:
                self._retries.record_success()
                with suppress(ServerConnectionError):
                    await self._on_rejoin(signaling)
                return

    async def _join(self) -> SignalingClient:
        with correlation.bind(self.correlation_id):
            signaling = await SignalingClient.join(
                self._server, self._link, self._role, self.attempts, self._rejoin_key, self._room
            )
        joined = signaling.joined
        self._peer_seen = self.peer_seen
        self._signaling = signaling
        self._rejoin_key = joined.rejoin_key
        self._room = joined.room
        self._on_joined(joined)
        self.correlation_id = joined.correlation_id
        self._telemetry.set_token(joined.telemetry_token, joined.correlation_id)
        if self._rejoining is None:
            self._rejoining = asyncio.create_task(self._rejoin_whenever_lost(), name="rejoin signaling")
        return signaling

    async def _rejoin_whenever_lost(self) -> None:
        while self._signaling is not None:
            await self._signaling.lost.wait()
            try:
                await self.signaling()
            except PeerError as error:
                self.attempts.fail(error)
                return

    async def leave(self, outcome: str | None, *, resumable: bool = False) -> None:
        """Leave the room, with the transfer's outcome if it is over. Never raises.

        If signaling is lost and there is an outcome, it is joined once more: otherwise the other side would
        wait in vain.
        """
        if self._rejoining is not None:
            await end_task(self._rejoining)
        signaling = self._signaling
        if outcome is not None and (signaling is None or signaling.lost.is_set()):
            signaling = await self._rejoin_to_leave()
        if signaling is not None:
            await signaling.leave(outcome, resumable=resumable)

    async def _rejoin_to_leave(self) -> SignalingClient | None:
        """Join once more; None if this side was never in the room or cannot join."""
        if self._rejoin_key is None or self._fatal_error is not None:
            return None
        with suppress(PeerError, TimeoutError), correlation.bind(self.correlation_id):
            async with asyncio.timeout(REJOIN_TO_LEAVE_S):
                return await SignalingClient.join(
                    self._server, self._link, self._role, ClosableQueue(), self._rejoin_key, self._room
                )
        return None
