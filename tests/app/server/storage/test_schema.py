"""The version of the database's schema: new, without a version, and of a newer Tallow."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from sqlalchemy import Connection

from support.first_schema import first_schema
from support.registries import tallow_metrics
from tallow.app.server.storage import schema
from tallow.app.server.storage.database import StoreError
from tallow.app.server.storage.inspection import inspect_database
from tallow.app.server.storage.outcome_store import OutcomeStore
from tallow.app.server.storage.room_store import SqlStore

FIRST_SCHEMA = first_schema()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "tallow.db"


def url_of(file: Path) -> str:
    return f"sqlite+aiosqlite:///{file}"


@pytest.fixture
async def store(file: Path) -> AsyncIterator[SqlStore]:
    store = SqlStore(url_of(file), tallow_metrics(), clock=lambda: 1.0)
    yield store
    await store.close()


def execute(file: Path, *statements: str) -> list[tuple[object, ...]]:
    """Execute statements in a database that no server has open; the rows of the last one."""
    connection = sqlite3.connect(file)
    try:
        for statement in statements:
            rows = connection.execute(statement).fetchall()
        connection.commit()
        return rows
    finally:
        connection.close()


def versions(file: Path) -> list[tuple[object, ...]]:
    return execute(file, "SELECT version FROM tallow_schema_version ORDER BY version")


async def test_a_new_database_has_the_current_version(file: Path) -> None:
    assert await inspect_database(url_of(file)) == ""
    assert versions(file) == [(version,) for version in range(1, schema.CURRENT_VERSION + 1)]
    assert await inspect_database(url_of(file)) == ""
    assert len(versions(file)) == schema.CURRENT_VERSION


@pytest.mark.parametrize("tables", [FIRST_SCHEMA, FIRST_SCHEMA[:2]], ids=["all tables", "rooms alone"])
async def test_a_database_without_a_version_keeps_its_rooms_and_its_key(
    file: Path, store: SqlStore, tables: list[str]
) -> None:
    execute(file, *tables, "INSERT INTO rooms VALUES ('a', 'hash', 0, 2, 'id', 'started')")
    key = b"k" * 32
    if tables is FIRST_SCHEMA:
        execute(file, f"INSERT INTO hash_keys VALUES ('client_outcomes', x'{key.hex()}')")
    assert await inspect_database(url_of(file)) == ""
    await store.open()
    found = await store.find("a")
    assert found is not None
    assert (found.state, found.expires) == ("started", 2)
    assert (await OutcomeStore(store.engine).open() == key) == (tables is FIRST_SCHEMA)
    assert versions(file)[-1] == (schema.CURRENT_VERSION,)


async def test_a_database_of_a_newer_version_is_refused_in_one_line(file: Path, store: SqlStore) -> None:
    await inspect_database(url_of(file))
    execute(
        file, f"INSERT INTO tallow_schema_version VALUES ({schema.CURRENT_VERSION + 1})", "DROP TABLE rooms"
    )
    problem = await inspect_database(url_of(file))
    assert problem.startswith(
        f"it has schema version {schema.CURRENT_VERSION + 1}, which a newer Tallow wrote;"
    )
    assert "\n" not in problem
    for opening in (store.open(), OutcomeStore(store.engine).open()):
        with pytest.raises(StoreError, match="newer Tallow"):
            await opening
    assert execute(file, "SELECT name FROM sqlite_master WHERE name = 'rooms'") == []  # nothing was changed


async def test_a_database_of_another_program_is_refused(file: Path) -> None:
    execute(file, "CREATE TABLE rooms (id TEXT, beds INTEGER)", "INSERT INTO rooms VALUES ('a', 2)")
    problem = await inspect_database(url_of(file))
    assert problem.startswith("its table rooms has no column token_hash")
    assert execute(file, "SELECT * FROM rooms") == [("a", 2)]
    assert execute(file, "SELECT name FROM sqlite_master") == [("rooms",)]


def add_size(connection: Connection) -> None:
    connection.exec_driver_sql("ALTER TABLE rooms ADD COLUMN size INTEGER NOT NULL DEFAULT 7")


def fail_half_way(connection: Connection) -> None:
    add_size(connection)
    connection.exec_driver_sql("INSERT INTO rooms (id) VALUES ('a')")  # others must not be null


@pytest.fixture
def later_version(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Connection], None]], None]:
    """Lets this version of Tallow have one more upgrade."""

    def add(upgrade: Callable[[Connection], None]) -> None:
        monkeypatch.setattr(schema, "UPGRADES", (*schema.UPGRADES, upgrade))
        monkeypatch.setattr(schema, "CURRENT_VERSION", schema.CURRENT_VERSION + 1)

    return add


async def test_each_upgrade_is_made_once_by_whoever_comes_first(
    file: Path, later_version: Callable[[Callable[[Connection], None]], None]
) -> None:
    execute(file, *FIRST_SCHEMA, "INSERT INTO rooms VALUES ('a', 'hash', 0, 2, 'id', 'open')")
    later_version(add_size)
    assert await asyncio.gather(*(inspect_database(url_of(file)) for _ in range(4))) == [""] * 4
    assert execute(file, "SELECT id, size FROM rooms") == [("a", 7)]
    assert versions(file) == [(version,) for version in range(1, schema.CURRENT_VERSION + 1)]


async def test_an_upgrade_that_fails_leaves_the_database_as_it_was(
    file: Path, later_version: Callable[[Callable[[Connection], None]], None]
) -> None:
    await inspect_database(url_of(file))
    before = execute(file, "SELECT sql FROM sqlite_master")
    later_version(fail_half_way)
    assert "NOT NULL" in await inspect_database(url_of(file))
    assert execute(file, "SELECT sql FROM sqlite_master") == before
    assert (schema.CURRENT_VERSION,) not in versions(file)


def test_a_changed_table_needs_an_upgrade() -> None:
    """The tables of version 1. A change here without a function in UPGRADES fails with existing databases."""
    described = {
        table.name: [str(column.type) for column in table.columns] for table in schema.metadata.sorted_tables
    }
    assert described == {
        "client_outcomes": ["VARCHAR(16)", "VARCHAR(16)", "INTEGER", "FLOAT"],
        "hash_keys": ["VARCHAR(32)", "BLOB"],
        "rooms": ["VARCHAR(16)", "VARCHAR(64)", "FLOAT", "FLOAT", "VARCHAR(32)", "VARCHAR(16)"],
        "tallow_schema_version": ["INTEGER"],
    }
    assert schema.CURRENT_VERSION == 1
