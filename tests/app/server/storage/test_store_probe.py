"""A server whose database cannot take a room is not ready."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text

from support.transfers.server import RunningServer, serving
from tallow.app.server.storage.database import BUSY_TIMEOUT_S, StoreError
from tallow.app.server.storage.records import RoomRecord
from tallow.monitoring.health import builtin_checks
from tallow.monitoring.health.responses import READINESS


@pytest.fixture
async def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[RunningServer]:
    monkeypatch.setattr(builtin_checks, "check_memory", lambda: True)
    async with serving(tmp_path) as running:
        yield running


async def pragma(server: RunningServer, statement: str) -> int:
    async with server.context.store.engine.connect() as connection:
        found: int = (await connection.execute(text(f"PRAGMA {statement}"))).scalar_one()
    return found


def for_every_connection(server: RunningServer, statement: str) -> None:
    """Run a statement on each connection that the pool gives out."""

    def run(connection: Any, _record: Any, _proxy: Any) -> None:
        connection.cursor().execute(f"PRAGMA {statement}")

    event.listen(server.context.store.engine.sync_engine, "checkout", run)


async def test_a_database_that_another_connection_locks_is_not_ready(
    server: RunningServer, tmp_path: Path
) -> None:
    with sqlite3.connect(tmp_path / "tallow.db", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        answer = await server.http.get(READINESS)
        other.execute("ROLLBACK")
    other.close()
    assert (answer.status_code, answer.json()["failing"]) == (503, ["database"])


async def test_a_full_database_is_not_ready(server: RunningServer) -> None:
    for_every_connection(server, f"max_page_count={await pragma(server, 'page_count')}")
    with pytest.raises(StoreError):
        for number in range(1000):  # the pages of deleted rooms are used again
            await server.context.store.add(RoomRecord(f"room-{number}", "0" * 4096, 0, 0, "0" * 32))
    assert (await server.http.get(READINESS)).json()["failing"] == ["database"]


async def test_a_database_that_is_read_only_is_not_ready(server: RunningServer) -> None:
    for_every_connection(server, "query_only=1")
    assert (await server.http.get(READINESS)).json()["failing"] == ["database"]


async def test_a_check_leaves_nothing_behind(server: RunningServer) -> None:
    assert (await server.http.get(READINESS)).status_code == 200
    await server.context.store.check_writable()
    assert await server.context.store.count() == 0
    assert await pragma(server, "busy_timeout") == BUSY_TIMEOUT_S * 1000
