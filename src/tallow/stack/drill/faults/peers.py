"""Faults of peers: real transfers by ``tallow demo``, whose peers have fault switches."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Final

from tallow.monitoring.lifecycle.private_files import private_folder
from tallow.stack.drill.run.model import Drill, DrillContext
from tallow.stack.engines.processes.environment import inherited_environment
from tallow.stack.engines.processes.managed_process import ManagedProcess

_RATE: Final = 40.0
_ERROR_ALERT: Final = "HighErrorRate"
_FAILURE_ALERTS: Final = frozenset({_ERROR_ALERT, "HighTransferFailureRate", "NoSuccessfulTransfers"})
"""Alerts that failing transfers raise: peers report each error."""


@dataclass(frozen=True, slots=True)
class DemoTraffic:
    """Options of ``tallow demo``.

    Attributes:
        faults: ``TALLOW_PEER_FAULTS``.
        rate: transfers per minute.
        size: bytes of the largest file; most are smaller.
        smallest: bytes of the smallest file, by default a fiftieth of the largest.
        relay_share: share of transfers over a relay, from 0 to 1.
        concurrency: transfers at the same time, at most.
    """

    faults: str = ""
    rate: float = _RATE
    size: int = 100_000
    smallest: int | None = None
    relay_share: float = 0.0
    concurrency: int = 60


@asynccontextmanager
async def demo_traffic(context: DrillContext, traffic: DemoTraffic) -> AsyncIterator[None]:
    """Transfers between real peers on the drill's server, until the block ends."""
    folder = context.server.folder / "peers"
    private_folder(folder)
    faults = {"TALLOW_FAULTS": "1", "TALLOW_PEER_FAULTS": traffic.faults} if traffic.faults else {}
    process = ManagedProcess(
        [
            *(sys.executable, "-m", "tallow", "demo", "--json", f"--server={context.server.url}"),
            *(f"--rate={traffic.rate}", f"--concurrency={traffic.concurrency}", f"--size={traffic.size}"),
            *([f"--smallest={traffic.smallest}"] if traffic.smallest else []),
            *(f"--relay-share={traffic.relay_share}", "--cancel-share=0", "--bad-share=0"),
        ],
        folder,
        context.server.folder / "peers.log",
        {**inherited_environment(), **faults, "TMPDIR": str(folder), "HOME": str(folder)},
    )
    await process.start()
    try:
        yield
    finally:
        await process.stop()


def traffic_fault(traffic: DemoTraffic) -> Callable[[DrillContext], AbstractAsyncContextManager[None]]:
    """A fault that consists of traffic."""
    return lambda context: demo_traffic(context, traffic)


DRILLS: Final = (
    Drill(
        alert="SlowTransfers",
        fault="the path carries 300 bytes a second (peers' switch throttle)",
        inject=traffic_fault(
            DemoTraffic("throttle=300", rate=60, size=24_000, smallest=20_000, concurrency=200)
        ),
        also_fires=frozenset({"LowTransferSpeed", *_FAILURE_ALERTS}),
        fault_seconds=240,
    ),
    Drill(
        alert="SlowPQCOperations",
        fault="each ML-KEM operation takes 6 s longer (peers' switch delay_keys)",
        inject=traffic_fault(DemoTraffic("delay_keys=6")),
        also_fires=_FAILURE_ALERTS,
        fault_seconds=60,
    ),
    Drill(
        alert="HighConnectionTime",
        fault="WebRTC takes 11 s longer to connect (peers' switch delay_path)",
        inject=traffic_fault(DemoTraffic("delay_path=11")),
        also_fires=frozenset({"HighConnectionFailureRate", "HighRelayUsage", *_FAILURE_ALERTS}),
        fault_seconds=60,
    ),
    Drill(
        alert="HighTransferFailureRate",
        fault="the disk of a third of the senders fails under way (peers' switch fail_transfer)",
        setup=traffic_fault(DemoTraffic()),
        inject=traffic_fault(DemoTraffic("fail_transfer=1", rate=_RATE / 2)),
        also_fires=frozenset({_ERROR_ALERT}),
        fault_seconds=60,
    ),
    Drill(
        alert="LowTransferSpeed",
        fault="the path carries 80 kB a second (peers' switch throttle)",
        inject=traffic_fault(DemoTraffic("throttle=80000", rate=60, size=2_000_000)),
        also_fires=frozenset({_ERROR_ALERT}),
        fault_seconds=60,
    ),
    Drill(
        alert="HighConnectionFailureRate",
        fault="no direct path over TCP (peers' switch break_tcp); the transfers that use TCP, about half, go "
        "over Tallow's relay",
        inject=traffic_fault(DemoTraffic("break_tcp=1")),
        also_fires=frozenset({"HighRelayUsage", _ERROR_ALERT}),
        fault_seconds=60,
    ),
    Drill(
        alert="HighRelayUsage",
        fault="every transfer goes over a relay",
        inject=traffic_fault(DemoTraffic(relay_share=1.0)),
        also_fires=frozenset({_ERROR_ALERT, "HighConnectionFailureRate"}),
        fault_seconds=60,
    ),
    Drill(
        alert="HighPQCFailureRate",
        fault="ciphertexts are corrupted in transit (peers' switch break_confirmation): key exchanges fail",
        inject=traffic_fault(DemoTraffic("break_confirmation=1")),
        also_fires=_FAILURE_ALERTS,
        fault_seconds=60,
    ),
)
