"""What must page nobody: healthy traffic, an idle server, a restart, a deploy, a gap in the scrapes."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from support.debian import program
from tallow.stack.drill.environment.alert_observer import AlertObserver, observe_alerts
from tallow.stack.drill.environment.profile import DrillProfile
from tallow.stack.drill.environment.server import ServerUnderTest
from tallow.stack.drill.environment.stack import DrillEnvironment, drill_environment
from tallow.stack.drill.faults.peers import DemoTraffic, demo_traffic
from tallow.stack.drill.run.model import DrillContext

pytestmark = [pytest.mark.proof, pytest.mark.integration]

QUIET = DrillProfile("silence", 1 / 6, objectives=True)
"""ServiceDown waits 10 s: a restart takes less, as it does less than a minute in earnest."""
ALWAYS = {"Watchdog", "NoActiveConnections"}


async def serve(ground: DrillEnvironment) -> ServerUnderTest:
    made = ground.create_server("healthy")
    await made.start()
    ground.add_target(made.target)
    await ground.wait_until_scraped(made.target)
    return made


@asynccontextmanager
async def healthy(
    folder: Path,
) -> AsyncIterator[tuple[DrillEnvironment, AlertObserver, list[ServerUnderTest]]]:
    """Two servers with traffic and an idle one, past the time in which most alerts do not count."""
    for name in ("prometheus", "prometheus-alertmanager", "prometheus-node-exporter"):
        program(name)  # skips where it cannot be had
    logging.getLogger("mail.log").setLevel(logging.CRITICAL)
    async with (
        drill_environment(QUIET, folder) as ground,
        observe_alerts(ground) as observer,
        AsyncExitStack() as traffic,
    ):
        servers = [await serve(ground) for _ in range(3)]
        for server in servers[:2]:
            scene = DrillContext(ground, observer, server)
            await traffic.enter_async_context(demo_traffic(scene, DemoTraffic(rate=20, size=200_000)))
        await asyncio.sleep(600 * QUIET.scale)
        yield ground, observer, servers


async def passes(real_seconds: float) -> None:
    await asyncio.sleep(real_seconds * QUIET.scale)


def told(ground: DrillEnvironment, observer: AlertObserver) -> tuple[set[str], list[str]]:
    """What fired besides what always does, and what people were told."""
    fired = set().union(*observer.fired_alerts.values()) - ALWAYS
    mails = [message.subject for message in ground.receivers.inbox.messages if "digest" not in message.target]
    return fired, mails


async def test_nobody_is_told_of_what_is_no_fault(tmp_path: Path) -> None:
    async with healthy(tmp_path) as (ground, observer, servers):
        assert told(ground, observer) == (set(), []), "healthy traffic"

        await servers[0].process.stop()
        await servers[0].start()
        await passes(300)
        assert told(ground, observer) == (set(), []), "a restart"

        for server in servers:
            await server.process.stop()
            await server.start()
            await passes(60)
        await passes(300)
        assert told(ground, observer) == (set(), []), "a deploy of all, one after the other"

        ground.processes["prometheus"].signal(signal.SIGSTOP)
        await passes(180)
        ground.processes["prometheus"].signal(signal.SIGCONT)
        await passes(600)
        assert told(ground, observer) == (set(), []), "a gap in the scrapes"
