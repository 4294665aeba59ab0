"""When an outcome of an address prefix was last counted, in the server's database.

All workers and instances share the database, and it outlives a restart. An address is stored as a cell: 16
bits of a keyed hash. A cell stands for 65,536 IPv4 addresses on average, so that no address can be derived
from it. Who has the database, and with it the key, can test a suspected address for six hours. The table has
at most 65,536 rows for each kind and status.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from sqlalchemy import Column, Float, Integer, LargeBinary, MetaData, String, Table, delete, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from tallow.app.server.rooms.store import StoreError, timed_operation

KEY_BYTES: Final = 32
_KEY_NAME: Final = "client_outcomes"

_metadata = MetaData()
_outcomes = Table(
    "client_outcomes",
    _metadata,
    Column("kind", String(16), primary_key=True),
    Column("status", String(16), primary_key=True),
    Column("cell", Integer, primary_key=True, autoincrement=False),
    Column("counted", Float, nullable=False),
)
_keys = Table(
    "hash_keys",
    _metadata,
    Column("name", String(32), primary_key=True),
    Column("key", LargeBinary(KEY_BYTES), nullable=False),
)


class OutcomeStore:
    """The table of counted outcomes. Every method raises :class:`StoreError` if the database fails.

    Args:
        engine: of the server's database, SQLite or PostgreSQL.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def open(self) -> bytes:
        """Create the tables if they are missing; returns the key of the hash, which all processes share."""
        try:
            return await self._create()
        except StoreError:  # another process that started at the same time may have created them
            return await self._create()

    async def _create(self) -> bytes:
        async with self._begin() as connection:
            await connection.run_sync(_metadata.create_all)
            new = self._insert(_keys).values(name=_KEY_NAME, key=os.urandom(KEY_BYTES))
            await connection.execute(new.on_conflict_do_nothing())
            key = await connection.execute(select(_keys.c.key).where(_keys.c.name == _KEY_NAME))
            return bytes(key.scalar_one())

    async def claim(self, kind: str, status: str, cell: int, now: float, window: float) -> bool:
        """Note that an outcome is counted now; False if the last one is less than ``window`` seconds old.

        A time that lies further in the future than ``window`` comes from a clock that was wrong; it is
        replaced.

        Args:
            now: seconds since the Unix epoch.
        """
        new = self._insert(_outcomes).values(kind=kind, status=status, cell=cell, counted=now)
        counted = _outcomes.c.counted
        claim = new.on_conflict_do_update(
            index_elements=[_outcomes.c.kind, _outcomes.c.status, _outcomes.c.cell],
            set_={"counted": now},
            where=or_(counted <= now - window, counted > now + window),
        ).returning(_outcomes.c.cell)
        async with timed_operation("claim outcome"), self._begin() as connection:
            return (await connection.execute(claim)).first() is not None

    async def sweep(self, before: float) -> None:
        """Delete what was counted before a time, in seconds since the Unix epoch."""
        async with timed_operation("delete old outcomes"), self._begin() as connection:
            await connection.execute(delete(_outcomes).where(_outcomes.c.counted < before))

    def _insert(self, table: Table) -> Any:
        dialect = postgresql if self._engine.dialect.name == "postgresql" else sqlite
        return dialect.insert(table)

    @asynccontextmanager
    async def _begin(self) -> AsyncIterator[AsyncConnection]:
        try:
            async with self._engine.begin() as connection:
                yield connection
        except (SQLAlchemyError, OSError) as error:
            raise StoreError(type(error).__name__) from error
