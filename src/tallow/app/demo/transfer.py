"""One demo transfer: two real peers, and the scenario that happens to them."""

from __future__ import annotations

import asyncio
import random
import ssl
import time
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from tallow.app.crypto.errors import CancelledByPeerError
from tallow.app.demo.cuttable_server import CuttableServer
from tallow.app.demo.files import make_files
from tallow.app.demo.plan import DemoOutcome, TransferPlan
from tallow.app.files.destination import DestinationFolder
from tallow.app.files.source_tree import collect
from tallow.app.peer.errors import one_line
from tallow.app.peer.link import Link, new_secret, token_hash
from tallow.app.peer.options import PeerTiming, TransferOptions
from tallow.app.peer.tasks import start_task
from tallow.app.peer.telemetry_reporter import new_metrics
from tallow.app.peer.transfer.confirmation import Confirm
from tallow.app.peer.transfer.prepare import PreparedFiles, prepare
from tallow.app.peer.transfer.receiver import TransferReceiver
from tallow.app.peer.transfer.resume_state import ReceiverState, SenderState
from tallow.app.peer.transfer.sender import TransferSender
from tallow.app.wire import RELAY_PATH, SIGNAL_PATH
from tallow.monitoring import correlation
from tallow.monitoring.metrics import Metrics

TIMING: Final = PeerTiming(
    first_delay=0.2,
    max_delay=2,
    give_up_after=60,
    channel_timeout=20,
    direct_timeout=15,
    head_start=15,
    linger=5,
)
"""With a long head start the plan decides about the path, and not the load of the machine."""
NO_DIRECT_TIMING: Final = replace(TIMING, direct_timeout=0.001, head_start=0)
OTHER_SIDE_TIMEOUT_S: Final = 30
"""Seconds that one side may run after the other has ended."""


@dataclass(frozen=True, slots=True)
class TransferResult:
    """The result of a transfer. ``method`` is "none" without a channel; ``error`` is empty on success.

    Attributes:
        others: outcomes of further receivers of the link.
    """

    plan: TransferPlan
    outcome: DemoOutcome
    method: str
    size: int
    seconds: float
    error: str = ""
    others: tuple[DemoOutcome, ...] = ()

    @property
    def as_expected(self) -> bool:
        """Whether the outcomes are the planned ones."""
        return (self.outcome, self.others) == (self.plan.expected_outcome, self.plan.expected_others)


@dataclass
class EventRecorder:
    """Records a peer's events, to wait for them."""

    events: dict[str, asyncio.Event] = field(default_factory=dict)
    method: str = "none"

    def __call__(self, event: str, /, **details: Any) -> None:
        self.method = details.get("method", self.method)
        self.event(event).set()

    def event(self, name: str) -> asyncio.Event:
        return self.events.setdefault(name, asyncio.Event())


