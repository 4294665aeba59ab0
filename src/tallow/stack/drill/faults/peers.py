"""Faults of peers: real transfers of ``tallow demo``, whose peers have fault switches."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Final

from tallow.monitoring.lifecycle.private_files import private_folder
from tallow.stack.drill.environment.process import ManagedProcess
from tallow.stack.drill.run.model import Drill, Scene

_OFTEN: Final = 40.0
_ERRORS: Final = "HighErrorRate"
_FAILURES: Final = frozenset({_ERRORS, "HighTransferFailureRate", "NoSuccessfulTransfers"})
"""What transfers that fail raise besides: peers report each error."""


@dataclass(frozen=True, slots=True)
class Traffic:
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
    relay: float = 0.0
    at_once: int = 60


@asynccontextmanager
async def demo(scene: Scene, traffic: Traffic) -> AsyncIterator[None]:
    """Transfers between real peers on the scene's server."""
    folder = scene.instance.folder / "peers"
    private_folder(folder)
    faults = {"TALLOW_FAULTS": "1", "TALLOW_PEER_FAULTS": traffic.faults} if traffic.faults else {}
    program = ManagedProcess(
        [
            *(sys.executable, "-m", "tallow", "demo", "--json", f"--server={scene.instance.url}"),
            *(f"--rate={traffic.rate}", f"--concurrency={traffic.at_once}", f"--size={traffic.size}"),
            *([f"--smallest={traffic.smallest}"] if traffic.smallest else []),
            *(f"--relay-share={traffic.relay}", "--cancel-share=0", "--bad-share=0"),
        ],
        scene.instance.folder / "peers.log",
        folder,
        {**faults, "TMPDIR": str(folder), "HOME": str(folder)},
    )
    await program.start()
    try:
        yield
    finally:
        await program.stop()


def with_(traffic: Traffic) -> Callable[[Scene], AbstractAsyncContextManager[None]]:
    """The fault: such traffic, until it is healed."""
    return lambda scene: demo(scene, traffic)


DRILLS: Final = (
    Drill(
        alert="SlowTransfers",
        fault="the path carries 300 bytes a second (peers' switch throttle)",
        inject=with_(Traffic("throttle=300", rate=60, size=24_000, smallest=20_000, at_once=200)),
        also_fires=frozenset({"LowTransferSpeed", *_FAILURES}),
        fault_seconds=240,
    ),
    Drill(
        alert="SlowPQCOperations",
        fault="each ML-KEM operation takes 6 s longer (peers' switch delay_keys)",
        inject=with_(Traffic("delay_keys=6")),
        also_fires=_FAILURES,
        fault_seconds=60,
    ),
    Drill(
        alert="HighConnectionTime",
        fault="WebRTC takes 11 s longer to connect (peers' switch delay_path)",
        inject=with_(Traffic("delay_path=11")),
        also_fires=frozenset({"HighConnectionFailureRate", "HighRelayUsage", *_FAILURES}),
        fault_seconds=60,
    ),
    Drill(
        alert="HighTransferFailureRate",
        fault="the disk of a third of the senders fails under way (peers' switch fail_transfer)",
        setup=with_(Traffic()),
        inject=with_(Traffic("fail_transfer=1", rate=_OFTEN / 2)),
        also_fires=frozenset({_ERRORS}),
        fault_seconds=60,
    ),
    Drill(
        alert="LowTransferSpeed",
        fault="the path carries 80 kB a second (peers' switch throttle)",
        inject=with_(Traffic("throttle=80000", rate=60, size=2_000_000)),
        also_fires=frozenset({_ERRORS}),
        fault_seconds=60,
    ),
    Drill(
        alert="HighConnectionFailureRate",
        fault="WebRTC finds no way across (peers' switch break_path); transfers go over Tallow's relay",
        inject=with_(Traffic("break_path=1")),
        also_fires=frozenset({"HighRelayUsage", _ERRORS}),
        fault_seconds=60,
    ),
    Drill(
        alert="HighRelayUsage",
        fault="every transfer goes over a relay",
        inject=with_(Traffic(relay=1.0)),
        also_fires=frozenset({_ERRORS, "HighConnectionFailureRate"}),
        fault_seconds=60,
    ),
    Drill(
        alert="HighPQCFailureRate",
        fault="ciphertexts are broken on their way (peers' switch break_confirmation): key exchanges fail",
        inject=with_(Traffic("break_confirmation=1")),
        also_fires=_FAILURES,
        fault_seconds=60,
    ),
)
