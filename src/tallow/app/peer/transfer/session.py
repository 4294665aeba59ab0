"""What sender and receiver have in common: room, connection, telemetry, and an end that is reported once."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any, Final, TypeVar

from tallow.app.channels.channel import Channel, ChannelClosedError, ChannelError
from tallow.app.crypto.errors import CancelledByPeerError, StoppedByPeerError
from tallow.app.peer.connection.connector import NO_WEBRTC, ChannelConnector, transfer_method
from tallow.app.peer.connection.retry import RetrySchedule
from tallow.app.peer.connection.room_session import RoomSession
from tallow.app.peer.connection.secure_channel import SecureChannel, perform_handshake
from tallow.app.peer.connection.signaling import SignalingClient
from tallow.app.peer.connection.signaling_messages import JoinedRoom
from tallow.app.peer.errors import abort_code
from tallow.app.peer.event_log import TransferEventLog
from tallow.app.peer.events import EventHandler
from tallow.app.peer.link import Link
from tallow.app.peer.options import TransferOptions
from tallow.app.peer.server_client import ServerClient
from tallow.app.peer.tasks import cancel_task
from tallow.app.peer.telemetry_reporter import TelemetryReporter
from tallow.app.peer.transfer.outcome import raise_if_departed, record_usage
from tallow.app.peer.transfer.progress import TransferProgress
from tallow.app.peer.transfer.resume_state import ReceiverState, SenderState
from tallow.app.wire import Role, TransferMethod, TransferOutcome
from tallow.monitoring.metrics import Metrics

CANCELLED_END_S: Final = 1.2
"""Seconds that a cancelled side may take to inform the other side and the server. The process must end within
two seconds, also if the server does not answer."""
CHANNEL_SHARE: Final = 0.5
"""Share of that time for the channel; the rest is for the server."""
CLOSE_TIMEOUT_S: Final = 2.0
ABORT_ARRIVES_S: Final = 0.5
"""Seconds that the other side's own abort may take after the server reported its departure."""

T = TypeVar("T")


