"""Faults of peers: real transfers of ``tallow demo``, whose peers have fault switches."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Final

from tallow.monitoring.lifecycle.private_files import private_folder
from tallow.stack.drill.environment.process import ManagedProcess
from tallow.stack.drill.run.model import Drill, DrillContext

_OFTEN: Final = 40.0
_ERRORS: Final = "HighErrorRate"
_FAILURES: Final = frozenset({_ERRORS, "HighTransferFailureRate", "NoSuccessfulTransfers"})
"""What transfers that fail raise besides: peers report each error."""


@dataclass(frozen=True, slots=True)
class DemoTraffic:
    """What ``tallow demo`` is asked for.

    Attributes:
        faults: ``TALLOW_PEER_FAULTS``.
        rate: transfers a minute.
        size: bytes of the largest file; most are smaller.
        smallest: bytes of the smallest, a fiftieth of it unless given.
        relay: share that goes over a relay.
    """

    faults: str = ""
    rate: float = _OFTEN
    size: int = 100_000
    smallest: int | None = None
    relay_share: float = 0.0
    concurrency: int = 60


@asynccontextmanager
async def demo_traffic(scene: DrillContext, traffic: DemoTraffic) -> AsyncIterator[None]:
    """Transfers between real peers on the scene's server."""
    folder = scene.server.folder / "peers"
    private_folder(folder)
    faults = {"TALLOW_FAULTS": "1", "TALLOW_PEER_FAULTS": traffic.faults} if traffic.faults else {}
    program = ManagedProcess(
        [
            *(sys.executable, "-m", "tallow", "demo", "--json", f"--server={scene.server.url}"),
            *(f"--rate={traffic.rate}", f"--concurrency={traffic.concurrency}", f"--size={traffic.size}"),
            *([f"--smallest={traffic.smallest}"] if traffic.smallest else []),
            *(f"--relay-share={traffic.relay_share}", "--cancel-share=0", "--bad-share=0"),
        ],
        scene.server.folder / "peers.log",
        folder,
        {**faults, "TMPDIR": str(folder), "HOME": str(folder)},
    )
    await program.start()
    try:
        yield
    finally:
        await program.stop()


def traffic_fault(traffic: DemoTraffic) -> Callable[[DrillContext], AbstractAsyncContextManager[None]]:
    """The fault: such traffic, until it is healed."""
    return lambda scene: demo_traffic(scene, traffic)


DRILLS: Final = (
    Drill(
        alert="SlowTransfers",
        fault="the path carries 300 bytes a second (peers' switch throttle)",
        inject=traffic_fault(
            DemoTraffic("throttle=300", rate=60, size=24_000, smallest=20_000, concurrency=200)
        ),
        also_fires=frozenset({"LowTransferSpeed", *_FAILURES}),
        fault_seconds=240,
    ),
    Drill(
        alert="SlowPQCOperations",
        fault="each ML-KEM operation takes 6 s longer (peers' switch delay_keys)",
        inject=traffic_fault(DemoTraffic("delay_keys=6")),
        also_fires=_FAILURES,
        fault_seconds=60,
    ),
    Drill(
        alert="HighConnectionTime",
        fault="WebRTC takes 11 s longer to connect (peers' switch delay_path)",
        inject=traffic_fault(DemoTraffic("delay_path=11")),
        also_fires=frozenset({"HighConnectionFailureRate", "HighRelayUsage", *_FAILURES}),
        fault_seconds=60,
    ),
    Drill(
        alert="HighTransferFailureRate",
        fault="the disk of a third of the senders fails under way (peers' switch fail_transfer)",
        setup=traffic_fault(DemoTraffic()),
        inject=traffic_fault(DemoTraffic("fail_transfer=1", rate=_OFTEN / 2)),
        also_fires=frozenset({_ERRORS}),
        fault_seconds=60,
    ),
    Drill(
        alert="LowTransferSpeed",
        fault="the path carries 80 kB a second (peers' switch throttle)",
        inject=traffic_fault(DemoTraffic("throttle=80000", rate=60, size=2_000_000)),
        also_fires=frozenset({_ERRORS}),
        fault_seconds=60,
    ),
    Drill(
        alert="HighConnectionFailureRate",
        fault="WebRTC finds no way across (peers' switch break_path); transfers go over Tallow's relay",
        inject=traffic_fault(DemoTraffic("break_path=1")),
        also_fires=frozenset({"HighRelayUsage", _ERRORS}),
        fault_seconds=60,
    ),
    Drill(
        alert="HighRelayUsage",
        fault="every transfer goes over a relay",
        inject=traffic_fault(DemoTraffic(relay_share=1.0)),
        also_fires=frozenset({_ERRORS, "HighConnectionFailureRate"}),
        fault_seconds=60,
    ),
    Drill(
        alert="HighPQCFailureRate",
        fault="ciphertexts are broken on their way (peers' switch break_confirmation): key exchanges fail",
        inject=traffic_fault(DemoTraffic("break_confirmation=1")),
        also_fires=_FAILURES,
        fault_seconds=60,
    ),
)
