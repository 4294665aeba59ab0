"""One Sentry transaction for each transfer, from the start of its data to its outcome.

A transfer that failed before its data could flow has a transaction without a duration and a method.

Command-line peers never speak to Sentry: an error tracker on a person's machine would learn what that person
transfers. Cryptographic operations happen at the peers only, so none can appear there; they are in the
metrics ``pqc_*`` and ``encryption_*``, which peers report as counts.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from contextvars import Context

from tallow.app.server.rooms.room import Room
from tallow.app.wire import TransferMethod, TransferOutcome
from tallow.monitoring import correlation
from tallow.monitoring.sentry import context, performance_monitoring, sdk


class TransferFailedError(Exception):
    """Ends the transaction of a transfer that failed."""


class TransferCancelledError(asyncio.CancelledError):
    """Ends the transaction of a transfer that a person cancelled."""


class TransferMonitor:
    """Holds the transaction of each running transfer, in a task of its own; nothing without Sentry."""

    def __init__(self) -> None:
        self._outcomes: dict[str, asyncio.Future[TransferOutcome]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def started(self, room: Room, method: TransferMethod | None) -> None:
        """Data flows for the first time."""
        if sdk.active is None or room.record.id in self._outcomes:
            return
        outcome: asyncio.Future[TransferOutcome] = asyncio.get_running_loop().create_future()
        self._outcomes[room.record.id] = outcome
        # In an empty context: in that of the socket, the transaction would be a span of the socket's own.
        task = asyncio.create_task(
            _monitor(room.record.correlation_id, method, outcome), name="transfer", context=Context()
        )
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def ended(self, room: Room, outcome: TransferOutcome) -> None:
        """The transfer has its outcome."""
        if outcome == "failed":
            self.started(room, room.method)  # without effect if its data flowed
        known = self._outcomes.pop(room.record.id, None)
        if known is not None and not known.done():
            known.set_result(outcome)

    def removed(self, room: Room) -> None:
        """The room is gone; a transfer without an outcome was cancelled."""
        self.ended(room, "cancelled")


async def _monitor(
    correlation_id: str, method: TransferMethod | None, outcome: asyncio.Future[TransferOutcome]
) -> None:
    with (
        suppress(TransferFailedError, TransferCancelledError),
        correlation.bind(correlation_id),
        performance_monitoring.monitor_transfer(correlation_id, method=method),
    ):
        context.set_transfer_context(correlation_id, method=method)
        reached = await outcome
        if reached == "failed":
            raise TransferFailedError
        if reached == "cancelled":
            raise TransferCancelledError
