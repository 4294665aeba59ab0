"""Concurrent writes share a transaction; each is acknowledged after its commit, or fails."""

from __future__ import annotations

import asyncio
import re
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from support.registries import tallow_metrics
from tallow.app.server.storage import group_commit
from tallow.app.server.storage.database import StoreError
from tallow.app.server.storage.records import RoomRecord
from tallow.app.server.storage.room_store import SqlStore
from tallow.monitoring.metrics import Metrics

NEVER = 1e12
INSERTS = "db_operation_duration_seconds_count"


@pytest.fixture
def metrics() -> Metrics:
    return tallow_metrics()


@pytest.fixture
async def store(tmp_path: Path, metrics: Metrics) -> AsyncIterator[SqlStore]:
    store = SqlStore(f"sqlite+aiosqlite:///{tmp_path / 'x.db'}", metrics)
    await store.open()
    yield store
    await store.close()


def room(name: str) -> RoomRecord:
    return RoomRecord(name, "0" * 64, 0, NEVER, "c" * 32)


def rooms(count: int) -> list[RoomRecord]:
    return [room(f"room-{number}") for number in range(count)]


def writer_of(store: SqlStore) -> asyncio.Task[Any]:
    (task,) = (task for task in asyncio.all_tasks() if task.get_name() == "group commit")
    return task


async def test_concurrent_writes_share_one_transaction(store: SqlStore, metrics: Metrics) -> None:
    commits: list[object] = []
    event.listen(store.engine.sync_engine, "commit", commits.append)
    await asyncio.gather(*(store.add(each) for each in rooms(50)))
    assert len(commits) == 1
    assert await store.count() == 50
    assert metrics.registry.value(INSERTS, operation="insert", status="success") == 50


async def test_writes_are_executed_in_the_order_of_the_calls(store: SqlStore) -> None:
    await asyncio.gather(
        store.add(room("a")),
        store.set_state("a", "started"),
        store.add(room("b")),
        store.set_state("a", "success"),
        store.set_state("b", "failed"),
    )
    found = [await store.find(name) for name in "ab"]
    assert [each and each.state for each in found] == ["success", "failed"]


async def test_no_write_is_acknowledged_before_its_commit(store: SqlStore) -> None:
    tasks = [asyncio.create_task(store.add(each)) for each in rooms(3)]
    acknowledged: list[bool] = []
    event.listen(
        store.engine.sync_engine, "commit", lambda _: acknowledged.extend(task.done() for task in tasks)
    )
    await asyncio.gather(*tasks)
    assert acknowledged == [False] * 3


async def test_a_refused_write_fails_alone(store: SqlStore, metrics: Metrics) -> None:
    await store.add(room("room-1"))
    results = await asyncio.gather(*(store.add(each) for each in rooms(4)), return_exceptions=True)
    assert [type(result) for result in results] == [type(None), StoreError, type(None), type(None)]
    assert await store.count() == 4
    value = metrics.registry.value
    assert value(INSERTS, operation="insert", status="failed") == 1
    assert value(INSERTS, operation="insert", status="success") == 4


async def test_a_failed_commit_fails_every_write_of_its_transaction(
    store: SqlStore, metrics: Metrics
) -> None:
    def fail(_connection: object) -> None:
        raise OperationalError("COMMIT", None, sqlite3.OperationalError("disk I/O error"))

    event.listen(store.engine.sync_engine, "commit", fail)
    results = await asyncio.gather(*(store.add(each) for each in rooms(3)), return_exceptions=True)
    event.remove(store.engine.sync_engine, "commit", fail)
    assert {type(result) for result in results} == {StoreError}
    assert await store.count() == 0
    assert metrics.registry.value(INSERTS, operation="insert", status="failed") == 3
    await store.add(room("next"))
    assert await store.count() == 1


