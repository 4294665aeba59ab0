"""The schema of a real PostgreSQL: upgrades, a newer version, and links that are added whole."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from sqlalchemy import text

from support.first_schema import first_schema
from support.programs.databases import postgres
from support.registries import tallow_metrics
from tallow.app.server.storage.database import StoreError
from tallow.app.server.storage.inspection import inspect_database
from tallow.app.server.storage.outcome_store import OutcomeStore
from tallow.app.server.storage.records import RoomRecord
from tallow.app.server.storage.room_store import SqlStore

pytestmark = pytest.mark.integration
REFUSE_FOURTH_ROOM = (
    """
    CREATE FUNCTION refuse() RETURNS trigger AS $$ BEGIN
        IF (SELECT count(*) FROM rooms) >= 3 THEN
            RAISE EXCEPTION 'no fourth room' USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END $$ LANGUAGE plpgsql
    """,
    "CREATE TRIGGER fourth BEFORE INSERT ON rooms FOR EACH ROW EXECUTE FUNCTION refuse()",
)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with postgres(tmp_path_factory.mktemp("postgres")) as found:
        yield found.replace("postgresql:", "postgresql+asyncpg:")


async def test_a_postgresql_without_a_version_is_upgraded_once_and_a_newer_one_refused(url: str) -> None:
    store = SqlStore(url, tallow_metrics(), clock=lambda: 1.0)
    key = b"k" * 32
    async with store.engine.begin() as connection:
        for statement in first_schema("BYTEA"):
            await connection.execute(text(statement))
        await connection.execute(text("INSERT INTO rooms VALUES ('a', 'hash', 0, 2, 'id', 'started')"))
        await connection.execute(text("INSERT INTO hash_keys VALUES ('client_outcomes', :key)"), {"key": key})
    assert await asyncio.gather(*(inspect_database(url) for _ in range(4))) == [""] * 4
    await store.open()
    found = await store.find("a")
    assert found is not None
    assert found.state == "started"
    assert await OutcomeStore(store.engine).open() == key

    async with store.engine.begin() as connection:
        for statement in REFUSE_FOURTH_ROOM:
            await connection.execute(text(statement))
    records = [RoomRecord(name, "hash", 0, 2, "id") for name in "bcd"]
    with pytest.raises(StoreError):
        await store.add(*records)
    assert await store.count() == 1
    await store.add(*records[:2])
    assert await store.count() == 3

    async with store.engine.begin() as connection:
        await connection.execute(text("INSERT INTO tallow_schema_version VALUES (99)"))
    assert (await inspect_database(url)).startswith("it has schema version 99, which a newer Tallow wrote")
    with pytest.raises(StoreError, match="newer Tallow"):
        await store.open()
    await store.close()
