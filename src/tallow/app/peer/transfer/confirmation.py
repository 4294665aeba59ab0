"""The question to the person at the receiver: whether to receive the offered files. It is asked once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from tallow.app.crypto.errors import DeclinedError, MalformedError, UnconfirmedError
from tallow.app.peer.connection.room_session import RoomSession
from tallow.app.peer.connection.secure_channel import SecureChannel
from tallow.app.peer.connection.signaling import SignalingClient
from tallow.app.peer.errors import NotConfirmedError, ServerConnectionError
from tallow.app.peer.events import EventHandler
from tallow.app.peer.options import PeerTiming
from tallow.app.peer.tasks import end_task
from tallow.app.peer.transfer.manifest import Manifest
from tallow.app.peer.transfer.resume_state import ReceiverState

Confirm = Callable[[Manifest], Awaitable[bool]]
"""Asks whether to receive the files of a manifest."""


class ReceiverConfirmation:
    """The question, its time limit, and the status that server and sender get.

    The question stays open if the connection is lost. It is not asked again when the transfer is resumed.

    Args:
        confirm: asks the person; None: the answer is yes.
        state: stores the answer.
    """

    def __init__(
        self,
        confirm: Confirm | None,
        room: RoomSession,
        state: ReceiverState,
        events: EventHandler,
        timing: PeerTiming,
    ) -> None:
        self._confirm = confirm
        self._room = room
        self._state = state
        self._events = events
        self._timing = timing
        self._question: asyncio.Task[None] | None = None

    async def wait_until_confirmed(self, manifest: Manifest, secure: SecureChannel) -> None:
        """Return once the person here accepted the files.

        Raises:
            NotConfirmedError: the person declined, or did not answer in time.
            ProtocolError, ChannelError: the sender aborted, or the connection was lost.
        """
        if self._confirm is None or self._state.confirmed:
            return
        if self._question is None:
            self._question = asyncio.create_task(self._ask(self._confirm, manifest), name="confirmation")
            self._question.add_done_callback(self._fail_attempts)
        listening = asyncio.create_task(secure.receive())
        try:
            await asyncio.wait({self._question, listening}, return_when=asyncio.FIRST_COMPLETED)
            if not self._question.done():
                listening.result()  # raises: before the answer the sender may only abort
                raise MalformedError("the sender sent data before the files were accepted")
        finally:
            await end_task(listening)
        self._question.result()

    async def repeat_status(self, signaling: SignalingClient) -> None:
        """Report again that the person is asked, after signaling was joined again."""
        if self._question is not None and not self._question.done():
            await signaling.report_confirmation("pending")

    def close(self) -> None:
        """Withdraw the question."""
        if self._question is not None:
            self._question.cancel()

    async def _ask(self, confirm: Confirm, manifest: Manifest) -> None:
        signaling = await self._room.signaling()
        seconds = signaling.joined.confirmation_limit or self._timing.confirmation_timeout
        with suppress(ServerConnectionError):
            await signaling.report_confirmation("pending")
        self._events("confirming", side="receiver", seconds=seconds)
        try:
            async with asyncio.timeout(seconds):
                accepted = await confirm(manifest)
        except TimeoutError:
            text = f"the files were not confirmed within {seconds:g} seconds; nothing was received"
            raise NotConfirmedError(text, UnconfirmedError) from None
        if not accepted:
            raise NotConfirmedError("declined; nothing was received", DeclinedError)
        self._state.confirmed = True
        self._state.save()
        with suppress(ServerConnectionError):
            await (await self._room.signaling()).report_confirmation("given")

    def _fail_attempts(self, question: asyncio.Task[None]) -> None:
        """End the wait for the sender's next attempt if the answer is no while there is no connection."""
        problem = None if question.cancelled() else question.exception()
        if isinstance(problem, NotConfirmedError):
            self._room.attempts.fail(problem)
