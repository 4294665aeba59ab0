"""Faults of the server process, its memory, CPU, database and cache."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from tallow.stack.drill.environment import clients
from tallow.stack.drill.environment.server import DrillError, ServerUnderTest
from tallow.stack.drill.run.model import Drill, DrillContext, repeat_in_background, wait_until
from tallow.stack.drill.verify.runbook_logs import CauseRecord

FULL: Final = {"MAX_ROOMS": "1"}
"""Settings of a server that accepts one room."""
_REQUEST_INTERVAL_S: Final = 0.5
_HELD_BYTES: Final = 1.8e9
_STEP_BYTES: Final = 0.1e9
"""Bytes per step: the server must answer scrapes meanwhile."""
_BUSY_CORES: Final = 1.5
_NICE: Final = -10
_SLOW_S: Final = 1.7
_CACHE_USERS: Final = 12
"""Enough for the alert's minimum of misses."""
_CLIENT_PAIRS: Final = 50
_USED_SHARE: Final = 0.86
"""Share of the lowered limit that the clients' sockets and the server's files take; the alert's is 0.8."""


@asynccontextmanager
async def room_requests_to_full_server(server: ServerUnderTest) -> AsyncIterator[None]:
    """Request more rooms than the server may have, until the block ends; it answers 503."""
    await server.http.post("/api/rooms", json={"token_hash": "0" * 64})

    async def request_room() -> None:
        await server.http.post("/api/rooms", json={"token_hash": "1" * 64})

    async with repeat_in_background(request_room, _REQUEST_INTERVAL_S):
        yield


@asynccontextmanager
async def full_server(context: DrillContext) -> AsyncIterator[None]:
    """The server is full and is asked for rooms; afterwards it is asked for what it can answer."""
    async with room_requests_to_full_server(context.server):
        yield

    async def request_information() -> None:
        await context.server.http.get("/api/info")

    # The alert also looks at six hours: most of their requests must succeed again.
    await context.cleanup.enter_async_context(repeat_in_background(request_information, 0.05))


def _open_files(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


@asynccontextmanager
async def few_descriptors(context: DrillContext) -> AsyncIterator[None]:
    """Clients open sockets to a server that may open few files."""
    pid = context.server.process.pid
    if pid is None:
        raise DrillError("the server does not run")
    soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    limit = round((_open_files(pid) + 2 * _CLIENT_PAIRS) / _USED_SHARE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (limit, hard))
    async with clients.join_pairs(context.server, _CLIENT_PAIRS):
        yield
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, hard))


@asynccontextmanager
async def killed_server(context: DrillContext) -> AsyncIterator[None]:
    """The server is killed while it and a second server raise HighErrorRate."""
    other = await context.start_server(FULL)
    grace_s = 300 * context.environment.profile.scale
    await asyncio.sleep(grace_s)  # HighErrorRate does not count on a server that has just started
    async with room_requests_to_full_server(other):
        async with room_requests_to_full_server(context.server):
            await wait_until(
                lambda: context.observer.current("HighErrorRate", context.server.target),
                60,
                "HighErrorRate, which ServiceDown must inhibit, was not pending",
            )
            # Long enough for the error rate to last until the alert fires, short enough for it not to fire
            # yet.
            await asyncio.sleep(grace_s / 2)
        context.mark_fault_start()
        await context.server.process.kill()
        yield
    await context.server.start()


async def inhibits_its_instance_only(context: DrillContext) -> list[str]:
    """ServiceDown inhibits all alerts of its instance and none of another."""
    other = context.extra_servers[0].target

    def was_notified(target: str) -> bool:
        return any(
            "/runbooks/HighErrorRate" in message.text and target in message.text
            for message in context.environment.receivers.inbox.messages
        )

    async def is_inhibited() -> bool:
        return any(
            alert["labels"]["alertname"] == "HighErrorRate"
            and alert["labels"].get("instance") == context.server.target
            and alert["status"]["inhibitedBy"]
            for alert in await context.environment.routed_alerts()
        )

    await wait_until(is_inhibited, 60, "HighErrorRate of the same server did not fire, or was not inhibited")
    await wait_until(
        lambda: was_notified(other), 60, "no message about HighErrorRate of the other server came"
    )
    if was_notified(context.server.target):
        return ["HighErrorRate of the killed server was not inhibited by ServiceDown"]
    return []


