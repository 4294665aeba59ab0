"""No alert fires for healthy traffic, an idle server, a restart, a deployment or a gap in the scrapes."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from support.programs.debian import program
from tallow.stack.drill.environment.alert_observer import AlertObserver, observe_alerts
from tallow.stack.drill.environment.profile import DrillProfile
from tallow.stack.drill.environment.server import ServerUnderTest
from tallow.stack.drill.environment.stack import DrillEnvironment, drill_environment
from tallow.stack.drill.faults.peers import DemoTraffic, demo_traffic
from tallow.stack.drill.run.model import DrillContext

pytestmark = [pytest.mark.proof, pytest.mark.integration]

QUIET = DrillProfile("silence", 1 / 6, objectives=True)
"""With this scale ServiceDown waits 10 s. A restart takes less, as it takes less than the unscaled minute."""
ALWAYS = {"Watchdog", "NoActiveConnections"}


async def serve(environment: DrillEnvironment) -> ServerUnderTest:
    made = environment.create_server("healthy")
    await made.start()
    environment.add_target(made.target)
    await environment.wait_until_scraped(made.target)
    return made


@asynccontextmanager
async def healthy(
    folder: Path,
) -> AsyncIterator[tuple[DrillEnvironment, AlertObserver, list[ServerUnderTest]]]:
    """Two servers with traffic and an idle one, after the startup grace of most alerts."""
    for name in ("prometheus", "prometheus-alertmanager", "prometheus-node-exporter"):
        program(name)  # skips the test if it is not available
    logging.getLogger("mail.log").setLevel(logging.CRITICAL)
    async with (
        drill_environment(QUIET, folder) as environment,
        observe_alerts(environment) as observer,
        AsyncExitStack() as traffic,
    ):
        servers = [await serve(environment) for _ in range(3)]
        for server in servers[:2]:
            scene = DrillContext(environment, observer, server)
            await traffic.enter_async_context(demo_traffic(scene, DemoTraffic(rate=20, size=200_000)))
        await asyncio.sleep(600 * QUIET.scale)
        yield environment, observer, servers


async def wait_real_seconds(real_seconds: float) -> None:
    await asyncio.sleep(real_seconds * QUIET.scale)


def notifications(environment: DrillEnvironment, observer: AlertObserver) -> tuple[set[str], list[str]]:
    """The alerts that fired, except those that always fire, and the subjects of the messages."""
    fired = set().union(*observer.fired_alerts.values()) - ALWAYS
    mails = [
        message.subject for message in environment.receivers.inbox.messages if "digest" not in message.target
    ]
    return fired, mails


async def test_no_alert_fires_without_a_fault(tmp_path: Path) -> None:
    async with healthy(tmp_path) as (environment, observer, servers):
        assert notifications(environment, observer) == (set(), []), "healthy traffic"

        await servers[0].process.stop()
        await servers[0].start()
        await wait_real_seconds(300)
        assert notifications(environment, observer) == (set(), []), "a restart"

        for server in servers:
            await server.process.stop()
            await server.start()
            await wait_real_seconds(60)
        await wait_real_seconds(300)
        assert notifications(environment, observer) == (set(), []), "a rolling deployment"

        environment.processes["prometheus"].signal(signal.SIGSTOP)
        await wait_real_seconds(180)
        environment.processes["prometheus"].signal(signal.SIGCONT)
        await wait_real_seconds(600)
        assert notifications(environment, observer) == (set(), []), "a gap in the scrapes"
