"""The receiver: joins its room, follows the sender's connection attempts, and stays until it has all
files."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any, Final

from tallow.app.channels.channel import ChannelClosedError, ChannelError
from tallow.app.crypto.errors import StoppedByPeerError
from tallow.app.files.destination import DestinationFolder
from tallow.app.peer.connection.connection_attempt import ConnectionAttempt
from tallow.app.peer.connection.secure_channel import SecureChannel
from tallow.app.peer.connection.signaling import SignalingClient
from tallow.app.peer.errors import PeerError, is_authenticated, is_transient
from tallow.app.peer.events import EventHandler
from tallow.app.peer.link import Link
from tallow.app.peer.options import TransferOptions
from tallow.app.peer.server_client import ServerClient
from tallow.app.peer.tasks import end_task, start_task
from tallow.app.peer.transfer.confirmation import Confirm, ReceiverConfirmation
from tallow.app.peer.transfer.file_receiver import FileReceiver
from tallow.app.peer.transfer.manifest import Manifest
from tallow.app.peer.transfer.outcome import (
    check_remote_departure,
    has_outcome,
    outcome_of,
    raise_if_departed,
    record_failure,
)
from tallow.app.peer.transfer.resume_state import ReceiverState
from tallow.app.peer.transfer.session import TransferSession
from tallow.monitoring import correlation
from tallow.monitoring.metrics import Metrics

CLOSED_S: Final = 5
"""Seconds that a complete receiver waits for the sender to close the channel."""
DEPARTURE_ARRIVES_S: Final = 0.2


class TransferReceiver(TransferSession):
    """The receiver's side of one transfer into one folder.

    Args:
        state: received files, kept for a later run.
        confirm: asks the person here whether to receive the files; None: they are received unasked.
    """

    def __init__(
        self,
        server: ServerClient,
        link: Link,
        destination: DestinationFolder,
        state: ReceiverState,
        options: TransferOptions,
        metrics: Metrics,
        events: EventHandler,
        *,
        confirm: Confirm | None = None,
    ) -> None:
        super().__init__("receiver", server, link, state, options, metrics, events)
        self._confirmation = ReceiverConfirmation(confirm, self._room, state, self._events, options.timing)
        self._destination = destination
        self._state = state
        self.manifest: Manifest | None = None

    async def _end(self, error: BaseException | None) -> None:
        self._events.finished(outcome_of(error), error, self._progress.seconds)
        if error is not None:
            record_failure(error, self._metrics)
        resumable = error is not None and self.is_resumable(error)
        is_over = has_outcome(error, resumable=resumable)
        self._confirmation.close()
        if error is not None and (not resumable or _is_stop(error)):  # folders that were sent empty stay
            self._remove_partial_files()
        if resumable:
            self._state.save()
        else:
            self._state.remove()
        self._state.release()
        await self._leave(outcome_of(error) if is_over else None, resumable=resumable and is_over)

    @property
    def _may_be_resumed(self) -> bool:
        return self._state.file is not None and self._state.rejoin_key is not None

    def is_resumable(self, error: BaseException) -> bool:
        """Whether what is kept to resume the transfer stays."""
        if isinstance(error, asyncio.CancelledError | StoppedByPeerError):
            return self._may_be_resumed
        return is_transient(error) or (self._state.has_manifest and not is_authenticated(error))

    async def _on_rejoin(self, signaling: SignalingClient) -> None:
        await self._confirmation.repeat_status(signaling)

    @property
    def _resume_key(self) -> bytes:
        return self._link.resume_key(self._state.room or self._link.room)

    def _remove_partial_files(self) -> None:
        offered = self._state.offered
        for number, entry in enumerate(offered.files if offered else ()):
            if number not in self._state.paths:
                self._destination.remove_partial(entry.name, entry.size, entry.sha256, self._resume_key)
        self._state.remove_unfinished()

    async def _transfer_until_done(self) -> None:
        attempt: ConnectionAttempt | None = None
        done = False
        while not done:
            signaling = await self._room.signaling()
            with correlation.bind(self._room.correlation_id):
                done, attempt = await self._try_once(signaling, attempt)

    async def _try_once(
        self, signaling: SignalingClient, attempt: ConnectionAttempt | None
    ) -> tuple[bool, ConnectionAttempt | None]:
        """Follow one attempt of the sender: whether everything was received, and the attempt that replaced
        it."""
        try:
            newer = await self._follow_attempt(attempt or await self._next_attempt(signaling))
            if newer is None:
                newer = await self._linger()
                return newer is None, newer
        except (PeerError, ChannelError, TimeoutError) as error:
            if isinstance(error, ChannelClosedError):
                await check_remote_departure(signaling, wait=DEPARTURE_ARRIVES_S)
            if not is_transient(error) or self._retries.record_failure(error) is None:
                raise
            return False, None
        return False, newer

    async def _next_attempt(self, signaling: SignalingClient) -> ConnectionAttempt:
        """Wait for the sender's next attempt.

        Raises:
            PeerError: the sender has left, or did not come.
        """
        peer, timeout = signaling.peer, self._options.timing.give_up_after
        offered = start_task(self._room.attempts.get())
        departure = asyncio.create_task(peer.departed.wait())
        absence = asyncio.create_task(peer.absent.wait())

        async def first(*events: asyncio.Task[Any]) -> None:
            waits: set[asyncio.Task[Any]] = {offered, departure, *events}
            await asyncio.wait(waits, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)

        try:
            # The server may count a sender that has vanished: it is waited for once the server has noticed.
            if peer.present.is_set():
                await first(absence)
            if not peer.present.is_set() and not offered.done():
                raise_if_departed(signaling)
                self._events("waiting", side="sender")
                self._retries.restart_clock()
                await first()
            if offered.done():
                return offered.result()
            raise_if_departed(signaling)
            raise PeerError("the sender did not come back; the same command resumes the transfer")
        finally:
            for task in (offered, departure, absence):
                task.cancel()

    async def _follow_attempt(self, attempt: ConnectionAttempt) -> ConnectionAttempt | None:
        """Take part in an attempt: None once all files are here, else the attempt that replaced it."""
        self._aborts_when_cancelled = True
        receiving = asyncio.create_task(self._transfer(attempt))
        newer = start_task(self._room.attempts.get())
        try:
            await asyncio.wait({receiving, newer}, return_when=asyncio.FIRST_COMPLETED)
            if not receiving.done() and newer.exception() is None:
                self._aborts_when_cancelled = False
                self._retries.record_failure(ChannelError("the sender started another attempt"))
                return newer.result()
            await receiving
            return None
        finally:
            newer.cancel()
            await end_task(receiving)

    async def _linger(self) -> ConnectionAttempt | None:
        """Stay until the sender knows that all files are here. Returns an attempt if it has to ask again."""
        newer = start_task(self._room.attempts.get())
        departure: asyncio.Task[None] | None = None
        try:
            async with asyncio.timeout(self._options.timing.linger):
                while True:
                    signaling = await self._room.signaling()
                    departure = start_task(signaling.wait_for_departure())
                    await asyncio.wait({newer, departure}, return_when=asyncio.FIRST_COMPLETED)
                    if newer.done():
                        return newer.result()
                    if signaling.peer.departed.is_set():
                        return None
        except (TimeoutError, PeerError):
            return None
        finally:
            newer.cancel()
            if departure is not None:
                departure.cancel()

    async def _transfer(self, attempt: ConnectionAttempt) -> None:
        """One connection, from its opening to the last file."""
        signaling = await self._room.signaling()
        async with self._connection(signaling, self._connector.accept(attempt, signaling)) as secure:
            self.manifest = await self._file_receiver(secure).receive()
            self._complete = True
            with suppress(ChannelError, TimeoutError):
                async with asyncio.timeout(CLOSED_S):
                    await secure.channel.receive()  # the sender closes: it may still measure the connection

    def _file_receiver(self, secure: SecureChannel) -> FileReceiver:
        return FileReceiver(
            secure,
            self._destination,
            self._state,
            self._resume_key,
            self._metrics,
            self._progress,
            lambda manifest: self._confirmation.wait_until_confirmed(manifest, secure),
            self._on_data_flow,
        )

    def _on_data_flow(self) -> None:
        self._progress.start()
        self._retries.record_success()
        self._retries.operation = "transfer"


def _is_stop(error: BaseException | None) -> bool:
    """Whether this side was stopped by a signal, or the other side was: an authenticated abort says so."""
    authenticated = isinstance(error, StoppedByPeerError) and error.authenticated
    return authenticated or isinstance(error, asyncio.CancelledError)
