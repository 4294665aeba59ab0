"""What both sides of a transfer have in common: a seat, reports, and an end that is told once."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable

from tallow.app.crypto.session import Role
from tallow.app.link import Link
from tallow.app.peer.journal import Journal
from tallow.app.peer.progress import Events, Progress
from tallow.app.peer.retries import Retries
from tallow.app.peer.seat import Seat
from tallow.app.peer.server import Server
from tallow.app.peer.state import Received, Sent
from tallow.app.peer.telemetry import Telemetry
from tallow.app.peer.transfer import Options, record_use
from tallow.app.peer.ways import Opener
from tallow.monitoring.metrics import Metrics


class Side(ABC):
    """Sender or receiver.

    Args:
        remembered: what is kept of the transfer from run to run.
        flowing: how data flows at this moment, if it does.
    """

    def __init__(
        self,
        role: Role,
        server: Server,
        link: Link,
        remembered: Sent | Received,
        options: Options,
        metrics: Metrics,
        events: Events,
        *,
        flowing: Callable[[], str | None] = lambda: None,
    ) -> None:
        def keep(key: str) -> None:
            remembered.seat = key
            remembered.save()

        self._link = link
        self._options = options
        self._metrics = metrics
        self._events = Journal(role, events, lambda: self._seat.correlation_id)
        self._progress = Progress(self._events)
        self._telemetry = Telemetry(server, metrics, enabled=options.telemetry)
        self._seat = Seat(
            server,
            link,
            role,
            metrics,
            self._telemetry,
            self._events,
            options.timing,
            key=remembered.seat,
            on_key=keep,
            flowing=flowing,
        )
        self._opener = Opener(server, role, options, metrics)
        self._retries = Retries("connection", metrics, options.timing)

    @property
    def seconds(self) -> float:
        """Since the first byte."""
        return self._progress.seconds

    @property
    def accepted_reports(self) -> int:
        """Reports that were booked."""
        return self._telemetry.accepted

    async def run(self) -> None:
        """Transfer, and see that it is told and counted once, however it ends.

        Raises:
            Exception: why it did not succeed.
            asyncio.CancelledError: it was cancelled here; the other side has been told.
        """
        record_use(self._options, self._metrics)
        reporting = asyncio.create_task(self._telemetry.every_so_often())
        error: BaseException | None = None
        try:
            await self._until_done()
        except BaseException as problem:
            error = problem
            raise
        finally:
            reporting.cancel()
            await self._end(error)

    @abstractmethod
    async def _until_done(self) -> None:
        """Try until all is across, or nothing can help any more."""

    @abstractmethod
    async def _end(self, error: BaseException | None) -> None:
        """Tell whoever must know how it ended."""
