"""Faults of the server as a process, and of what it stands on."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from tallow.stack.drill.environment import clients
from tallow.stack.drill.environment.server import ServerUnderTest
from tallow.stack.drill.run.model import Drill, DrillContext, repeat_in_background, wait_until

FULL: Final = {"MAX_ROOMS": "1"}
"""A server that has a room and takes no second one."""
_FULL_EVERY_S: Final = 0.5
_HELD_BYTES: Final = 1.8e9
_HELD_AT_ONCE: Final = 0.1e9
"""Little enough that the server goes on answering scrapes meanwhile."""
_BUSY_CORES: Final = 1.5
_PRECEDENCE: Final = -10
_SLOW_S: Final = 1.7


@asynccontextmanager
async def knocking_at_a_full_server(instance: ServerUnderTest) -> AsyncIterator[None]:
    """More rooms are asked for than the server may have: it answers 503."""
    await instance.http.post("/api/rooms", json={"token_hash": "0" * 64})

    async def knock() -> None:
        await instance.http.post("/api/rooms", json={"token_hash": "1" * 64})

    async with repeat_in_background(knock, _FULL_EVERY_S):
        yield


@asynccontextmanager
async def full(scene: DrillContext) -> AsyncIterator[None]:
    async with knocking_at_a_full_server(scene.server):
        yield


@asynccontextmanager
async def killed(scene: DrillContext) -> AsyncIterator[None]:
    """Killed, while it and another server make errors: their warnings show what is silenced and what not."""
    other = await scene.start_server(FULL)
    hold = 300 * scene.environment.profile.scale
    # The rule does not count on a young server.
    await asyncio.sleep(hold)
    async with knocking_at_a_full_server(other):
        async with knocking_at_a_full_server(scene.server):
            await wait_until(
                lambda: scene.observer.current("HighErrorRate", scene.server.target),
                60,
                "HighErrorRate, which ServiceDown is to silence, was not pending",
            )
            # Long enough that its rate outlives the server until it fires, short enough that it does not yet.
            await asyncio.sleep(hold / 2)
        scene.mark_fault_start()
        await scene.server.process.kill()
        yield
    await scene.server.start()


async def silences_its_instance_alone(scene: DrillContext) -> list[str]:
    """What ServiceDown inhibits: everything on its instance, nothing on another."""
    problems = []
    other = scene.extra_servers[0].target

    def told(target: str) -> bool:
        return any(
            "/runbooks/HighErrorRate" in message.text and target in message.text
            for message in scene.environment.receivers.inbox.messages
        )

    async def silenced() -> bool:
        return any(
            alert["labels"]["alertname"] == "HighErrorRate"
            and alert["labels"].get("instance") == scene.server.target
            and alert["status"]["inhibitedBy"]
            for alert in await scene.environment.routed_alerts()
        )

    await wait_until(silenced, 60, "HighErrorRate of the same server did not fire, or was not inhibited")
    await wait_until(lambda: told(other), 60, "HighErrorRate of another server was not told: silenced too?")
    if told(scene.server.target):
        problems.append("HighErrorRate of the dead server was told: ServiceDown did not silence it")
    return problems


@asynccontextmanager
async def locked_database(scene: DrillContext) -> AsyncIterator[None]:
    """Another process holds the database's lock, as a backup that hangs does."""

    async def ask() -> None:
        await clients.create_room(scene.server)

    holder = sqlite3.connect(scene.server.folder / "tallow.db", isolation_level=None)
    try:
        holder.execute("BEGIN IMMEDIATE")
        async with repeat_in_background(ask, 0.5, at_once=3):
            yield
    finally:
        holder.execute("ROLLBACK")
        holder.close()


@asynccontextmanager
async def full_memory(scene: DrillContext) -> AsyncIterator[None]:
    held = 0.0
    while held < _HELD_BYTES:
        held += _HELD_AT_ONCE
        await scene.server.set_faults(hold_memory=held)
        await asyncio.sleep(0.1)
    yield
    await scene.server.set_faults(hold_memory=0)


@asynccontextmanager
async def busy(scene: DrillContext) -> AsyncIterator[None]:
    """Threads that compute; they get their core even from neighbours, where the drill may arrange that."""
    await scene.server.set_faults(burn_cpu=_BUSY_CORES)
    _prefer(scene.server, _PRECEDENCE)
    yield
    _prefer(scene.server, 0)
    await scene.server.set_faults(burn_cpu=0)


def _prefer(instance: ServerUnderTest, nice: int) -> None:
    """Linux shares CPU among sessions before it does among processes; only root may claim more."""
    with contextlib.suppress(OSError):
        Path(f"/proc/{instance.process.pid}/autogroup").write_text(str(nice), encoding="ascii")


@asynccontextmanager
async def slow_database(scene: DrillContext) -> AsyncIterator[None]:
    async def ask() -> None:
        await clients.create_room(scene.server)

    await scene.server.set_faults(slow_database=_SLOW_S)
    async with repeat_in_background(ask, 0.2, at_once=4):
        yield
    await scene.server.set_faults(slow_database=0)


@asynccontextmanager
async def empty_cache(scene: DrillContext) -> AsyncIterator[None]:
    async def visit() -> None:
        name, token = await clients.create_room(scene.server)
        await asyncio.sleep(0.1)  # longer than the cache keeps anything now
        async with clients.join_room(scene.server, name, token, "sender"):
            await asyncio.sleep(0.1)
            async with clients.join_room(scene.server, name, token, "receiver"):
                pass

    await scene.server.set_faults(empty_cache=1)
    async with repeat_in_background(visit, 0.5):
        yield
    await scene.server.set_faults(empty_cache=0)


DRILLS: Final = (
    Drill(
        alert="ServiceDown",
        fault="the server is killed and kept down, while it and a second one make errors",
        inject=killed,
        server_settings=FULL,
        also_fires=frozenset({"HighErrorRate"}),
        check=silences_its_instance_alone,
        fault_seconds=60,
    ),
    Drill(
        alert="HighErrorRate",
        fault="a server that is full (MAX_ROOMS) is asked for rooms and answers 503",
        inject=full,
        server_settings=FULL,
    ),
    Drill(
        alert="CriticalErrors",
        fault="another process holds the database's write lock: rooms cannot be made",
        inject=locked_database,
        also_fires=frozenset({"HighErrorRate", "SlowDatabaseOperations"}),
        fault_seconds=10,
    ),
    Drill(
        alert="HighMemoryUsage",
        fault=f"the server holds {_HELD_BYTES / 1e9:g} GB more (switch hold_memory)",
        inject=full_memory,
    ),
    Drill(
        alert="HighCPUUsage",
        fault=f"threads of the server compute, {_BUSY_CORES:g} cores of them (switch burn_cpu)",
        inject=busy,
        fault_seconds=60,
    ),
    Drill(
        alert="SlowDatabaseOperations",
        fault=f"every statement takes {_SLOW_S:g} s longer (switch slow_database), while rooms are made",
        inject=slow_database,
    ),
    Drill(
        alert="LowCacheHitRate",
        fault="the cache is emptied all the time (switch empty_cache), while rooms are made and joined",
        inject=empty_cache,
    ),
)
