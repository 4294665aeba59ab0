"""The sender: joins its room, waits for the receiver, and sends until all files are confirmed."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from tallow.app.channels.channel import ChannelClosedError, ChannelError
from tallow.app.crypto.errors import ProtocolError, StoppedByPeerError, UnconfirmedError
from tallow.app.peer.connection.secure_channel import SecureChannel, perform_handshake
from tallow.app.peer.connection.signaling import SignalingClient
from tallow.app.peer.errors import PeerError, ServerRefusedError, abort_code, is_authenticated, is_transient
from tallow.app.peer.events import EventHandler
from tallow.app.peer.options import TransferOptions
from tallow.app.peer.server_client import ServerClient
from tallow.app.peer.tasks import cancel_task, start_task, wait_for_end
from tallow.app.peer.transfer.file_sender import FileSender
from tallow.app.peer.transfer.manifest import ResumeOffer
from tallow.app.peer.transfer.outcome import (
    check_remote_departure,
    has_outcome,
    outcome_of,
    raise_if_departed,
    record_failure,
)
from tallow.app.peer.transfer.prepare import PreparedFiles
from tallow.app.peer.transfer.rate_limit import RateLimit
from tallow.app.peer.transfer.resume_state import SenderState
from tallow.app.peer.transfer.session import TransferSession
from tallow.app.wire import TransferMethod, TransferOutcome
from tallow.monitoring import correlation
from tallow.monitoring.metrics import Metrics

CONFIRMATION_ARRIVES_S: Final = 15
"""The receiver gives up first when its person does not answer; the sender this many seconds later."""
MAX_COUNTED_RESENDS: Final = 20
"""Chunks sent again after one interruption that are counted."""


class TransferSender(TransferSession):
    """The sender's side of one transfer.

    Args:
        state: link, room and manifest, kept for a later run.
        preparing: prepares the files.
        on_joined: is called once the room is joined. Only then may the link be given out: a receiver that
            joins learns if this side stops.
        rate: limits the bytes per second; None: the options' limit, for this transfer alone.
    """

    def __init__(
        self,
        server: ServerClient,
        state: SenderState,
        preparing: asyncio.Task[PreparedFiles],
        options: TransferOptions,
        metrics: Metrics,
        events: EventHandler,
        *,
        on_joined: Callable[[], None] = lambda: None,
        rate: RateLimit | None = None,
    ) -> None:
        super().__init__("sender", server, state.link, state, options, metrics, events)
        self._state = state
        self._preparing = preparing
        self._resumed = state.manifest is not None
        self._flowing: TransferMethod | None = None
        self._on_joined = on_joined
        self._rate = rate or RateLimit(options.limit)
        self._joined = False

    def is_resumable(self, error: BaseException | None) -> bool:
        """Whether a transfer that ended with ``error`` can be resumed by a later run."""
        may_resume = self._state.resumable and (self._joined or self._resumed)
        if error is None or not may_resume:
            return False
        if _is_stop(error):
            return self._may_be_resumed
        has_begun = self._resumed or self._progress.started
        return is_transient(error) or (has_begun and not is_authenticated(error))

    @property
    def _may_be_resumed(self) -> bool:
        return self._state.resumable and (self._resumed or self._room.peer_seen)

    async def _end(self, error: BaseException | None) -> None:
        outcome = outcome_of(error)
        self._events.finished(outcome, error, self._progress.seconds)
        if error is not None:
            record_failure(error, self._metrics)
        resumable = self.is_resumable(error)
        is_over = has_outcome(error, resumable=resumable)
        if is_over and not self._state.counted and (self._resumed or self._room.peer_seen):
            self._record(outcome)
            self._state.counted = True
        if resumable:
            self._state.save()
        else:
            self._state.remove()
        self._preparing.cancel()
        await self._leave(outcome if is_over else None, resumable=resumable and is_over)
        await wait_for_end(self._preparing)  # to cancel it again would interrupt its own end

    def _record(self, outcome: TransferOutcome) -> None:
        files = self._prepared_files()
        size = self._progress.transferred_bytes if files is None or self._resumed else files.manifest.size
        sizes = files.sizes_and_types if files is not None else []
        self._metrics.record_transfer(outcome, self._method, size, self._progress.seconds, files=sizes)

    def _prepared_files(self) -> PreparedFiles | None:
        done = self._preparing.done() and not self._preparing.cancelled()
        return self._preparing.result() if done and self._preparing.exception() is None else None

    async def _transfer_until_done(self) -> None:
        done = False
        while not done:
            signaling = await self._room.signaling()
            if not self._joined:
                self._joined = True
                self._on_joined()
            with correlation.bind(self._room.correlation_id):
                done = await self._try_once(signaling)

    async def _try_once(self, signaling: SignalingClient) -> bool:
        """One attempt; whether it transferred everything. After a transient error it waits and returns."""
        try:
            await self._transfer(signaling, await self._wait_until_ready(signaling))
        except (PeerError, ChannelError, TimeoutError) as error:
            if isinstance(error, ChannelClosedError):
                await check_remote_departure(signaling)
            if not is_transient(error) or isinstance(error, ServerRefusedError):
                raise
            await self._pause(error, signaling)
            return False
        return True

    async def _pause(self, error: BaseException, signaling: SignalingClient) -> None:
        wait = self._retries.record_failure(error)
        if signaling.lost.is_set() or not signaling.peer.present.is_set():
            return  # the next attempt waits for the server or the receiver
        if wait is None:
            raise error
        self._events("interrupted", reason=str(error), retry_in=round(wait, 1))
        await asyncio.sleep(wait)

    async def _wait_until_ready(self, signaling: SignalingClient) -> PreparedFiles:
        """Wait for the receiver and for the files."""
        if not signaling.peer.present.is_set():
            raise_if_departed(signaling)
            self._events("waiting", side="receiver")
            self._retries.restart_clock()
        arrival = start_task(signaling.wait_for_peer())
        departure = asyncio.create_task(signaling.peer.departed.wait())
        try:
            await self._raise_if_unprepared(signaling)
            while not (arrival.done() and self._preparing.done()):
                pending = {task for task in (arrival, departure, self._preparing) if not task.done()}
                await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
                # An error of one side must be reported now, not when the other side is ready.
                await self._raise_if_unprepared(signaling)
                raise_if_departed(signaling)
                if arrival.done():
                    arrival.result()
        finally:
            arrival.cancel()
            departure.cancel()
        return self._preparing.result()

    async def _raise_if_unprepared(self, signaling: SignalingClient) -> None:
        """Raise the error of preparing the files, if any. The receiver of a resumed transfer gets an
        abort."""
        problem = self._preparing.exception() if self._preparing.done() else None
        if problem is None:
            return
        if self._resumed and signaling.peer.present.is_set():
            await self._report_problem(signaling, problem)
        raise problem

    async def _report_problem(self, signaling: SignalingClient, problem: BaseException) -> None:
        """Tell a receiver that waits for the rest of the files why they do not come."""
        with suppress(ChannelError, ProtocolError, PeerError):
            channel = await self._connector.open(signaling)
            secure = await perform_handshake(channel, "sender", self._link, self._metrics)
            await secure.abort(abort_code(problem))

    async def _transfer(self, signaling: SignalingClient, files: PreparedFiles) -> None:
        """One connection, from its opening to the receiver's confirmation of all files."""
        if self._state.manifest is None:
            self._state.manifest = files.manifest
            self._state.save()
        async with self._connection(signaling, self._connector.open(signaling)) as secure:
            try:
                await self._send_files(secure, signaling, files)
                self._complete = True
                await self._connector.record_quality(secure.channel)
            finally:
                self._flowing = None

    async def _send_files(
        self, secure: SecureChannel, signaling: SignalingClient, files: PreparedFiles
    ) -> None:
        progress = self._progress
        progress.announce(files.manifest)
        before = progress.completed_bytes if progress.started else 0
        sender = FileSender(secure, files, self._metrics, progress, self._rate)
        answer = await self._wait_for_acceptance(sender, signaling)
        await signaling.report_started(self._method)
        lost_chunks = math.ceil((before - progress.completed_bytes) / secure.chunk_size)
        for _ in range(min(MAX_COUNTED_RESENDS, lost_chunks)):
            self._metrics.record_retry("chunk", "success")
        progress.start()
        self._retries.record_success()
        self._retries.operation = "transfer"
        self._flowing = self._method
        await sender.send(answer)

    async def _on_rejoin(self, signaling: SignalingClient) -> None:
        if self._flowing is not None:
            await signaling.report_started(self._flowing)

    async def _wait_for_acceptance(self, sender: FileSender, signaling: SignalingClient) -> ResumeOffer:
        """Offer the files, and wait for the receiver's answer and for the person there to confirm.

        Raises:
            DeclinedError, UnconfirmedError: the person declined or did not answer.
        """
        offering = asyncio.create_task(sender.offer())
        overdue = asyncio.create_task(self._confirmation_overdue(signaling))
        try:
            await asyncio.wait({offering, overdue}, return_when=asyncio.FIRST_COMPLETED)
            if not offering.done():
                overdue.result()
            return await offering
        finally:
            await asyncio.gather(cancel_task(overdue), cancel_task(offering))

    async def _confirmation_overdue(self, signaling: SignalingClient) -> None:
        """Wait until the time to confirm is over.

        Raises:
            UnconfirmedError: always, at the end.
        """
        limit = signaling.joined.confirmation_limit or self._options.timing.confirmation_timeout
        while True:
            await signaling.peer.confirming.wait()
            self._events("confirming", side="receiver", seconds=limit)
            try:
                async with asyncio.timeout(limit + CONFIRMATION_ARRIVES_S):
                    await signaling.peer.confirmed.wait()
            except TimeoutError:
                raise UnconfirmedError(authenticated=False) from None  # the server can withhold the answer


def _is_stop(error: BaseException | None) -> bool:
    """Whether a signal stopped one of the two sides."""
    return isinstance(error, asyncio.CancelledError | StoppedByPeerError)
