"""Faults that burn error budgets: fast ones that break everything, slow ones that break a share.

The alerts look at the job as a whole, so that each drill has the stack for itself. The slow ones need a
share of failures between the two paces, all the time: of transfers half, of connections one in ten.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from tallow.stack.drill.environment import clients
from tallow.stack.drill.environment.profile import BUDGET
from tallow.stack.drill.environment.stack import DrillEnvironment
from tallow.stack.drill.faults.peers import DemoTraffic, demo_traffic, traffic_fault
from tallow.stack.drill.run.model import Drill, DrillContext, repeat_in_background

_RATE: Final = 60.0
_ALONG: Final = frozenset(
    {
        "HighErrorRate",
        "HighTransferFailureRate",
        "NoSuccessfulTransfers",
        "HighConnectionFailureRate",
        "HighRelayUsage",
    }
)
_SMALL: Final = 50_000
_SENDERS: Final = 5
"""At a time; each reports two attempts to connect, and one of the ten fails."""


def _attempts(succeeded: int, failed: int) -> dict[str, Any]:
    counts = {"success": succeeded, "failed": failed}
    return {
        "webrtc_connections_total": [
            {"labels": {"type": "direct", "status": status}, "value": count}
            for status, count in counts.items()
            if count
        ]
    }


@asynccontextmanager
async def _attempting(scene: DrillContext, *, failing: bool) -> AsyncIterator[None]:
    """Peers in real rooms report ten attempts a second: exactly one in ten failed, or none."""

    async def one(number: int) -> None:
        name, token = await clients.create_room(scene.server)
        async with clients.join_room(scene.server, name, token, "sender") as seat:
            broken = failing and number == 0
            metrics = _attempts(1, 1) if broken else _attempts(2, 0)
            await clients.send_report(scene.server, seat.join_reply["telemetry_token"], metrics)

    async def all_() -> None:
        await asyncio.gather(*(one(number) for number in range(_SENDERS)))

    async with repeat_in_background(all_, 1.0):
        yield


@asynccontextmanager
async def connecting_well(scene: DrillContext) -> AsyncIterator[None]:
    async with _attempting(scene, failing=False):
        yield


@asynccontextmanager
async def connecting_badly(scene: DrillContext) -> AsyncIterator[None]:
    await scene.setup_stack.aclose()
    async with _attempting(scene, failing=True):
        yield
    await scene.cleanup.enter_async_context(_attempting(scene, failing=False))


@asynccontextmanager
async def failing_beside_others(scene: DrillContext) -> AsyncIterator[None]:
    async with demo_traffic(scene, DemoTraffic("fail_transfer=1", rate=_RATE, size=_SMALL)):
        yield


def _nobody(_ground: DrillEnvironment) -> str:
    """The alerts are about the job, and about no instance of it."""
    return ""


DRILLS: Final = (
    Drill(
        alert="TransferBudgetBurnsSlow",
        fault="the disk of half the senders fails under way (peers' switch fail_transfer)",
        setup=traffic_fault(DemoTraffic(rate=_RATE, size=_SMALL)),
        inject=failing_beside_others,
        profile=BUDGET,
        instance_label=_nobody,
        also_fires=_ALONG,
        fault_seconds=60,
    ),
    Drill(
        alert="ConnectionBudgetBurnsSlow",
        fault="in real rooms, one in ten attempts to connect is reported failed",
        setup=connecting_well,
        inject=connecting_badly,
        profile=BUDGET,
        instance_label=_nobody,
        also_fires=_ALONG,
        fault_seconds=60,
    ),
    Drill(
        alert="TransferBudgetBurnsFast",
        fault="every sender's disk fails under way (peers' switch fail_transfer)",
        inject=traffic_fault(DemoTraffic("fail_transfer=1", rate=2 * _RATE, size=_SMALL)),
        profile=BUDGET,
        instance_label=_nobody,
        also_fires=_ALONG,
        fault_seconds=60,
    ),
    Drill(
        alert="ConnectionBudgetBurnsFast",
        fault="WebRTC finds no way across, for anybody (peers' switch break_path)",
        inject=traffic_fault(DemoTraffic("break_path=1", rate=2 * _RATE, size=_SMALL)),
        profile=BUDGET,
        instance_label=_nobody,
        also_fires=_ALONG,
        fault_seconds=60,
    ),
)
