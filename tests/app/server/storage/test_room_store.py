"""Room records in SQLite, and a server whose database fails."""

from __future__ import annotations

import asyncio
import hashlib
import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from support.registries import tallow_metrics
from support.transfers.server import join_message, serving
from tallow.app.server.storage.database import StoreError
from tallow.app.server.storage.records import RoomRecord
from tallow.app.server.storage.room_store import SqlStore
from tallow.monitoring.metrics import Metrics

NOW = 1_000.0


@pytest.fixture
def metrics() -> Metrics:
    return tallow_metrics()


@pytest.fixture
async def store(tmp_path: Path, metrics: Metrics) -> AsyncIterator[SqlStore]:
    store = SqlStore(f"sqlite+aiosqlite:///{tmp_path / 'x.db'}", metrics, clock=lambda: NOW)
    await store.open()
    yield store
    await store.close()


def room(name: str, expires: float = NOW + 1) -> RoomRecord:
    return RoomRecord(name, hashlib.sha256(b"token").hexdigest(), NOW, expires, "c" * 32)


async def test_find_returns_the_stored_room(store: SqlStore) -> None:
    await store.add(room("a"))
    found = await store.find("a")
    assert found == room("a")
    assert found
    assert found.matches_token(b"token")
    assert not found.matches_token(b"")
    assert await store.find("b") is None


async def test_the_state_of_a_room_is_stored(store: SqlStore) -> None:
    await store.add(room("a"))
    await store.set_state("a", "success")
    found = await store.find("a")
    assert found
    assert found.state == "success"


async def test_expired_rooms_are_not_found_and_are_deleted(store: SqlStore) -> None:
    await store.add(room("old", NOW))
    await store.add(room("new"))
    assert await store.find("old") is None
    assert await store.sweep() == 1
    assert await store.count() == 1


def refuse_third_room(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute(
            "CREATE TRIGGER third BEFORE INSERT ON rooms WHEN (SELECT count(*) FROM rooms) >= 2 "
            "BEGIN SELECT RAISE(ABORT, 'no third room'); END"
        )


async def test_all_rooms_of_a_link_are_added_or_none(store: SqlStore, tmp_path: Path) -> None:
    refuse_third_room(tmp_path / "x.db")
    with pytest.raises(StoreError):
        await store.add(room("a"), room("b"), room("c"))
    assert await store.count() == 0
    failed, added = await asyncio.gather(
        store.add(room("a"), room("b"), room("c")), store.add(room("d")), return_exceptions=True
    )
    assert isinstance(failed, StoreError)
    assert added is None  # a link that shares the transaction is not concerned
    assert await store.count() == 1


async def test_a_server_whose_database_fails_half_way_keeps_no_room_of_the_link(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        refuse_third_room(tmp_path / "tallow.db")
        body = {"token_hash": "0" * 64, "receivers": 3}
        answer = await server.http.post("/api/rooms", json=body)
        assert (answer.status_code, answer.json()["error"]) == (503, "unavailable")
        assert await server.context.store.count() == 0
        assert len(server.context.rooms.places) == 0
        assert (await server.http.post("/api/rooms", json=body | {"receivers": 2})).status_code == 201
        assert await server.context.store.count() == 2


async def test_every_statement_is_measured(store: SqlStore, metrics: Metrics) -> None:
    await store.add(room("a"))
    with pytest.raises(StoreError):
        await store.add(room("a"))
    value = metrics.registry.value
    assert value("db_operation_duration_seconds_count", operation="insert", status="success") == 1
    assert value("db_operation_duration_seconds_count", operation="insert", status="failed") == 1


async def test_an_error_contains_no_statement_and_no_value(store: SqlStore) -> None:
    await store.add(room("a"))
    with pytest.raises(StoreError, match=r"^IntegrityError$"):
        await store.add(room("a"))


async def test_a_missing_folder_raises_a_store_error(tmp_path: Path, metrics: Metrics) -> None:
    store = SqlStore(f"sqlite+aiosqlite:///{tmp_path / 'nowhere' / 'x.db'}", metrics)
    with pytest.raises(StoreError):
        await store.open()
    await store.close()


async def test_a_locked_database_is_a_critical_error_and_running_transfers_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tallow.app.server.storage.database.SQLITE_TIMEOUT", "PRAGMA busy_timeout=0")
    async with serving(tmp_path) as server:
        sender, receiver = await server.pair()
        locked = sqlite3.connect(tmp_path / "tallow.db", isolation_level=None)
        locked.execute("BEGIN EXCLUSIVE")
        answer = await server.http.post("/api/rooms", json={"token_hash": "0" * 64})
        assert (answer.status_code, answer.json()["error"]) == (503, "unavailable")
        assert server.value("errors_total", type="storage", severity="critical") == 1

        # One may be there: without a timeout, the deletion of expired rooms meets the first write.
        before = server.value("errors_total", type="storage", severity="high")
        await sender.send(type="started", method="relay")
        await sender.send(type="offer", data={})
        assert await receiver.receive() == {"type": "offer", "data": {}}
        await server.wait_for_value("errors_total", before + 1, type="storage", severity="high")

        locked.execute("ROLLBACK")
        locked.execute("DROP TABLE rooms")
        locked.close()
        server.context.rooms.live.clear()
        newcomer = await server.connect("/api/signal")
        await newcomer.send(json.dumps(join_message("a" * 16, b"t" * 32, "sender")))
        assert json.loads(await newcomer.recv())["code"] == "internal"
        assert server.value("errors_total", type="storage", severity="critical") == 2
        for connection in (newcomer, sender.socket, receiver.socket):
            await connection.close()
