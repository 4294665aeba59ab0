"""The receiver: takes its seat, follows what the sender offers, and stays until it has all of it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final

from tallow.app.channels.channel import ChannelClosedError, ChannelError
from tallow.app.files.destination import Destination
from tallow.app.link import Link
from tallow.app.peer.confirmation import Confirm, ReceiverConfirmation
from tallow.app.peer.connection.connector import transfer_method
from tallow.app.peer.connection.secure_channel import SecureChannel, perform_handshake
from tallow.app.peer.connection.signaling import ConnectionAttempt, SignalingClient
from tallow.app.peer.errors import PeerError, abort_code, is_transient
from tallow.app.peer.server_client import ServerClient
from tallow.app.peer.transfer.file_receiver import FileReceiver
from tallow.app.peer.transfer.manifest import Manifest
from tallow.app.peer.transfer.outcome import (
    TransferOptions,
    check_remote_departure,
    outcome_of,
    raise_if_departed,
    record_failure,
)
from tallow.app.peer.transfer.progress import EventHandler
from tallow.app.peer.transfer.resume_state import ReceiverState
from tallow.app.peer.transfer.session import TransferSession
from tallow.monitoring import correlation
from tallow.monitoring.metrics import Metrics

CLOSED_S: Final = 5
"""How long a receiver that has all waits for the sender to close the channel."""


class TransferReceiver(TransferSession):
    """One transfer into one folder.

    Args:
        received: what is remembered of it.
        confirm: asks the person here whether to take what is offered; None: all is taken.
    """

    def __init__(
        self,
        server: ServerClient,
        link: Link,
        destination: Destination,
        received: ReceiverState,
        options: TransferOptions,
        metrics: Metrics,
        events: EventHandler,
        *,
        confirm: Confirm | None = None,
    ) -> None:
        super().__init__("receiver", server, link, received, options, metrics, events)
        self._confirmation = ReceiverConfirmation(confirm, self._room, received, self._events, options.timing)
        self._destination = destination
        self._received = received
        self._replaced = False
        self.manifest: Manifest | None = None

    async def _end(self, error: BaseException | None) -> None:
        self._events.finished(outcome_of(error), error, self._progress.seconds)
        if error is not None:
            record_failure(error, self._metrics)
        resumable = error is not None and is_transient(error)
        self._confirmation.close()
        if not resumable:
            self._received.remove()
            self._remove_partial_files()
        await self._leave(None if resumable else outcome_of(error))

    async def _on_return(self, signaling: SignalingClient) -> None:
        await self._confirmation.repeat_status(signaling)

    def _remove_partial_files(self) -> None:
        """Leave nothing in the folder of what nobody will go on with."""
        offered = self._received.offered
        for number, entry in enumerate(offered.files if offered else ()):
            if number not in self._received.paths:
                key = self._link.resume_key
                self._destination.remove_partial(entry.name, entry.size, entry.sha256, key)
        self._received.remove_unfinished()

    async def _transfer_until_done(self) -> None:
        """Follow the sender's attempts until one of them has brought all."""
        attempt: ConnectionAttempt | None = None
        done = False
        while not done:
            signaling = await self._room.signaling()
            with correlation.bind(self._room.correlation_id):
                done, attempt = await self._try_once(signaling, attempt)

    async def _try_once(
        self, signaling: SignalingClient, attempt: ConnectionAttempt | None
    ) -> tuple[bool, ConnectionAttempt | None]:
        """One attempt of the sender's: whether it has brought all, and the one that has replaced it."""
        try:
            newer = await self._follow_attempt(attempt or await self._next_attempt(signaling))
            if newer is None:
                newer = await self._linger()
                return newer is None, newer
        except (PeerError, ChannelError, TimeoutError) as error:
            if isinstance(error, ChannelClosedError):
                await check_remote_departure(signaling, wait=0.2)
            if not is_transient(error) or self._retries.record_failure(error) is None:
                raise
            return False, None
        return False, newer

    async def _next_attempt(self, signaling: SignalingClient) -> ConnectionAttempt:
        """The sender's next attempt.

        Raises:
            PeerError: the sender has left, or did not come.
        """
        if not signaling.peer_present.is_set():
            raise_if_departed(signaling)
            self._events("waiting", side="sender")
            self._retries.restart_clock()
        offered = asyncio.create_task(self._room.attempts.get())
        farewell = asyncio.create_task(signaling.peer_departed.wait())
        try:
            patience = self._options.timing.give_up_after
            await asyncio.wait({offered, farewell}, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
            if offered.done():
                return offered.result()
            raise_if_departed(signaling)
            raise PeerError("the sender did not come back; the same command resumes the transfer")
        finally:
            offered.cancel()
            farewell.cancel()

    async def _follow_attempt(self, attempt: ConnectionAttempt) -> ConnectionAttempt | None:
        """Take part in an attempt: None once all is here, or the attempt that has replaced it."""
        self._replaced = False
        receiving = asyncio.create_task(self._receive(attempt))
        newer = asyncio.create_task(self._room.attempts.get())
        try:
            await asyncio.wait({receiving, newer}, return_when=asyncio.FIRST_COMPLETED)
            if not receiving.done() and newer.exception() is None:
                self._replaced = True
                self._retries.record_failure(ChannelError("the sender has begun anew"))
                return newer.result()
            await receiving
            return None
        finally:
            newer.cancel()
            receiving.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await receiving

    async def _linger(self) -> ConnectionAttempt | None:
        """All is here. Stay until the sender has heard of it: an attempt, should it have to ask again."""
        newer = asyncio.create_task(self._room.attempts.get())
        farewell: asyncio.Task[None] | None = None
        try:
            async with asyncio.timeout(self._options.timing.linger):
                while True:
                    signaling = await self._room.signaling()
                    farewell = asyncio.create_task(signaling.wait_for_departure())
                    await asyncio.wait({newer, farewell}, return_when=asyncio.FIRST_COMPLETED)
                    if newer.done():
                        return newer.result()
                    if signaling.peer_departed.is_set():
                        return None
        except (TimeoutError, PeerError):
            return None
        finally:
            newer.cancel()
            if farewell is not None:
                farewell.cancel()

    async def _receive(self, attempt: ConnectionAttempt) -> None:
        """One connection, from its opening to the last file."""
        signaling = await self._room.signaling()
        channel = await self._await_unless_departed(signaling, self._connector.accept(attempt, signaling))
        try:
            agreeing = perform_handshake(channel, "receiver", self._link, self._metrics)
            secure = await self._await_unless_departed(signaling, agreeing)
            self._events("connected", method=transfer_method(channel), path=getattr(channel, "path", None))
            await self._receive_files(secure)
        finally:
            await self._close(channel)

    async def _receive_files(self, secure: SecureChannel) -> None:
        incoming = FileReceiver(
            secure,
            self._destination,
            self._received,
            self._link.resume_key,
            self._metrics,
            self._progress,
            lambda manifest: self._confirmation.wait_until_confirmed(manifest, secure),
            self._on_data_flow,
        )
        try:
            self.manifest = await incoming.receive()
        except asyncio.CancelledError:
            if not self._replaced:
                await self._abort(secure)
            raise
        except ChannelError:
            raise
        except Exception as error:
            await secure.abort(abort_code(error))
            raise
        self._complete = True
        with suppress(ChannelError, TimeoutError):
            async with asyncio.timeout(CLOSED_S):
                await secure.channel.receive()  # the sender's to close: it may still measure the connection

    def _on_data_flow(self) -> None:
        """Files come from now on."""
        self._progress.start()
        self._retries.record_success()
        self._retries.operation = "transfer"
