"""Real peers of a transfer: in this event loop, or as `tallow send` and `tallow receive` processes."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tallow.app.files.destination import DestinationFolder
from tallow.app.files.source_tree import CollectOptions, collect
from tallow.app.peer.link import Link, new_secret, token_hash
from tallow.app.peer.options import PeerTiming, TransferOptions
from tallow.app.peer.server_client import ServerClient, tls_context
from tallow.app.peer.telemetry_reporter import new_metrics
from tallow.app.peer.transfer.confirmation import Confirm
from tallow.app.peer.transfer.prepare import prepare
from tallow.app.peer.transfer.receiver import TransferReceiver
from tallow.app.peer.transfer.resume_state import ReceiverState, SenderState
from tallow.app.peer.transfer.sender import TransferSender
from tallow.monitoring.metrics import Metrics

WITHOUT_WEBRTC = (str(Path(__file__).with_name("without_webrtc.py")),)
HELD_PEER = str(Path(__file__).with_name("held_peer.py"))
SHORT_WAITS = PeerTiming(
    first_delay=0.05, max_delay=0.2, give_up_after=20, channel_timeout=5, direct_timeout=5, linger=5
)
"""Short delays and time limits, so that tests do not wait."""
RELAYED = TransferOptions(timing=SHORT_WAITS, tallow_relay=True)
DIRECT = TransferOptions(timing=SHORT_WAITS)
TCP = TransferOptions(timing=SHORT_WAITS, transports=("tcp",))
WEBRTC = TransferOptions(timing=SHORT_WAITS, transports=("webrtc",))


@dataclass
class RunningPeer:
    """A peer that runs in this event loop.

    Attributes:
        events: the events it emitted, as (event, details).
        task: the running transfer; its result or exception is the peer's.
        metrics: the metrics it recorded.
    """

    metrics: Metrics = field(default_factory=new_metrics)
    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    task: asyncio.Task[None] = field(init=False)
    link: Link = field(init=False)

    def __call__(self, event: str, /, **details: Any) -> None:
        self.events.append((event, details))

    def events_named(self, event: str) -> list[dict[str, Any]]:
        """The details of all events with a name."""
        return [details for name, details in self.events if name == event]

    async def wait_for_event(self, event: str, times: int = 1) -> dict[str, Any]:
        """Wait until an event was emitted ``times`` times; returns its details. Raises the peer's error."""
        while len(self.events_named(event)) < times:
            if self.task.done():
                self.task.result()
                raise AssertionError(f"the peer ended without {event}: {self.events}")
            await asyncio.sleep(0.005)
        return self.events_named(event)[-1]

    def value(self, name: str, **labels: str) -> float:
        return self.metrics.registry.value(name, **labels)

    async def wait_for_value(self, name: str, value: float, **labels: str) -> None:
        """Wait until a sample of this peer has a value. Raises the peer's error."""
        while self.value(name, **labels) != value:
            if self.task.done():
                self.task.result()
                raise AssertionError(f"the peer ended without {name} = {value}: {self.events}")
            await asyncio.sleep(0.005)

    async def wait_for_error(self) -> BaseException | None:
        """Wait until the peer ends; returns its error, if any."""
        await asyncio.wait({self.task})
        return asyncio.CancelledError() if self.task.cancelled() else self.task.exception()


async def create_room(url: str) -> SenderState:
    """Create a room; returns the state that its sender keeps."""
    secret = new_secret()
    async with ServerClient(url, tls_context()) as server:
        made = await server.create_room(token_hash(secret))
    return SenderState(Link(url, made.room, secret), time.time() + made.expires_in, [])