async def test_a_locked_database_fails_every_waiting_write(
    tmp_path: Path, metrics: Metrics, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tallow.app.server.storage.database.SQLITE_TIMEOUT", "PRAGMA busy_timeout=0")
    store = SqlStore(f"sqlite+aiosqlite:///{tmp_path / 'x.db'}", metrics)
    await store.open()
    other = sqlite3.connect(tmp_path / "x.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    results = await asyncio.gather(*(store.add(each) for each in rooms(3)), return_exceptions=True)
    other.execute("ROLLBACK")
    other.close()
    assert {type(result) for result in results} == {StoreError}
    assert await store.count() == 0
    await store.close()


async def test_a_cancelled_write_that_has_not_begun_is_left_out(store: SqlStore) -> None:
    tasks = [asyncio.create_task(store.add(each)) for each in rooms(3)]
    await asyncio.sleep(0)  # all three wait for the next transaction
    tasks[1].cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(result) for result in results] == [type(None), asyncio.CancelledError, type(None)]
    assert [await store.find(each.id) is not None for each in rooms(3)] == [True, False, True]


async def test_a_write_that_is_cancelled_during_its_transaction_is_committed(
    store: SqlStore, tmp_path: Path
) -> None:
    other = sqlite3.connect(tmp_path / "x.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    begun = asyncio.Event()
    event.listen(store.engine.sync_engine, "begin", lambda _: begun.set())
    tasks = [asyncio.create_task(store.add(each)) for each in rooms(2)]
    await begun.wait()
    tasks[0].cancel()
    other.execute("ROLLBACK")
    other.close()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(result) for result in results] == [asyncio.CancelledError, type(None)]
    assert await store.count() == 2


async def test_the_number_of_waiting_writes_is_bounded(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "MAX_WAITING", 2)
    results = await asyncio.gather(*(store.add(each) for each in rooms(3)), return_exceptions=True)
    assert [type(result) for result in results] == [type(None), type(None), StoreError]
    assert await store.count() == 2


async def test_a_large_batch_is_split(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group_commit, "MAX_BATCH", 4)
    commits: list[object] = []
    event.listen(store.engine.sync_engine, "commit", commits.append)
    await asyncio.gather(*(store.add(each) for each in rooms(10)))
    assert (len(commits), await store.count()) == (3, 10)


async def test_nobody_waits_for_a_writer_that_was_cancelled(store: SqlStore) -> None:
    tasks = [asyncio.create_task(store.add(each)) for each in rooms(2)]
    await asyncio.sleep(0)
    writer_of(store).cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert {type(result) for result in results} == {StoreError}
    await store.add(room("next"))
    assert await store.count() == 1


async def test_closing_waits_for_the_last_writes(tmp_path: Path, metrics: Metrics) -> None:
    store = SqlStore(f"sqlite+aiosqlite:///{tmp_path / 'x.db'}", metrics)
    await store.open()
    tasks = [asyncio.create_task(store.add(each)) for each in rooms(3)]
    await asyncio.sleep(0)
    await store.close()
    await asyncio.gather(*tasks)
    with sqlite3.connect(tmp_path / "x.db") as other:
        assert other.execute("select count(*) from rooms").fetchone() == (3,)
    other.close()


KILLED = """
import asyncio, os, signal, sys
from support.registries import tallow_metrics
from tallow.app.server.storage.records import RoomRecord
from tallow.app.server.storage.room_store import SqlStore

async def add(store, name):
    await store.add(RoomRecord(name, "0" * 64, 0, 1e12, "c" * 32))
    os.write(1, name.encode() + b"\\n")
    if name == "room-150":
        os.kill(os.getpid(), signal.SIGKILL)

async def main():
    store = SqlStore(f"sqlite+aiosqlite:///{sys.argv[1]}", tallow_metrics())
    await store.open()
    for start in range(0, 1000, 20):
        await asyncio.gather(*(add(store, f"room-{n}") for n in range(start, start + 20)))

asyncio.run(main())
"""


@pytest.mark.slow
async def test_every_acknowledged_write_survives_a_killed_process(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(path)],
        env={"PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert killed.returncode == -9, killed.stderr
    acknowledged = set(re.findall(r"^room-\d+$", killed.stdout, re.MULTILINE))  # between log records
    assert len(acknowledged) > 100
    with sqlite3.connect(path) as other:
        stored = {name for (name,) in other.execute("select id from rooms")}
    other.close()
    assert acknowledged <= stored
