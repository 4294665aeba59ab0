"""What both sides of a transfer have in common: a seat, reports, and a goodbye that is said once."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, Final, TypeVar

from tallow.app.channels.channel import Channel
from tallow.app.crypto.errors import CancelledByPeerError
from tallow.app.link import Link
from tallow.app.peer.connection.connector import ChannelConnector
from tallow.app.peer.connection.retry import RetrySchedule
from tallow.app.peer.connection.room_session import RoomSession
from tallow.app.peer.connection.secure_channel import SecureChannel
from tallow.app.peer.connection.signaling import SignalingClient
from tallow.app.peer.event_log import TransferEventLog
from tallow.app.peer.server_client import ServerClient
from tallow.app.peer.telemetry_reporter import TelemetryReporter
from tallow.app.peer.transfer.outcome import TransferOptions, raise_if_departed, record_usage
from tallow.app.peer.transfer.progress import EventHandler, Progress
from tallow.app.peer.transfer.resume_state import ReceiverState, SenderState
from tallow.app.wire import Role
from tallow.monitoring.metrics import Metrics

GOODBYE_S: Final = 1.2
"""How long a side that was told to stop takes to tell the other side and the server. Its process ends within
two seconds then, also if the server does not answer."""
CHANNEL_SHARE: Final = 0.5
"""The part of it that the channel may use up; the rest is for the server."""
CLOSE_S: Final = 2.0
CANCEL_S: Final = 0.3
ABORT_ARRIVES_S: Final = 0.5
"""How long the other side's own reason may take after the server said that it has left."""

T = TypeVar("T")


class TransferSession(ABC):
    """Sender or receiver.

    Args:
        remembered: what is kept of the transfer from run to run.
    """

    def __init__(
        self,
        role: Role,
        server: ServerClient,
        link: Link,
        remembered: SenderState | ReceiverState,
        options: TransferOptions,
        metrics: Metrics,
        events: EventHandler,
    ) -> None:
        def keep(key: str) -> None:
            remembered.rejoin_key = key
            remembered.save()

        self._link = link
        self._options = options
        self._metrics = metrics
        self._events = TransferEventLog(role, events, lambda: self._room.correlation_id)
        self._progress = Progress(self._events)
        self._telemetry = TelemetryReporter(server, metrics, enabled=options.telemetry)
        self._room = RoomSession(
            server,
            link,
            role,
            metrics,
            self._telemetry,
            self._events,
            options.timing,
            key=remembered.rejoin_key,
            on_key=keep,
            on_return=self._on_return,
        )
        self._connector = ChannelConnector(server, role, options, metrics)
        self._retries = RetrySchedule("connection", metrics, options.timing)
        self._complete = False
        self._ending_deadline: float | None = None

    @property
    def seconds(self) -> float:
        """Since the first byte."""
        return self._progress.seconds

    @property
    def accepted_reports(self) -> int:
        """Reports that were booked."""
        return self._telemetry.accepted_reports

    async def run(self) -> None:
        """Transfer, and see that it is told and counted once, however it ends.

        Raises:
            Exception: why it did not succeed.
            asyncio.CancelledError: it was cancelled here before all was across; the other side has been told.
        """
        record_usage(self._options, self._metrics)
        reporting = asyncio.create_task(self._telemetry.report_periodically())
        error: BaseException | None = None
        try:
            await self._run_cancellable()
        except BaseException as problem:
            error = problem
            raise
        finally:
            reporting.cancel()
            await self._finish(error)

    async def _run_cancellable(self) -> None:
        """Transfer. To be cancelled after all is across ends what is left to do, and is no failure."""
        try:
            await self._transfer_until_done()
        except asyncio.CancelledError:
            if not self._complete:
                raise
            self._uncancel()

    async def _finish(self, error: BaseException | None) -> None:
        """Run :meth:`_end` to its end. To be cancelled meanwhile shortens it and changes no outcome."""
        if isinstance(error, asyncio.CancelledError):
            self._limit_ending()
        ending = asyncio.create_task(self._end(error))
        while not ending.done():
            try:
                async with asyncio.timeout_at(self._ending_deadline):
                    await asyncio.shield(ending)
            except TimeoutError:
                await cancel_task(ending)
                return
            except asyncio.CancelledError:
                self._limit_ending()
                self._uncancel()
        ending.result()

    def _limit_ending(self) -> float:
        """Limit the goodbye, from the first call on: when it ends, on the event loop's clock."""
        if self._ending_deadline is None:
            self._ending_deadline = asyncio.get_running_loop().time() + GOODBYE_S
        return self._ending_deadline

    @staticmethod
    def _uncancel() -> None:
        task = asyncio.current_task()
        if task is not None:
            task.uncancel()

    async def _abort(self, secure: SecureChannel) -> None:
        """Tell the other side over the channel that this side was told to stop. Never raises TimeoutError."""
        with suppress(TimeoutError):
            async with asyncio.timeout_at(self._limit_ending() - GOODBYE_S * CHANNEL_SHARE):
                await secure.abort(CancelledByPeerError.code)

    async def _close(self, channel: Channel) -> None:
        """End a channel, within what is left of the goodbye if this side was told to stop."""
        ends = asyncio.get_running_loop().time() + CLOSE_S
        if self._ending_deadline is not None:
            ends = min(ends, self._ending_deadline - GOODBYE_S * CHANNEL_SHARE)
        with suppress(TimeoutError):
            async with asyncio.timeout_at(ends):
                await channel.close()

    async def _await_unless_departed(self, signaling: SignalingClient, work: Coroutine[Any, Any, T]) -> T:
        """Await what makes a connection, unless the other side leaves for good meanwhile.

        Once there are keys the other side says so itself; what the server says of it is not heeded then.

        Raises:
            CancelledByPeerError, PeerError: it has left.
        """
        task, farewell = asyncio.ensure_future(work), asyncio.ensure_future(signaling.peer_departed.wait())
        try:
            await asyncio.wait({task, farewell}, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                await asyncio.wait({task}, timeout=ABORT_ARRIVES_S)
            if not task.done():
                raise_if_departed(signaling)
            return await task
        finally:
            farewell.cancel()
            await cancel_task(task)

    @abstractmethod
    async def _transfer_until_done(self) -> None:
        """Try until all is across, or nothing can help any more."""

    @abstractmethod
    async def _end(self, error: BaseException | None) -> None:
        """Clean up here, and tell whoever must know how it ended."""

    @abstractmethod
    async def _on_return(self, signaling: SignalingClient) -> None:
        """Tell the server again what it must know, after signaling was lost."""

    async def _leave(self, outcome: str | None) -> None:
        """Leave the room, with the outcome of a transfer that is over, and hand the last report in."""
        await asyncio.gather(self._room.leave(outcome), self._telemetry.report_final())


async def cancel_task(task: asyncio.Future[Any]) -> None:
    """Cancel a task. One that closes a connection whose other end does not answer is not waited for."""
    task.cancel()
    done, _ = await asyncio.wait({task}, timeout=CANCEL_S)
    for ended in done or {task}:
        ended.add_done_callback(_retrieved)


def _retrieved(task: asyncio.Future[Any]) -> None:
    if not task.cancelled():
        task.exception()