class DemoTransfer:
    """Sender and receiver of one transfer.

    Args:
        folder: for its files; the caller removes it.
    """

    def __init__(self, origin: str, context: ssl.SSLContext, plan: TransferPlan, folder: Path) -> None:
        self._plan = plan
        self._folder = folder
        self._servers = {
            side: CuttableServer(origin, context, do_not_track=plan.silent) for side in ("sender", "receiver")
        }
        self._recorders = {side: EventRecorder() for side in self._servers}
        self._options = TransferOptions(
            relay="relay" if plan.relay else "auto",
            tallow_relay=plan.relay and not plan.turn and plan.scenario != "fallback",
            transports=("webrtc",) if plan.webrtc or plan.relay else ("tcp",),
            telemetry=not plan.silent,
            timing=NO_DIRECT_TIMING if plan.scenario == "fallback" else TIMING,
        )
        if plan.scenario == "fallback":
            self._options = replace(self._options, relay="auto")
        self._size = 0
        self._others: tuple[DemoOutcome, ...] = ()

    async def run(self, chance: random.Random) -> TransferResult:
        """Run the transfer and its scenario.

        Raises:
            PeerError: no room was created.
        """
        started = time.monotonic()
        async with AsyncExitStack() as stack:
            for server in self._servers.values():
                await stack.enter_async_context(server)
            paths = await asyncio.to_thread(make_files, self._plan, self._folder, chance)
            secret = new_secret()
            with correlation.bind(correlation.new_id()):
                made = await self._servers["sender"].create_room(token_hash(secret), self._plan.receivers)
            link = Link(self._servers["sender"].origin, made.room, secret)
            error = await self._transfer(link, paths, time.time() + made.expires_in)
        outcome = self._outcome(error)
        method = self._recorders["sender"].method
        text = one_line(error) if error is not None and outcome in {"failed", "refused"} else ""
        seconds = time.monotonic() - started
        return TransferResult(self._plan, outcome, method, self._size, seconds, text, self._others)

    async def _transfer(self, link: Link, paths: list[Path], expires: float) -> BaseException | None:
        sides = [asyncio.create_task(self._send(link, paths, expires), name="demo sender")]
        scenario: asyncio.Task[None] | None = None
        try:
            if self._plan.scenario == "wrong_link":
                with suppress(Exception):
                    await self._receive(replace(link, secret=new_secret()), expires)
            if self._plan.scenario != "broken_picture":
                sides.append(asyncio.create_task(self._receive(link, expires), name="demo receiver"))
                scenario = asyncio.create_task(self._run_scenario(sides, paths), name="demo scenario")
            await asyncio.wait(sides, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.wait(sides, timeout=OTHER_SIDE_TIMEOUT_S)
        finally:
            await cancel_all(*sides, *([scenario] if scenario else []))
        return asyncio.CancelledError() if sides[0].cancelled() else sides[0].exception()

    async def _run_scenario(self, sides: list[asyncio.Task[None]], paths: list[Path]) -> None:
        """Apply the scenario once data flows."""
        await self._recorders["sender"].event("progress").wait()
        match self._plan.scenario:
            case "sender_cancels":
                sides[0].cancel()
            case "receiver_cancels":
                sides[1].cancel()
            case "interrupted":
                self._servers["sender"].cut(RELAY_PATH)
            case "signaling_lost":
                self._servers["receiver"].cut(SIGNAL_PATH)
            case "source_changes":
                with paths[0].open("ab") as file:
                    file.write(b"!")

    async def _send(self, link: Link, paths: list[Path], expires: float) -> None:
        metrics = new_metrics()
        sent = self._sender_state(link, expires, "sent.json")
        preparing = self._start_preparing(paths, metrics)
        await TransferSender(
            self._servers["sender"],
            sent,
            preparing,
            self._sender_options(),
            metrics,
            self._recorders["sender"],
        ).run()

    def _sender_state(self, link: Link, expires: float, name: str, room: str | None = None) -> SenderState:
        keep_metadata = self._plan.keep_metadata
        return SenderState(
            link, expires, [], keep_metadata=keep_metadata, file=self._folder / name, room=room
        )

    def _sender_options(self) -> TransferOptions:
        return self._options_for("send", "keep_metadata" if self._plan.keep_metadata else None)

    def _start_preparing(self, paths: list[Path], metrics: Metrics) -> asyncio.Task[PreparedFiles]:
        scratch = self._folder / "scratch"
        scratch.mkdir()
        return start_task(self._prepare(paths, scratch, metrics), "demo files")

    async def _prepare(self, paths: list[Path], scratch: Path, metrics: Metrics) -> PreparedFiles:
        await asyncio.sleep(self._plan.prepares_s)
        offer = await prepare(collect(paths), scratch, metrics, keep_metadata=self._plan.keep_metadata)
        self._size = offer.manifest.size
        return offer

    async def _receive(
        self, link: Link, expires: float, into: str = "in", confirm: Confirm | None = None
    ) -> None:
        received = ReceiverState(self._folder / f"received-{into}.json", expires)
        server, events = self._servers["receiver"], self._recorders["receiver"]
        options = self._options_for("receive")
        with DestinationFolder(self._folder / into) as destination:
            await TransferReceiver(
                server, link, destination, received, options, new_metrics(), events, confirm=confirm
            ).run()

    def _options_for(self, feature: str, also: str | None = None) -> TransferOptions:
        plan = self._plan
        many = "multiple_files" if plan.content == "several" and feature == "send" else None
        only = "relay_only" if self._options.relay == "relay" else None
        resumed = "resume" if plan.scenario == "interrupted" else None
        features = tuple(name for name in (feature, also, many, only, resumed) if name)
        settings = {plan.setting: 1} if plan.setting and feature == "send" else {}
        return replace(self._paths_of(feature), features=features, settings=settings)

    def _paths_of(self, feature: str) -> TransferOptions:
        """The options of one side; without a common path in the scenario ``no_path``."""
        if self._plan.scenario != "no_path":
            return self._options
        if feature == "send":
            return replace(self._options, relay="direct")
        return replace(self._options, relay="relay", tallow_relay=True)

    def _outcome(self, error: BaseException | None) -> DemoOutcome:
        if error is None:
            return "success"
        if isinstance(error, asyncio.CancelledError | CancelledByPeerError):
            return "cancelled"
        return "refused" if self._plan.scenario == "broken_picture" else "failed"


async def cancel_all(*tasks: asyncio.Task[None]) -> None:
    """Cancel tasks, and wait until they have ended."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
