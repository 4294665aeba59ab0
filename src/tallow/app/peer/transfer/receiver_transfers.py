"""Sends the same files to several receivers of one link: a transfer with keys of its own for each of them."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from tallow.app.peer.errors import PeerError, one_line
from tallow.app.peer.events import EventHandler
from tallow.app.peer.options import TransferOptions
from tallow.app.peer.server_client import ServerClient
from tallow.app.peer.tasks import start_task
from tallow.app.peer.telemetry_reporter import new_metrics
from tallow.app.peer.transfer.outcome import outcome_of
from tallow.app.peer.transfer.prepare import PreparedFiles
from tallow.app.peer.transfer.rate_limit import RateLimit
from tallow.app.peer.transfer.resume_state import SenderState
from tallow.app.peer.transfer.sender import TransferSender
from tallow.app.room_ids import rooms_of_link
from tallow.monitoring.metrics import Metrics


class ReceiverTransfers:
    """The transfers of one link.

    Args:
        sent: state of each transfer, in the order of the receivers' numbers.
        preparing: prepares the files, once for all receivers.
        metrics: of the first transfer; the others have metrics of their own, which they report.
        on_joined: is called once all rooms are joined. Only then may the link be given out.
    """

    def __init__(
        self,
        server: ServerClient,
        sent: Sequence[SenderState],
        preparing: asyncio.Task[PreparedFiles],
        options: TransferOptions,
        metrics: Metrics,
        events: EventHandler,
        on_joined: Callable[[], None],
    ) -> None:
        self._preparing = preparing
        self._events = events
        self._on_joined = on_joined
        self._missing = len(sent)
        self._all_joined = asyncio.Event()
        rooms = rooms_of_link(sent[0].link.room)
        self._numbers = [rooms.index(state.room or "") + 1 for state in sent]
        rate = RateLimit(options.limit)  # of all transfers together
        others = dataclasses.replace(options, settings={})  # a changed setting counts once
        self._senders = [
            TransferSender(
                server,
                state,
                start_task(_shared(preparing)),
                others if state is not sent[0] else options,
                new_metrics() if state is not sent[0] else metrics,
                self._events_of(number),
                on_joined=self._count_joined,
                rate=rate,
            )
            for number, state in zip(self._numbers, sent, strict=True)
        ]

    @property
    def seconds(self) -> float:
        """Seconds of the longest transfer."""
        return max(sender.seconds for sender in self._senders)

    @property
    def errors(self) -> list[BaseException | None]:
        """What ended each transfer; None for success."""
        return [sender.error for sender in self._senders]

    @property
    def accepted_reports(self) -> int:
        """Reports of the transfer that counts changed settings."""
        return self._senders[0].accepted_reports

    async def run(self) -> None:
        """Run all transfers until each has ended.

        Raises:
            PeerError: some receivers do not have the files.
            Exception: why no link could be given out.
            asyncio.CancelledError: it was cancelled; all transfers have ended.
        """
        pairs = zip(self._numbers, self._senders, strict=True)
        tasks = [asyncio.create_task(self._run_one(*pair)) for pair in pairs]
        joined = asyncio.create_task(self._all_joined.wait())
        try:
            await asyncio.wait({joined, *tasks}, return_when=asyncio.FIRST_COMPLETED)
            if self._missing:  # without all rooms there is no link
                _cancel(tasks)
            await asyncio.wait(tasks)
        except asyncio.CancelledError:
            _cancel(tasks)
            await asyncio.wait(tasks)
            raise
        finally:
            joined.cancel()
            self._preparing.cancel()
        self._raise_failures(self.errors)

    def is_resumable(self, error: BaseException) -> bool:
        """Whether a later run can resume some of the transfers."""
        return any(sender.is_resumable(sender.error) for sender in self._senders if sender.error is not None)

    async def _run_one(self, number: int, sender: TransferSender) -> None:
        """Run one transfer, and report its end. Its error stays in ``sender.error``."""
        with suppress(asyncio.CancelledError, Exception):
            await sender.run()
        if not self._missing:
            error = sender.error
            reason = {"message": one_line(error)} if isinstance(error, Exception) else {}
            self._events("receiver_finished", receiver=number, outcome=outcome_of(error), **reason)

    def _raise_failures(self, results: Sequence[BaseException | None]) -> None:
        errors = [error for error in results if error is not None]
        problem = self._preparing.exception() if _has_failed(self._preparing) else None
        if problem is not None:
            raise problem
        if self._missing:
            raise next(error for error in errors if not isinstance(error, asyncio.CancelledError))
        if errors:
            done = len(results) - len(errors)
            raise PeerError(f"{done} of {len(results)} receivers have received the files", "transfer")

    def _count_joined(self) -> None:
        self._missing -= 1
        if not self._missing:
            self._all_joined.set()
            self._on_joined()

    def _events_of(self, number: int) -> EventHandler:
        def with_number(event: str, /, **details: Any) -> None:
            self._events(event, receiver=number, **details)

        return with_number


async def _shared(preparing: asyncio.Task[PreparedFiles]) -> PreparedFiles:
    """The prepared files. Cancelling one transfer's wait does not cancel the work for the others."""
    return await asyncio.shield(preparing)


def _cancel(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()


def _has_failed(task: asyncio.Task[PreparedFiles]) -> bool:
    return task.done() and not task.cancelled() and task.exception() is not None
