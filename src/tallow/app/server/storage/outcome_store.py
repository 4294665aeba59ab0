"""When an outcome of an address prefix was last counted, in the server's database.

All workers and instances share the database, and it outlives a restart. An address is stored as a cell: 16
bits of a keyed hash. A cell stands for 65,536 IPv4 addresses on average, so that no address can be derived
from it. Who has the database, and with it the key, can test a suspected address for six hours. The table has
at most 65,536 rows for each kind and status.
"""

from __future__ import annotations

import os
from typing import Any, Final

from sqlalchemy import Table, delete, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncEngine

from tallow.app.server.storage.database import begin, prepare_schema, timed_operation
from tallow.app.server.storage.schema import KEY_BYTES, client_outcomes, hash_keys

_KEY_NAME: Final = "client_outcomes"


class OutcomeStore:
    """The table of counted outcomes. Every method raises :class:`StoreError` if the database fails.

    Args:
        engine: of the server's database, SQLite or PostgreSQL.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def open(self) -> bytes:
        """Create the tables if they are missing; returns the key of the hash, which all processes share."""
        await prepare_schema(self._engine)
        async with begin(self._engine) as connection:
            new = self._insert(hash_keys).values(name=_KEY_NAME, key=os.urandom(KEY_BYTES))
            await connection.execute(new.on_conflict_do_nothing())
            key = await connection.execute(select(hash_keys.c.key).where(hash_keys.c.name == _KEY_NAME))
            return bytes(key.scalar_one())

    async def claim(self, kind: str, status: str, cell: int, now: float, window: float) -> bool:
        """Note that an outcome is counted now; False if the last one is less than ``window`` seconds old.

        A time that lies further in the future than ``window`` comes from a clock that was wrong; it is
        replaced.

        Args:
            now: seconds since the Unix epoch.
        """
        new = self._insert(client_outcomes).values(kind=kind, status=status, cell=cell, counted=now)
        counted = client_outcomes.c.counted
        claim = new.on_conflict_do_update(
            index_elements=[client_outcomes.c.kind, client_outcomes.c.status, client_outcomes.c.cell],
            set_={"counted": now},
            where=or_(counted <= now - window, counted > now + window),
        ).returning(client_outcomes.c.cell)
        async with timed_operation("claim outcome"), begin(self._engine) as connection:
            return (await connection.execute(claim)).first() is not None

    async def sweep(self, before: float) -> None:
        """Delete what was counted before a time, in seconds since the Unix epoch."""
        async with timed_operation("delete old outcomes"), begin(self._engine) as connection:
            await connection.execute(delete(client_outcomes).where(client_outcomes.c.counted < before))

    def _insert(self, table: Table) -> Any:
        dialect = postgresql if self._engine.dialect.name == "postgresql" else sqlite
        return dialect.insert(table)