class TransferSession(ABC):
    """One side of one transfer.

    Args:
        state: what is kept for a later run.

    Attributes:
        error: that ended the transfer.
    """

    def __init__(
        self,
        role: Role,
        server: ServerClient,
        link: Link,
        state: SenderState | ReceiverState,
        options: TransferOptions,
        metrics: Metrics,
        events: EventHandler,
    ) -> None:
        def keep(joined: JoinedRoom) -> None:
            state.room, state.rejoin_key = joined.room, joined.rejoin_key
            state.save()

        self._role = role
        self._link = link
        self._options = options
        self._metrics = metrics
        self._events = TransferEventLog(role, events, lambda: self._room.correlation_id)
        self._progress = TransferProgress(self._events)
        self._telemetry = TelemetryReporter(server, metrics, enabled=options.telemetry)
        self._room = RoomSession(
            server,
            link,
            role,
            metrics,
            self._telemetry,
            self._events,
            options.timing,
            rejoin_key=state.rejoin_key,
            room=state.room,
            on_joined=keep,
            on_rejoin=self._on_rejoin,
        )
        self._connector = ChannelConnector(server, link, role, options, metrics, self._warn)
        self._retries = RetrySchedule("connection", metrics, options.timing)
        self._method: TransferMethod = "relay"
        self._aborts_when_cancelled = True
        self._complete = False
        self._noted_webrtc = False
        self.error: BaseException | None = None
        self._ending_deadline: float | None = None

    @property
    def seconds(self) -> float:
        """Seconds since the first byte."""
        return self._progress.seconds

    @property
    def accepted_reports(self) -> int:
        """Telemetry reports that the server accepted."""
        return self._telemetry.accepted_reports

    async def run(self) -> None:
        """Run the transfer; it is reported and counted once, however it ends.

        Raises:
            Exception: why it failed.
            asyncio.CancelledError: it was cancelled before all files were transferred. The other side
                got an abort.
        """
        record_usage(self._options, self._metrics)
        self._connector.preload()
        reporting = asyncio.create_task(self._telemetry.report_periodically())
        try:
            await self._run_cancellable()
        except BaseException as problem:
            self.error = problem
            raise
        finally:
            reporting.cancel()
            await self._finish(self.error)

    async def _run_cancellable(self) -> None:
        """Transfer. Cancelling after all files are transferred skips the rest and is no failure."""
        try:
            await self._transfer_until_done()
        except asyncio.CancelledError:
            if not self._complete:
                raise
            self._uncancel()

    async def _finish(self, error: BaseException | None) -> None:
        """Run :meth:`_end` to its end. Cancelling shortens it and does not change the outcome."""
        if isinstance(error, asyncio.CancelledError):
            self._limit_ending()
        ending = asyncio.create_task(self._end_all(error))
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

    async def _end_all(self, error: BaseException | None) -> None:
        closing = asyncio.create_task(self._connector.close(), name="close connector")
        try:
            await self._end(error)
        finally:
            await closing

    def _warn(self, text: str) -> None:
        self._events("warning", message=text)

    def _limit_ending(self) -> float:
        """Limit the time to end, from the first call on. Returns the deadline on the event loop's clock."""
        if self._ending_deadline is None:
            self._ending_deadline = asyncio.get_running_loop().time() + CANCELLED_END_S
        return self._ending_deadline

    @staticmethod
    def _uncancel() -> None:
        task = asyncio.current_task()
        if task is not None:
            task.uncancel()

    @asynccontextmanager
    async def _connection(
        self, signaling: SignalingClient, opening: Coroutine[Any, Any, Channel]
    ) -> AsyncIterator[SecureChannel]:
        """Open a channel and agree on keys. The block's error is sent to the other side as an abort.

        Raises:
            ProtocolError, ChannelError, PeerError: there is no connection; or the block's error.
        """
        channel = await self._await_unless_departed(signaling, opening)
        self._method = transfer_method(channel)
        try:
            handshake = perform_handshake(channel, self._role, self._link, self._metrics)
            secure = await self._await_unless_departed(signaling, handshake)
            self._events("connected", method=self._method, path=channel.path)
            if self._method == "relay" and self._connector.lacks_webrtc and not self._noted_webrtc:
                self._noted_webrtc = True
                self._events("warning", message=NO_WEBRTC)
            try:
                yield secure
            except asyncio.CancelledError:
                if self._aborts_when_cancelled and not self._complete:
                    await self._abort(secure)
                raise
            except ChannelClosedError:
                await secure.raise_if_aborted()
                raise
            except ChannelError:
                raise
            except Exception as error:
                await secure.abort(abort_code(error))
                raise
        finally:
            await self._close(channel)

    async def _abort(self, secure: SecureChannel) -> None:
        """Tell the other side over the channel that this side was stopped."""
        code = StoppedByPeerError.code if self._may_be_resumed else CancelledByPeerError.code
        with suppress(TimeoutError):
            async with asyncio.timeout_at(self._limit_ending() - CANCELLED_END_S * CHANNEL_SHARE):
                await secure.abort(code)

    async def _close(self, channel: Channel) -> None:
        """Close a channel, within the time left if this side was cancelled."""
        deadline = asyncio.get_running_loop().time() + CLOSE_TIMEOUT_S
        if self._ending_deadline is not None:
            deadline = min(deadline, self._ending_deadline - CANCELLED_END_S * CHANNEL_SHARE)
        with suppress(TimeoutError):
            async with asyncio.timeout_at(deadline):
                await channel.close()

    async def _await_unless_departed(self, signaling: SignalingClient, work: Coroutine[Any, Any, T]) -> T:
        """Await a step of the connection setup, unless the other side leaves the room for good.

        Only for the time before there are keys. Later the other side's own abort counts, not the server's
        word.

        Raises:
            CancelledByPeerError, PeerError: it has left.
        """
        task = asyncio.ensure_future(work)
        departure = asyncio.ensure_future(signaling.peer.departed.wait())
        try:
            await asyncio.wait({task, departure}, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                await asyncio.wait({task}, timeout=ABORT_ARRIVES_S)
            if not task.done():
                raise_if_departed(signaling)
            return await task
        finally:
            departure.cancel()
            await cancel_task(task)

    @property
    @abstractmethod
    def _may_be_resumed(self) -> bool:
        """Whether a later run can resume the transfer if a signal stops it now."""

    @abstractmethod
    async def _transfer_until_done(self) -> None:
        """Retry until all files are transferred, or an error is permanent."""

    @abstractmethod
    async def _end(self, error: BaseException | None) -> None:
        """Clean up, and report how the transfer ended."""

    @abstractmethod
    async def _on_rejoin(self, signaling: SignalingClient) -> None:
        """Repeat this side's status to the server after signaling was lost."""

    async def _leave(self, outcome: TransferOutcome | None, *, resumable: bool = False) -> None:
        """Leave the room, with the outcome if the transfer is over, and send the final report."""
        leaving = self._room.leave(outcome, resumable=resumable)
        await asyncio.gather(leaving, self._telemetry.report_final())
