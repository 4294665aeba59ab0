"""A seat that is kept: signaling is joined again whenever it is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

from tallow.app.link import Link
from tallow.app.peer.connection.closable_queue import ClosableQueue
from tallow.app.peer.connection.retry import PeerTiming, RetrySchedule
from tallow.app.peer.connection.signaling import ConnectionAttempt, SignalingClient
from tallow.app.peer.errors import PeerError, ServerConnectionError, is_transient
from tallow.app.peer.server_client import ServerClient
from tallow.app.peer.telemetry_reporter import TelemetryReporter
from tallow.app.peer.transfer.progress import EventHandler
from tallow.app.wire import Role
from tallow.monitoring import correlation
from tallow.monitoring.metrics import Metrics

LEAVE_S: Final = 2.0


async def _nothing(_signaling: SignalingClient) -> None:
    """There is nothing to tell the server."""


class RoomSession:
    """One side's place in a room.

    Args:
        key: of the seat, from an earlier run.
        on_key: told the key, to be kept for a later run.
        on_return: tells the server again, after an absence, what it must know of this side.

    Attributes:
        attempts: what the other side offers.
        correlation_id: the room's, once the seat is taken.
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
        key: str | None = None,
        on_key: Callable[[str], None] = lambda _key: None,
        on_return: Callable[[SignalingClient], Awaitable[None]] = _nothing,
    ) -> None:
        self.attempts: ClosableQueue[ConnectionAttempt] = ClosableQueue()
        self.correlation_id = correlation.current() or correlation.new_id()
        self._server = server
        self._link = link
        self._role = role
        self._telemetry = telemetry
        self._events = events
        self._retries = RetrySchedule("signaling", metrics, timing)
        self._key = key
        self._on_key = on_key
        self._on_return = on_return
        self._signaling: SignalingClient | None = None
        self._given_up: Exception | None = None
        self._met = False
        self._joining = asyncio.Lock()
        self._holding: asyncio.Task[None] | None = None

    @property
    def peer_seen(self) -> bool:
        """Whether both sides have been in the room at one time, as far as this side was told."""
        return self._met or (self._signaling is not None and self._signaling.peer_seen)

    async def signaling(self) -> SignalingClient:
        """The seat, taken again if signaling was lost.

        Raises:
            PeerError: the server refuses, or could not be reached for too long.
        """
        async with self._joining:
            if self._given_up is not None:
                raise self._given_up
            if self._signaling is None:
                return await self._join()
            if self._signaling.lost.is_set():
                await self._again(
                    self._signaling.error or ServerConnectionError("the connection to the server was lost")
                )
            return self._signaling

    async def _again(self, error: Exception) -> None:
        """Take the seat that was lost with ``error``."""
        while True:
            wait = self._retries.record_failure(error) if is_transient(error) else None
            if wait is None:
                self._given_up = error
                raise error
            self._events("interrupted", reason=str(error), retry_in=round(wait, 1))
            await asyncio.sleep(wait)
            try:
                await self._join()
            except PeerError as problem:
                error = problem
            else:
                self._retries.record_success()
                if self._signaling is not None:
                    with suppress(ServerConnectionError):
                        await self._on_return(self._signaling)
                return

    async def _join(self) -> SignalingClient:
        with correlation.bind(self.correlation_id):
            signaling = await SignalingClient.join(
                self._server, self._link, self._role, self.attempts, self._key
            )
        joined = signaling.joined
        self._met = self.peer_seen
        self._signaling = signaling
        self._key = joined.rejoin_key
        self._on_key(self._key)
        self.correlation_id = joined.correlation_id
        self._telemetry.set_token(joined.telemetry_token, joined.correlation_id)
        if self._holding is None:
            self._holding = asyncio.create_task(self._hold(), name="seat")
        return signaling

    async def _hold(self) -> None:
        """Take the seat again as soon as it is lost, whatever else goes on."""
        while self._signaling is not None:
            await self._signaling.lost.wait()
            try:
                await self.signaling()
            except PeerError as error:
                self.attempts.fail(error)
                return

    async def leave(self, outcome: str | None) -> None:
        """Give the seat up, with the transfer's outcome if it has one. Never raises.

        A seat that is lost at this moment is taken once more for that: otherwise the other side would wait.
        """
        if self._holding is not None:
            self._holding.cancel()
            with suppress(asyncio.CancelledError):
                await self._holding
        signaling = self._signaling
        if outcome is not None and (signaling is None or signaling.lost.is_set()):
            signaling = await self._take_to_leave()
        if signaling is not None:
            await signaling.leave(outcome)

    async def _take_to_leave(self) -> SignalingClient | None:
        """The seat that this side had, taken again; None if it had none or cannot get it."""
        if self._key is None or self._given_up is not None:
            return None
        with suppress(PeerError, TimeoutError), correlation.bind(self.correlation_id):
            async with asyncio.timeout(LEAVE_S):
                return await SignalingClient.join(
                    self._server, self._link, self._role, ClosableQueue(), self._key
                )
        return None
