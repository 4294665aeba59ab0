"""The person at the receiver is asked, once, whether to take what is offered."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from tallow.app.crypto.errors import DeclinedError, MalformedError, UnconfirmedError
from tallow.app.peer.connection.retry import PeerTiming
from tallow.app.peer.connection.room_session import RoomSession
from tallow.app.peer.connection.secure_channel import SecureChannel
from tallow.app.peer.connection.signaling import SignalingClient
from tallow.app.peer.errors import NotConfirmedError, ServerConnectionError
from tallow.app.peer.transfer.manifest import Manifest
from tallow.app.peer.transfer.progress import EventHandler
from tallow.app.peer.transfer.resume_state import ReceiverState

Confirm = Callable[[Manifest], Awaitable[bool]]
"""Asks whether to take the files of a manifest."""


class ReceiverConfirmation:
    """A question, its time limit, and what the server and the sender hear of it.

    The question outlives a connection that is lost meanwhile, and is not asked again when the transfer is
    resumed.

    Args:
        confirm: asks; None: the answer is yes.
        received: where the answer is remembered.
    """

    def __init__(
        self,
        confirm: Confirm | None,
        seat: RoomSession,
        received: ReceiverState,
        events: EventHandler,
        timing: PeerTiming,
    ) -> None:
        self._confirm = confirm
        self._seat = seat
        self._received = received
        self._events = events
        self._timing = timing
        self._question: asyncio.Task[None] | None = None

    async def wait_until_confirmed(self, manifest: Manifest, secure: SecureChannel) -> None:
        """Return once the person here wants the files.

        Raises:
            NotConfirmedError: the person declined, or did not answer within the server's limit.
            ProtocolError, ChannelError: the sender gave up meanwhile, or the connection was lost.
        """
        if self._confirm is None or self._received.confirmed:
            return
        if self._question is None:
            self._question = asyncio.create_task(self._ask(self._confirm, manifest), name="confirmation")
            self._question.add_done_callback(self._fail_attempts)
        listening = asyncio.create_task(secure.receive())
        try:
            await asyncio.wait({self._question, listening}, return_when=asyncio.FIRST_COMPLETED)
            if not self._question.done():
                listening.result()  # raises: the sender has nothing to say before the answer but an abort
                raise MalformedError("the sender went on before the files were accepted")
        finally:
            listening.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await listening
        self._question.result()

    async def repeat_status(self, signaling: SignalingClient) -> None:
        """Tell the server, which this side has come back to, that the person is still asked."""
        if self._question is not None and not self._question.done():
            await signaling.report_confirmation("pending")

    def close(self) -> None:
        """Withdraw the question."""
        if self._question is not None:
            self._question.cancel()

    async def _ask(self, confirm: Confirm, manifest: Manifest) -> None:
        signaling = await self._seat.signaling()
        seconds = signaling.joined.confirmation_limit or self._timing.confirmation_timeout
        with suppress(ServerConnectionError):
            await signaling.report_confirmation("pending")
        self._events("confirming", side="receiver", seconds=seconds)
        try:
            async with asyncio.timeout(seconds):
                wanted = await confirm(manifest)
        except TimeoutError:
            text = f"nobody confirmed the files within {seconds:g} seconds; nothing was received"
            raise NotConfirmedError(text, UnconfirmedError) from None
        if not wanted:
            raise NotConfirmedError("declined; nothing was received", DeclinedError)
        self._received.confirmed = True
        self._received.save()
        with suppress(ServerConnectionError):
            await (await self._seat.signaling()).report_confirmation("given")

    def _fail_attempts(self, question: asyncio.Task[None]) -> None:
        """End the wait for the sender's next attempt if the answer was no while there was no connection."""
        problem = None if question.cancelled() else question.exception()
        if isinstance(problem, NotConfirmedError):
            self._seat.attempts.fail(problem)
