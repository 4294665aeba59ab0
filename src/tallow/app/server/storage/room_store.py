"""Room records in a database: SQLite by default, or PostgreSQL."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, Final, Protocol

from sqlalchemy import Float, Insert, Update, bindparam, case, delete, func, insert, select, text, update
from sqlalchemy.exc import SQLAlchemyError

from tallow.app.server.storage import database
from tallow.app.server.storage.database import StoreError, begin, connect, timed_operation
from tallow.app.server.storage.group_commit import GroupCommit, NotWrittenError
from tallow.app.server.storage.records import RoomRecord
from tallow.app.server.storage.schema import rooms
from tallow.monitoring.metrics import Metrics

NEVER: Final = 1e18
"""A time after that of every room, in seconds since the Unix epoch."""
_SQLITE_PROBE_TIMEOUT: Final = "PRAGMA busy_timeout=500"
"""Shorter than the second in which a probe expects its answer."""
_PROBE_BYTES: Final = 16 * 1024
_ADD: Final = insert(rooms)
_SET_STATE: Final = (
    update(rooms)
    .where(rooms.c.id == bindparam("room_id"))
    .values(
        state=bindparam("new_state"),
        expires=case(
            (rooms.c.expires < bindparam("latest", type_=Float), rooms.c.expires),
            else_=bindparam("latest", type_=Float),
        ),
    )
)


class Store(Protocol):
    """A store of room records. Every method raises :class:`StoreError` if it fails."""

    async def open(self) -> None:
        """Connect and create the schema."""

    async def add(self, *records: RoomRecord) -> None:
        """Add the new rooms of a link: all of them, or none."""

    async def find(self, room_id: str) -> RoomRecord | None:
        """The room; None if there is none or it has expired."""

    async def set_state(self, room_id: str, state: str, latest: float = NEVER) -> None:
        """Set the state of a room.

        Args:
            latest: time at which the room expires, in seconds since the Unix epoch, unless it does so before.
        """

    async def count(self) -> int:
        """The number of rooms."""

    async def sweep(self) -> int:
        """Delete expired rooms; their number."""

    async def close(self) -> None:
        """Close all connections."""


class SqlStore:
    """A store behind SQLAlchemy's asynchronous engine. Writes of concurrent requests share transactions.

    Args:
        url: an SQLAlchemy URL with an async driver.
        clock: seconds since the Unix epoch.
    """

    def __init__(self, url: str, metrics: Metrics, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self.engine = database.create_engine(url, metrics)
        self._writes = GroupCommit(self.engine, metrics)

    async def open(self) -> None:
        await database.prepare_schema(self.engine)

    async def check_writable(self) -> None:
        """Readiness check: add a room and delete it again, in one transaction that leaves nothing behind.

        The transaction is committed, because SQLite notices a full disk only then.

        Raises:
            StoreError: the database cannot be reached, is locked, or cannot be written.
        """
        sqlite = self.engine.dialect.name == "sqlite"
        # In SQLite the row needs new pages; PostgreSQL need not wait for its disk.
        content = "0" * (_PROBE_BYTES if sqlite else 64)
        room = RoomRecord(f"probe-{secrets.token_hex(5)}", content, 0, 0, "0" * 32)
        async with begin(self.engine) as connection:
            await connection.execute(
                text(_SQLITE_PROBE_TIMEOUT if sqlite else "SET LOCAL synchronous_commit = off")
            )
            try:
                await connection.execute(insert(rooms).values(asdict(room)))
                await connection.execute(delete(rooms).where(rooms.c.id == room.id))
            finally:
                if sqlite:
                    await connection.execute(text(database.SQLITE_TIMEOUT))

    async def add(self, *records: RoomRecord) -> None:
        async with timed_operation("add room"):
            await self._write(_ADD, *map(asdict, records))

    async def find(self, room_id: str) -> RoomRecord | None:
        query = select(rooms).where(rooms.c.id == room_id, rooms.c.expires > self._clock())
        async with timed_operation("find room"), connect(self.engine) as connection:
            row = (await connection.execute(query)).first()
        return None if row is None else RoomRecord(*row)

    async def set_state(self, room_id: str, state: str, latest: float = NEVER) -> None:
        async with timed_operation("set state"):
            await self._write(_SET_STATE, {"room_id": room_id, "new_state": state, "latest": latest})

    async def count(self) -> int:
        async with connect(self.engine) as connection:
            return (await connection.execute(select(func.count()).select_from(rooms))).scalar_one()

    async def sweep(self) -> int:
        async with timed_operation("delete expired rooms"), begin(self.engine) as connection:
            return (await connection.execute(delete(rooms).where(rooms.c.expires <= self._clock()))).rowcount

    async def close(self) -> None:
        await self._writes.drain()
        await self.engine.dispose()

    async def _write(self, statement: Insert | Update, *rows: Mapping[str, Any]) -> None:
        try:
            await self._writes.execute(statement, *rows)
        except (SQLAlchemyError, OSError, NotWrittenError) as error:
            raise StoreError(type(error).__name__) from error