@asynccontextmanager
async def locked_database(context: DrillContext) -> AsyncIterator[None]:
    """Another connection holds the database's write lock, as a backup that hangs would."""

    async def request_room() -> None:
        await clients.create_room(context.server)

    connection = sqlite3.connect(context.server.folder / "tallow.db", isolation_level=None)
    try:
        connection.execute("BEGIN IMMEDIATE")
        async with repeat_in_background(request_room, 0.5, workers=3):
            yield
    finally:
        connection.execute("ROLLBACK")
        connection.close()


@asynccontextmanager
async def full_memory(context: DrillContext) -> AsyncIterator[None]:
    """The server allocates memory step by step."""
    held = 0.0
    while held < _HELD_BYTES:
        held += _STEP_BYTES
        await context.server.set_faults(hold_memory=held)
        await asyncio.sleep(0.1)
    yield
    await context.server.set_faults(hold_memory=0)


@asynccontextmanager
async def busy_cpu(context: DrillContext) -> AsyncIterator[None]:
    """Threads of the server compute, with a higher priority than other processes where that is permitted."""
    await context.server.set_faults(burn_cpu=_BUSY_CORES)
    _set_priority(context.server, _NICE)
    yield
    _set_priority(context.server, 0)
    await context.server.set_faults(burn_cpu=0)


def _set_priority(server: ServerUnderTest, nice: int) -> None:
    """Set the CPU priority of the server's session, which Linux compares first. Only root may raise it."""
    with contextlib.suppress(OSError):
        Path(f"/proc/{server.process.pid}/autogroup").write_text(str(nice), encoding="ascii")


@asynccontextmanager
async def slow_database(context: DrillContext) -> AsyncIterator[None]:
    """Every statement takes longer, while rooms are made."""

    async def request_room() -> None:
        await clients.create_room(context.server)

    await context.server.set_faults(slow_database=_SLOW_S)
    async with repeat_in_background(request_room, 0.2, workers=4):
        yield
    await context.server.set_faults(slow_database=0)


@asynccontextmanager
async def empty_cache(context: DrillContext) -> AsyncIterator[None]:
    """The cache is emptied constantly, while rooms are made and joined."""

    async def use_room() -> None:
        room, token = await clients.create_room(context.server)
        await asyncio.sleep(0.1)  # longer than the cache keeps an entry during the fault
        async with clients.join_room(context.server, room, token, "sender"):
            await asyncio.sleep(0.1)
            async with clients.join_room(context.server, room, token, "receiver"):
                pass

    await context.server.set_faults(empty_cache=1)
    async with repeat_in_background(use_room, 0.1, workers=_CACHE_USERS):
        yield
    await context.server.set_faults(empty_cache=0)


DRILLS: Final = (
    Drill(
        alert="ServiceDown",
        fault="the server is killed and kept down, while it and a second one make errors",
        inject=killed_server,
        server_settings=FULL,
        also_fires=frozenset({"HighErrorRate"}),
        check=inhibits_its_instance_only,
        fault_seconds=60,
    ),
    Drill(
        alert="HighErrorRate",
        fault="a server that is full (MAX_ROOMS) is asked for rooms and answers 503",
        inject=full_server,
        server_settings=FULL,
    ),
    Drill(
        alert="CriticalErrors",
        fault="another process holds the database's write lock: rooms cannot be made",
        inject=locked_database,
        also_fires=frozenset({"HighErrorRate", "SlowDatabaseOperations"}),
        fault_seconds=10,
        cause=CauseRecord({"error_type": "storage", "severity": "critical"}, error="database is locked"),
    ),
    Drill(
        alert="HighMemoryUsage",
        fault=f"the server holds {_HELD_BYTES / 1e9:g} GB more (switch hold_memory)",
        inject=full_memory,
    ),
    Drill(
        alert="HighCPUUsage",
        fault=f"threads of the server compute, {_BUSY_CORES:g} cores of them (switch burn_cpu)",
        inject=busy_cpu,
        fault_seconds=60,
    ),
    Drill(
        alert="SlowDatabaseOperations",
        fault=f"every statement takes {_SLOW_S:g} s longer (switch slow_database), while rooms are made",
        inject=slow_database,
    ),
    Drill(
        alert="FileDescriptorsLow",
        fault=f"the server may open few files more (prlimit), and clients open {2 * _CLIENT_PAIRS} sockets",
        inject=few_descriptors,
        also_fires=frozenset({"NoSuccessfulTransfers"}),
    ),
    Drill(
        alert="LowCacheHitRate",
        fault="the cache is emptied all the time (switch empty_cache), while rooms are made and joined",
        inject=empty_cache,
    ),
)
