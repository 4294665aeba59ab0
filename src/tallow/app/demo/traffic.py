"""Demo traffic: transfers at a rate, with limited concurrency, for a while."""

from __future__ import annotations

import asyncio
import random
import shutil
import ssl
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tallow.app.demo.bad_requests import send_bad_requests
from tallow.app.demo.plan import BAD, TrafficMix, TransferPlan, draw_plans
from tallow.app.demo.several_receivers import SeveralReceiversTransfer
from tallow.app.demo.transfer import DemoTransfer, TransferResult
from tallow.app.files.temporary import temporary_folder
from tallow.app.peer.errors import PeerError, ServerRefusedError
from tallow.app.peer.preferences import PREFERENCES

GRACE_S: Final = 30
"""Seconds that running transfers may take to end."""
BACKOFF_S: Final = 10
"""Seconds without new transfers after the server refused a room."""
FIRST_TRANSFER_S: Final = 2.0
"""Seconds that the first transfer runs alone."""
MAX_PAUSE: Final = 4
"""Longest pause between two transfers, as a multiple of the mean."""


@dataclass
class TrafficSummary:
    """Counts of a run.

    Attributes:
        outcomes: transfers by outcome.
        methods: successful transfers by method.
        unexpected: transfers with another outcome than planned.
        without_room: transfers for which the server created no room.
        bad_requests: bad requests sent.
    """

    outcomes: Counter[str] = field(default_factory=Counter)
    methods: Counter[str] = field(default_factory=Counter)
    scenarios: Counter[str] = field(default_factory=Counter)
    bytes: int = 0
    unexpected: int = 0
    without_room: int = 0
    bad_requests: int = 0
    seconds: float = 0.0

    def add(self, result: TransferResult) -> None:
        """Count a transfer."""
        self.outcomes.update((result.outcome, *result.others))
        self.scenarios[result.plan.scenario] += 1
        self.unexpected += not result.as_expected
        if result.outcome == "success":
            received = 1 + result.others.count("success")
            self.bytes += received * result.size
            self.methods[result.method] += received

    @property
    def line(self) -> str:
        """One line of text."""
        counts = self.outcomes
        total = counts.total()
        return (
            f"{total} {'transfer' if total == 1 else 'transfers'} in {self.seconds:.0f} s: "
            f"{counts['success']} succeeded "
            f"({self.methods['p2p']} directly, {self.methods['relay']} over a relay; "
            f"{self.bytes / 1e6:,.1f} MB), {counts['cancelled']} cancelled, {counts['failed']} failed, "
            f"{counts['refused']} refused; {self.unexpected} did not end as planned, "
            f"{self.without_room} got no room; "
            f"{self.bad_requests} bad {'request' if self.bad_requests == 1 else 'requests'}"
        )

    def as_dict(self) -> dict[str, object]:
        """For JSON output."""
        return {
            "seconds": round(self.seconds, 1),
            "transfers": self.outcomes.total(),
            "outcomes": dict(self.outcomes),
            "methods": dict(self.methods),
            "kinds": dict(self.scenarios),
            "bytes": self.bytes,
            "unmeant": self.unexpected,
            "unmade": self.without_room,
            "bad_requests": self.bad_requests,
        }


class TrafficGenerator:
    """Transfers between real peers over one server.

    Args:
        rate: mean transfers per minute.
        concurrency: maximum number of transfers at the same time.
        on_result: is called with each finished transfer.
    """

    def __init__(
        self,
        origin: str,
        context: ssl.SSLContext,
        shares: TrafficMix,
        *,
        rate: float,
        concurrency: int,
        on_result: Callable[[TransferResult], None] = lambda _: None,
        chance: random.Random | None = None,
    ) -> None:
        self.summary = TrafficSummary()
        self._origin = origin
        self._context = context
        self._shares = shares
        self._rate = rate
        self._slots = asyncio.Semaphore(concurrency)
        self._on_result = on_result
        self._chance = chance or random.Random()  # noqa: S311 - no secret
        self._bad_rounds = 0
        self._backoff_until = 0.0
        self._fatal_error: BaseException | None = None

    async def run(self, *, duration: float | None = None, transfers: int | None = None) -> TrafficSummary:
        """Run for ``duration`` seconds, for a number of transfers, or until cancelled.

        Running transfers may end then; if this is cancelled, they are cancelled. :attr:`summary` is always up
        to date.

        Raises:
            PeerError: the server cannot be reached at the start.
        """
        started = time.monotonic()
        tasks: set[asyncio.Task[None]] = set()
        try:
            with temporary_folder() as scratch:
                try:
                    with suppress(TimeoutError):
                        async with asyncio.timeout(duration):
                            await self._start(transfers, scratch, tasks)
                    if tasks:
                        await asyncio.wait(set(tasks), timeout=GRACE_S)
                finally:
                    for task in list(tasks):
                        task.cancel()
                    await asyncio.gather(*tasks, return_exceptions=True)
        finally:
            self.summary.seconds = time.monotonic() - started
        return self.summary

    async def _start(self, transfers: int | None, scratch: Path, tasks: set[asyncio.Task[None]]) -> None:
        drawn = draw_plans(self._shares, tuple(PREFERENCES), self._chance)
        for number, plan in enumerate(drawn):
            if number == transfers:
                break
            await self._slots.acquire()
            task = asyncio.create_task(self._run_transfer(plan, scratch / str(number)), name="demo transfer")
            tasks.add(task)
            task.add_done_callback(tasks.discard)
            task.add_done_callback(self._ended)
            if number == 0:
                await asyncio.wait({task}, timeout=FIRST_TRANSFER_S)  # reports an unreachable server at once
            if self._fatal_error is not None:
                raise self._fatal_error
            pause = min(self._chance.expovariate(self._rate / 60), MAX_PAUSE * 60 / self._rate)
            await asyncio.sleep(max(pause, self._backoff_until - time.monotonic()))
        if tasks:
            await asyncio.wait(set(tasks))

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._slots.release()
        if not task.cancelled() and task.exception() is not None:
            self._fatal_error = task.exception()

    async def _run_transfer(self, plan: TransferPlan, folder: Path) -> None:
        await asyncio.to_thread(folder.mkdir)
        first = not self.summary.outcomes
        try:
            if plan.scenario in BAD:
                rounds, self._bad_rounds = self._bad_rounds, self._bad_rounds + 1
                self.summary.bad_requests += await send_bad_requests(
                    self._origin, self._context, self._chance, rounds
                )
            kind = DemoTransfer if plan.receivers == 1 else SeveralReceiversTransfer
            result = await kind(self._origin, self._context, plan, folder).run(self._chance)
        except PeerError as error:
            if first:
                raise
            self.summary.without_room += 1
            if isinstance(error, ServerRefusedError):
                self._backoff_until = time.monotonic() + BACKOFF_S
            return
        finally:
            await asyncio.to_thread(_remove, folder)
        self.summary.add(result)
        self._on_result(result)


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