async def send(
    url: str,
    paths: Sequence[Path],
    *,
    options: TransferOptions | None = None,
    sent: SenderState | None = None,
    keep_metadata: bool = False,
    collecting: CollectOptions | None = None,
) -> RunningPeer:
    """Start a sender in this event loop, in a new room or that of ``sent``; by default over the relay."""
    peer = RunningPeer()
    options = options or RELAYED
    remembered = sent or await create_room(url)
    peer.link = remembered.link

    async def run() -> None:
        async with ServerClient(url, tls_context()) as server:
            with tempfile.TemporaryDirectory() as scratch:
                made_ready = prepare(
                    collect(paths, collecting),
                    Path(scratch),
                    peer.metrics,
                    keep_metadata=keep_metadata,
                    before=remembered.manifest,
                )
                preparing = asyncio.create_task(made_ready)
                await TransferSender(server, remembered, preparing, options, peer.metrics, peer).run()

    peer.task = asyncio.create_task(run())
    return peer


def receive(
    link: Link,
    folder: Path,
    *,
    options: TransferOptions | None = None,
    url: str | None = None,
    confirm: Confirm | None = None,
) -> RunningPeer:
    """Start a receiver in this event loop. ``url`` overrides the link's server.

    Without ``confirm`` it accepts every offer.
    """
    peer = RunningPeer()
    peer.link = link

    async def run() -> None:
        async with ServerClient(url or link.server, tls_context()) as server:
            with DestinationFolder(folder) as destination:
                received = ReceiverState.load(link, time.time() + 3600, folder)
                chosen = options or RELAYED
                await TransferReceiver(
                    server, link, destination, received, chosen, peer.metrics, peer, confirm=confirm
                ).run()

    peer.task = asyncio.create_task(run())
    return peer


async def transfer_files(
    url: str, paths: Sequence[Path], folder: Path, **more: Any
) -> tuple[RunningPeer, RunningPeer]:
    """Transfer files through a server and wait for success; returns both peers."""
    sender = await send(url, paths, **more)
    receiver = receive(sender.link, folder, options=more.get("options"))
    await asyncio.gather(sender.task, receiver.task)
    return sender, receiver


@dataclass
class PeerProcess:
    """A `tallow send` or `tallow receive` process with --json."""

    process: asyncio.subprocess.Process
    events: list[dict[str, Any]] = field(default_factory=list)

    async def wait_for_event(self, wanted: str | Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Read events until one has the wanted name or satisfies the predicate."""
        assert self.process.stdout
        while line := await self.process.stdout.readline():
            event = json.loads(line)
            self.events.append(event)
            if event["event"] == wanted if isinstance(wanted, str) else wanted(event):
                return dict(event)
        raise AssertionError(f"the process ended without {wanted}: {self.events} {await self.read_stderr()}")

    async def read_stderr(self) -> str:
        assert self.process.stderr
        return (await self.process.stderr.read()).decode()

    async def wait(self) -> int:
        """Read the remaining events and wait for the exit status."""
        assert self.process.stdout
        while line := await self.process.stdout.readline():
            self.events.append(json.loads(line))
        return await self.process.wait()


@asynccontextmanager
async def tallow(
    *arguments: str,
    home: Path,
    given: str = "",
    hold: str = "",
    program: Sequence[str] = ("-m", "tallow"),
    **environment: str,
) -> AsyncIterator[PeerProcess]:
    """Run a `tallow` command with --json, with settings and state below ``home`` and ``given`` as input.

    `receive` gets --yes, since there is no terminal to ask at.

    Args:
        hold: the stage at which the command stays, see :mod:`support.transfers.held_peer`.
        program: what runs the command.
    """
    scratch = home / "tmp"  # where a killed process leaves temporary files
    scratch.mkdir(parents=True, exist_ok=True)
    own = {"XDG_STATE_HOME": home / "state", "XDG_CONFIG_HOME": home / "config", "TMPDIR": scratch}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, *([HELD_PEER, hold] if hold else program), *arguments, "--json"),
        *(["--yes"] if arguments[0] == "receive" else []),
        env=os.environ | {name: str(folder) for name, folder in own.items()} | environment,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=1 << 20,
    )
    assert process.stdin
    try:
        process.stdin.write(given.encode())
        await process.stdin.drain()
        process.stdin.close()
        yield PeerProcess(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        with suppress(BrokenPipeError, ConnectionResetError):  # it ended without reading
            await process.stdin.wait_closed()
