"""The sender: makes a room, waits for the receiver, and sends until it has been confirmed."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from contextlib import suppress

from tallow.app.channels.channel import ChannelClosedError, ChannelError, TransferMethod
from tallow.app.crypto.errors import ProtocolError, UnconfirmedError
from tallow.app.peer.connection.connector import transfer_method
from tallow.app.peer.connection.secure_channel import SecureChannel, perform_handshake
from tallow.app.peer.connection.signaling import SignalingClient
from tallow.app.peer.errors import PeerError, ServerRefusedError, abort_code, is_transient
from tallow.app.peer.server_client import ServerClient
from tallow.app.peer.transfer.file_sender import FileSender
from tallow.app.peer.transfer.manifest import ResumeOffer
from tallow.app.peer.transfer.outcome import (
    TransferOptions,
    check_remote_departure,
    outcome_of,
    raise_if_departed,
    record_failure,
)
from tallow.app.peer.transfer.prepare import PreparedFiles
from tallow.app.peer.transfer.progress import EventHandler
from tallow.app.peer.transfer.resume_state import SenderState
from tallow.app.peer.transfer.session import TransferSession, cancel_task
from tallow.monitoring import correlation
from tallow.monitoring.metrics import Metrics

CONFIRMATION_ARRIVES_S = 15
"""The receiver gives up by itself when its person does not answer; so much later the sender does."""
RESENT_MOST = 20
"""Chunks sent again after one interruption that are counted: what was in flight, and no more."""


class TransferSender(TransferSession):
    """One transfer, from a link to its end.

    Args:
        sent: what is remembered of it.
        preparing: the files being made ready.
        on_joined: called once the room has been joined. The link may be given out then: a receiver that comes
            will be told if this side stops.
    """

    def __init__(
        self,
        server: ServerClient,
        sent: SenderState,
        preparing: asyncio.Task[PreparedFiles],
        options: TransferOptions,
        metrics: Metrics,
        events: EventHandler,
        *,
        on_joined: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__("sender", server, sent.link, sent, options, metrics, events)
        self._sent = sent
        self._preparing = preparing
        self._resumed = sent.manifest is not None
        self._method: TransferMethod = "relay"
        self._flowing: TransferMethod | None = None
        self._on_joined = on_joined
        self._joined = False

    def is_resumable(self, error: BaseException | None) -> bool:
        """Whether a transfer that ended with ``error`` can be taken up again later."""
        return error is not None and is_transient(error) and (self._joined or self._resumed)

    async def _end(self, error: BaseException | None) -> None:
        outcome = outcome_of(error)
        self._events.finished(outcome, error, self._progress.seconds)
        if error is not None:
            record_failure(error, self._metrics)
        resumable = self.is_resumable(error)
        if not resumable:
            if self._resumed or self._room.peer_seen:
                self._record(outcome)
            self._sent.remove()
        self._preparing.cancel()
        await self._leave(None if resumable else outcome)
        with suppress(asyncio.CancelledError, Exception):
            await self._preparing

    def _record(self, outcome: str) -> None:
        offer = self._offered()
        size = self._progress.transferred_bytes if offer is None or self._resumed else offer.manifest.size
        files = offer.sizes_and_types if offer is not None else []
        self._metrics.record_transfer(outcome, self._method, size, self._progress.seconds, files=files)

    def _offered(self) -> PreparedFiles | None:
        done = self._preparing.done() and not self._preparing.cancelled()
        return self._preparing.result() if done and self._preparing.exception() is None else None

    async def _transfer_until_done(self) -> None:
        """Try until the receiver has confirmed all, or nothing can help any more."""
        done = False
        while not done:
            signaling = await self._room.signaling()
            if not self._joined:
                self._joined = True
                self._on_joined()
            with correlation.bind(self._room.correlation_id):
                done = await self._try_once(signaling)

    async def _try_once(self, signaling: SignalingClient) -> bool:
        """One try: whether it has done it. What another try may mend is waited out."""
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
        if signaling.lost.is_set() or not signaling.peer_present.is_set():
            self._retries.record_failure(error)
            return  # to be waited for elsewhere
        wait = self._retries.record_failure(error)
        if wait is None:
            raise error
        self._events("interrupted", reason=str(error), retry_in=round(wait, 1))
        await asyncio.sleep(wait)

    async def _wait_until_ready(self, signaling: SignalingClient) -> PreparedFiles:
        """Wait for the receiver and for the files."""
        if not signaling.peer_present.is_set():
            raise_if_departed(signaling)
            self._events("waiting", side="receiver")
            self._retries.restart_clock()
        arriving = asyncio.create_task(signaling.wait_for_peer())
        farewell = asyncio.create_task(signaling.peer_departed.wait())
        try:
            await self._raise_problem(signaling)
            while not (arriving.done() and self._preparing.done()):
                pending = {task for task in (arriving, farewell, self._preparing) if not task.done()}
                await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
                # What keeps one side from going on must show now, not when the other is ready.
                await self._raise_problem(signaling)
                raise_if_departed(signaling)
                if arriving.done():
                    arriving.result()
            await self._raise_problem(signaling)
        finally:
            arriving.cancel()
            farewell.cancel()
        return self._preparing.result()

    async def _raise_problem(self, signaling: SignalingClient) -> None:
        """Raise why the files cannot be sent, if they cannot; a receiver of a resumed transfer is told."""
        problem = self._preparing.exception() if self._preparing.done() else None
        if problem is None:
            return
        if self._resumed and signaling.peer_present.is_set():
            await self._report_problem(signaling, problem)
        raise problem

    async def _report_problem(self, signaling: SignalingClient, problem: BaseException) -> None:
        """Let a receiver that waits for the rest know why it does not come."""
        with suppress(ChannelError, ProtocolError, PeerError):
            channel = await self._connector.open(signaling)
            secure = await perform_handshake(channel, "sender", self._link, self._metrics)
            await secure.abort(abort_code(problem))

    async def _transfer(self, signaling: SignalingClient, offer: PreparedFiles) -> None:
        """One connection, from its opening to the receiver's last word."""
        if self._sent.manifest is None:
            self._sent.manifest = offer.manifest
            self._sent.save()
        channel = await self._await_unless_departed(signaling, self._connector.open(signaling))
        self._method = transfer_method(channel)
        try:
            agreeing = perform_handshake(channel, "sender", self._link, self._metrics)
            secure = await self._await_unless_departed(signaling, agreeing)
            self._events("connected", method=self._method, path=getattr(channel, "path", None))
            await self._send_files(secure, signaling, offer)
        finally:
            self._flowing = None
            await self._close(channel)

    async def _on_return(self, signaling: SignalingClient) -> None:
        if self._flowing is not None:
            await signaling.report_started(self._flowing)

    async def _wait_for_acceptance(self, outgoing: FileSender, signaling: SignalingClient) -> ResumeOffer:
        """Offer the files, and wait for the receiver to accept them, and for the person there to confirm.

        Raises:
            DeclinedError, UnconfirmedError: nobody wants them, or nobody answers.
        """
        offering = asyncio.create_task(outgoing.offer())
        overdue = asyncio.create_task(self._confirmation_overdue(signaling))
        try:
            await asyncio.wait({offering, overdue}, return_when=asyncio.FIRST_COMPLETED)
            if not offering.done():
                overdue.result()
            return await offering
        finally:
            await asyncio.gather(cancel_task(overdue), cancel_task(offering))

    async def _confirmation_overdue(self, signaling: SignalingClient) -> None:
        """Raise once the receiver's person has not confirmed in time.

        Raises:
            UnconfirmedError: always, at the end.
        """
        limit = signaling.joined.confirmation_limit or self._options.timing.confirmation_timeout
        while True:
            await signaling.confirming.wait()
            self._events("confirming", side="receiver", seconds=limit)
            try:
                async with asyncio.timeout(limit + CONFIRMATION_ARRIVES_S):
                    await signaling.confirmed.wait()
            except TimeoutError:
                raise UnconfirmedError from None

    async def _send_files(
        self, secure: SecureChannel, signaling: SignalingClient, offer: PreparedFiles
    ) -> None:
        progress = self._progress
        progress.announce(offer.manifest)
        before = progress.completed_bytes if progress.started else 0
        outgoing = FileSender(secure, offer, self._metrics, progress)
        try:
            accept = await self._wait_for_acceptance(outgoing, signaling)
            await signaling.report_started(self._method)
            for _ in range(
                min(RESENT_MOST, math.ceil((before - progress.completed_bytes) / secure.chunk_size))
            ):
                self._metrics.record_retry("chunk", "success")
            progress.start()
            self._retries.record_success()
            self._retries.operation = "transfer"
            self._flowing = self._method
            await outgoing.send(accept)
        except asyncio.CancelledError:
            await self._abort(secure)
            raise
        except ChannelError:
            raise
        except Exception as error:
            await secure.abort(abort_code(error))
            raise
        self._complete = True
        await self._connector.record_quality(secure.channel)
