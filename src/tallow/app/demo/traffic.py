"""The demo's traffic: transfers at a rate, some at a time, for a while."""

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
from tallow.app.demo.transfer import DemoTransfer, TransferResult
from tallow.app.files.temporary import temporary_folder
from tallow.app.peer.errors import PeerError, ServerRefusedError
from tallow.app.peer.preferences import PREFERENCES

GRACE_S: Final = 30
"""How long transfers may take to end when the time is over."""
HELD_BACK_S: Final = 10
"""A server that wants fewer rooms is left alone for so long."""
ALONE_S: Final = 2.0
"""How long the first transfer has the server to itself."""
LONGEST_PAUSE: Final = 4
"""Between two transfers, in mean ones."""


@dataclass
class TrafficSummary:
    """What was done.

    Attributes:
        outcomes: transfers by outcome.
        methods: successful ones by way: p2p or relay.
        unmeant: transfers that did not end as they were meant to.
        unmade: transfers for which the server made no room.
        bad_requests: how many were made.
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
        self.outcomes[result.outcome] += 1
        self.scenarios[result.plan.scenario] += 1
        self.unexpected += not result.as_expected
        if result.outcome == "success":
            self.bytes += result.size
            self.methods[result.method] += 1

    @property
    def line(self) -> str:
        """For people."""
        counts = self.outcomes
        return (
            f"{counts.total()} transfers in {self.seconds:.0f} s: {counts['success']} succeeded "
            f"({self.methods['p2p']} directly, {self.methods['relay']} over a relay; "
            f"{self.bytes / 1e6:,.1f} MB), {counts['cancelled']} cancelled, {counts['failed']} failed, "
            f"{counts['refused']} refused; {self.unexpected} did not end as planned, "
            f"{self.without_room} got no room; "
            f"{self.bad_requests} bad requests"
        )

    def as_dict(self) -> dict[str, object]:
        """For scripts."""
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


class DemoTraffic:
    """Transfers between real peers over one server.

    Args:
        rate: transfers a minute, on average.
        concurrency: how many at a time at most.
        told: about each transfer that ended.
    """

    def __init__(
        self,
        origin: str,
        context: ssl.SSLContext,
        shares: TrafficMix,
        *,
        rate: float,
        concurrency: int,
        told: Callable[[TransferResult], None] = lambda _: None,
        chance: random.Random | None = None,
    ) -> None:
        self.summary = TrafficSummary()
        self._origin = origin
        self._context = context
        self._shares = shares
        self._rate = rate
        self._slots = asyncio.Semaphore(concurrency)
        self._on_result = told
        self._chance = chance or random.Random()  # noqa: S311 - no secret
        self._bad_rounds = 0
        self._held_back_until = 0.0
        self._broken: BaseException | None = None

    async def run(self, *, duration: float | None = None, transfers: int | None = None) -> TrafficSummary:
        """Make traffic for ``duration`` seconds, or so many transfers, or until cancelled.

        What is under way then may end; when it is cancelled, it is cancelled too. The summary is up to date
        at any time.

        Raises:
            PeerError: the server cannot be reached at the beginning.
        """
        begun = time.monotonic()
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
            self.summary.seconds = time.monotonic() - begun
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
                await asyncio.wait({task}, timeout=ALONE_S)  # a server that is not there shows at once
            if self._broken is not None:
                raise self._broken
            pause = min(self._chance.expovariate(self._rate / 60), LONGEST_PAUSE * 60 / self._rate)
            await asyncio.sleep(max(pause, self._held_back_until - time.monotonic()))
        if tasks:
            await asyncio.wait(set(tasks))

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._slots.release()
        if not task.cancelled() and task.exception() is not None:
            self._broken = task.exception()

    async def _run_transfer(self, plan: TransferPlan, folder: Path) -> None:
        await asyncio.to_thread(folder.mkdir)
        first = not self.summary.outcomes
        try:
            if plan.scenario in BAD:
                rounds, self._bad_rounds = self._bad_rounds, self._bad_rounds + 1
                self.summary.bad_requests += await send_bad_requests(
                    self._origin, self._context, self._chance, rounds
                )
            result = await DemoTransfer(self._origin, self._context, plan, folder).run(self._chance)
        except PeerError as error:
            if first:
                raise
            self.summary.without_room += 1
            if isinstance(error, ServerRefusedError):
                self._held_back_until = time.monotonic() + HELD_BACK_S
            return
        finally:
            await asyncio.to_thread(_remove, folder)
        self.summary.add(result)
        self._on_result(result)


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
