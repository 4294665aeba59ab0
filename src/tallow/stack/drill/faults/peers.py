"""Faults of peers: real transfers of ``tallow demo``, whose peers have fault switches."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Final

from tallow.stack.drill.drill import Drill, Scene
from tallow.stack.drill.program import Program
from tallow.stack.engines.home import private_folder

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
    program = Program(
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
        start=with_(Traffic("throttle=300", rate=60, size=24_000, smallest=20_000, at_once=200)),
        along=frozenset({"LowTransferSpeed", *_FAILURES}),
        lasts=240,
    ),
    Drill(
        alert="SlowPQCOperations",
        fault="each ML-KEM operation takes 6 s longer (peers' switch delay_keys)",
        start=with_(Traffic("delay_keys=6")),
        along=_FAILURES,
        lasts=60,
    ),
    Drill(
        alert="HighConnectionTime",
        fault="WebRTC takes 11 s longer to connect (peers' switch delay_path)",
        start=with_(Traffic("delay_path=11")),
        along=frozenset({"HighConnectionFailureRate", "HighRelayUsage", *_FAILURES}),
        lasts=60,
    ),
    Drill(
        alert="HighTransferFailureRate",
        fault="the disk of a third of the senders fails under way (peers' switch fail_transfer)",
        before=with_(Traffic()),
        start=with_(Traffic("fail_transfer=1", rate=_OFTEN / 2)),
        along=frozenset({_ERRORS}),
        lasts=60,
    ),
    Drill(
        alert="LowTransferSpeed",
        fault="the path carries 80 kB a second (peers' switch throttle)",
        start=with_(Traffic("throttle=80000", rate=60, size=2_000_000)),
        along=frozenset({_ERRORS}),
        lasts=60,
    ),
    Drill(
        alert="HighConnectionFailureRate",
        fault="WebRTC finds no way across (peers' switch break_path); transfers go over Tallow's relay",
        start=with_(Traffic("break_path=1")),
        along=frozenset({"HighRelayUsage", _ERRORS}),
        lasts=60,
    ),
    Drill(
        alert="HighRelayUsage",
        fault="every transfer goes over a relay",
        start=with_(Traffic(relay=1.0)),
        along=frozenset({_ERRORS, "HighConnectionFailureRate"}),
        lasts=60,
    ),
    Drill(
        alert="HighPQCFailureRate",
        fault="ciphertexts are broken on their way (peers' switch break_confirmation): key exchanges fail",
        start=with_(Traffic("break_confirmation=1")),
        along=_FAILURES,
        lasts=60,
    ),
)
