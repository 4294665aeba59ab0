"""Where rooms outlive the process: SQLite by default, any database SQLAlchemy can await."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from typing import Any, Final, Protocol

from sqlalchemy import (
    Column,
    Float,
    Index,
    MetaData,
    String,
    Table,
    delete,
    event,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from tallow.monitoring.integrations.sqlalchemy import instrument_engine
from tallow.monitoring.metrics import Metrics

OPEN: Final = "open"
STARTED: Final = "started"
BUSY_TIMEOUT_S: Final = 5

_metadata = MetaData()
_rooms = Table(
    "rooms",
    _metadata,
    Column("id", String(16), primary_key=True),
    Column("token_hash", String(64), nullable=False),
    Column("created", Float, nullable=False),
    Column("expires", Float, nullable=False),
    Column("correlation_id", String(32), nullable=False),
    Column("state", String(16), nullable=False),
    Index("rooms_expires", "expires"),
)


@dataclass(frozen=True, slots=True)
class RoomRecord:
    """What is kept of a room: nothing that names a person or a file.

    ``token_hash`` is the SHA-256 of the join token in hexadecimal; times are seconds since the Unix epoch;
    ``state`` is open, started, or the outcome that was booked (success, failed, cancelled).
    """

    id: str
    token_hash: str
    created: float
    expires: float
    correlation_id: str
    state: str = OPEN

    def matches_token(self, token: bytes) -> bool:
        """Whether a join token is this room's, compared in constant time."""
        return hmac.compare_digest(hashlib.sha256(token).hexdigest(), self.token_hash)


class StoreError(Exception):
    """The database cannot be reached, or does not do what it is asked."""


class Store(Protocol):
    """What the server asks of a database.

    Every method raises :class:`StoreError` when it cannot be done.
    """

    async def open(self) -> None:
        """Connect and create the schema."""

    async def add(self, room: RoomRecord) -> None:
        """Keep a new room."""

    async def find(self, room_id: str) -> RoomRecord | None:
        """The room that has not expired, or None."""

    async def set_state(self, room_id: str, state: str) -> None:
        """Remember how far a room's transfer came."""

    async def count(self) -> int:
        """Rooms kept."""

    async def sweep(self) -> int:
        """Delete expired rooms; how many they were."""

    async def close(self) -> None:
        """Let go of all connections."""


class SqlStore:
    """Rooms in a database behind SQLAlchemy's async engine.

    Args:
        url: an SQLAlchemy URL with an async driver.
        clock: seconds since the Unix epoch.
    """

    def __init__(self, url: str, metrics: Metrics, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self.engine = create_async_engine(url, pool_pre_ping=not url.startswith("sqlite"))
        if self.engine.dialect.name == "sqlite":
            event.listen(self.engine.sync_engine, "connect", _tune_sqlite)
        instrument_engine(self.engine, metrics)

    async def open(self) -> None:
        try:
            await self._create()
        except StoreError:  # several processes start at once, and another has created it meanwhile
            await self._create()

    async def _create(self) -> None:
        async with self._writing() as connection:
            await connection.run_sync(_metadata.create_all)

    async def ping(self) -> None:
        """Ask the database for an answer, for the readiness probe."""
        async with self._reading() as connection:
            await connection.execute(text("SELECT 1"))

    async def add(self, room: RoomRecord) -> None:
        async with self._writing() as connection:
            await connection.execute(insert(_rooms).values(asdict(room)))

    async def find(self, room_id: str) -> RoomRecord | None:
        query = select(_rooms).where(_rooms.c.id == room_id, _rooms.c.expires > self._clock())
        async with self._reading() as connection:
            row = (await connection.execute(query)).first()
        return None if row is None else RoomRecord(*row)

    async def set_state(self, room_id: str, state: str) -> None:
        async with self._writing() as connection:
            await connection.execute(update(_rooms).where(_rooms.c.id == room_id).values(state=state))

    async def count(self) -> int:
        async with self._reading() as connection:
            return (await connection.execute(select(func.count()).select_from(_rooms))).scalar_one()

    async def sweep(self) -> int:
        async with self._writing() as connection:
            return (
                await connection.execute(delete(_rooms).where(_rooms.c.expires <= self._clock()))
            ).rowcount

    async def close(self) -> None:
        await self.engine.dispose()

    @asynccontextmanager
    async def _reading(self) -> AsyncIterator[AsyncConnection]:
        try:
            async with self.engine.connect() as connection:
                yield connection
        except (SQLAlchemyError, OSError) as error:
            raise StoreError(type(error).__name__) from error

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[AsyncConnection]:
        try:
            async with self.engine.begin() as connection:
                yield connection
        except (SQLAlchemyError, OSError) as error:
            raise StoreError(type(error).__name__) from error


async def inspect_database(url: str) -> str:
    """Create what is missing in a database and look whether it is whole: why it cannot be used, else empty.

    Args:
        url: as for :class:`SqlStore`.
    """
    engine = create_async_engine(url)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(_metadata.create_all)
            await connection.execute(select(_rooms).limit(1))
            if engine.dialect.name == "sqlite":
                found = str((await connection.execute(text("PRAGMA quick_check(1)"))).scalar())
                return "" if found == "ok" else f"it is damaged: {_first_line(found)}"
    except Exception as error:  # noqa: BLE001 - drivers raise their own errors while they connect
        return _first_line(getattr(error, "orig", None) or error)
    finally:
        await engine.dispose()
    return ""


def _first_line(error: object) -> str:
    return next(iter(str(error).splitlines()), "") or type(error).__name__


def _tune_sqlite(connection: Any, _record: Any) -> None:
    """Readers beside one writer, a wait instead of "database is locked", and a sync at checkpoints only."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_S * 1000}")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.close()
