"""Faults that use up error budgets: fast ones that break everything, slow ones that break a share.

The alerts look at the job as a whole, so their drills run one after the other. The slow ones need a constant
share of
failures between the two burn rates: half of the transfers, one in ten connections.
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
_ALSO_FIRES: Final = frozenset(
    {
        "HighErrorRate",
        "HighTransferFailureRate",
        "NoSuccessfulTransfers",
        "HighConnectionFailureRate",
        "HighRelayUsage",
    }
)
_SMALL_BYTES: Final = 50_000
_SENDERS: Final = 5
"""At the same time. Each reports two attempts to connect; one of the ten fails."""


def _attempts(succeeded: int, failed: int) -> dict[str, Any]:
    counts = {"success": succeeded, "failed": failed}
    return {
        "direct_connections_total": [
            {"labels": {"transport": "tcp", "status": status}, "value": count}
            for status, count in counts.items()
            if count
        ]
    }


@asynccontextmanager
async def _connection_reports(context: DrillContext, *, failing: bool) -> AsyncIterator[None]:
    """Peers in real rooms report ten attempts to connect per second: one in ten failed, or none."""

    async def report(number: int) -> None:
        room, token = await clients.create_room(context.server)
        async with clients.join_room(context.server, room, token, "sender") as client:
            metrics = _attempts(1, 1) if failing and number == 0 else _attempts(2, 0)
            await clients.send_report(context.server, client.join_reply["telemetry_token"], metrics)

    async def report_all() -> None:
        await asyncio.gather(*(report(number) for number in range(_SENDERS)))

    async with repeat_in_background(report_all, 1.0):
        yield


@asynccontextmanager
async def successful_connections(context: DrillContext) -> AsyncIterator[None]:
    """All attempts to connect are reported as successful."""
    async with _connection_reports(context, failing=False):
        yield


@asynccontextmanager
async def failing_connections(context: DrillContext) -> AsyncIterator[None]:
    """One in ten attempts to connect is reported as failed; afterwards none."""
    await context.setup_stack.aclose()
    async with _connection_reports(context, failing=True):
        yield
    await context.cleanup.enter_async_context(_connection_reports(context, failing=False))


@asynccontextmanager
async def failing_transfers(context: DrillContext) -> AsyncIterator[None]:
    """Transfers that fail, besides the successful ones of the setup."""
    async with demo_traffic(context, DemoTraffic("fail_transfer=1", rate=_RATE, size=_SMALL_BYTES)):
        yield


def _no_instance(_environment: DrillEnvironment) -> str:
    """These alerts have no label ``instance``."""
    return ""


DRILLS: Final = (
    Drill(
        alert="TransferBudgetBurnsSlow",
        fault="the disk of half the senders fails under way (peers' switch fail_transfer)",
        setup=traffic_fault(DemoTraffic(rate=_RATE, size=_SMALL_BYTES)),
        inject=failing_transfers,
        profile=BUDGET,
        instance_label=_no_instance,
        also_fires=_ALSO_FIRES,
        fault_seconds=60,
    ),
    Drill(
        alert="ConnectionBudgetBurnsSlow",
        fault="in real rooms, one in ten attempts to connect is reported failed",
        setup=successful_connections,
        inject=failing_connections,
        profile=BUDGET,
        instance_label=_no_instance,
        also_fires=_ALSO_FIRES,
        fault_seconds=60,
    ),
    Drill(
        alert="TransferBudgetBurnsFast",
        fault="every sender's disk fails under way (peers' switch fail_transfer)",
        inject=traffic_fault(DemoTraffic("fail_transfer=1", rate=2 * _RATE, size=_SMALL_BYTES)),
        profile=BUDGET,
        instance_label=_no_instance,
        also_fires=_ALSO_FIRES,
        fault_seconds=60,
    ),
    Drill(
        alert="ConnectionBudgetBurnsFast",
        fault="no direct path for any peer (peers' switch break_path)",
        inject=traffic_fault(DemoTraffic("break_path=1", rate=2 * _RATE, size=_SMALL_BYTES)),
        profile=BUDGET,
        instance_label=_no_instance,
        also_fires=_ALSO_FIRES,
        fault_seconds=60,
    ),
)
