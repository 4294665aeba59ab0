"""Room records in a database: SQLite by default, or PostgreSQL."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from typing import Any, Final, Protocol

from sqlalchemy import (
    Column,
    Float,
    Index,
    Insert,
    MetaData,
    String,
    Table,
    Update,
    bindparam,
    case,
    delete,
    event,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from tallow.app.server.rooms.group_commit import GroupCommit, NotWrittenError
from tallow.monitoring import correlation
from tallow.monitoring.integrations.sqlalchemy import instrument_engine
from tallow.monitoring.logging import logger
from tallow.monitoring.logging.repeats import REPEATS
from tallow.monitoring.metrics import Metrics

OPEN: Final = "open"
STARTED: Final = "started"
STOPPED: Final = "stopped"
"""Cancelled by a peer that may come back."""
NEVER: Final = 1e18
"""A time after that of every room, in seconds since the Unix epoch."""
BUSY_TIMEOUT_S: Final = 5
SLOW_MS: Final = 250
"""From this duration on an operation is logged as slow. SlowDatabaseOperations fires above 1 s."""
_SQLITE_TIMEOUT: Final = f"PRAGMA busy_timeout={BUSY_TIMEOUT_S * 1000}"
_SQLITE_PROBE_TIMEOUT: Final = "PRAGMA busy_timeout=500"
"""Shorter than the second in which a probe expects its answer."""
_PROBE_BYTES: Final = 16 * 1024

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
_ADD: Final = insert(_rooms)
_SET_STATE: Final = (
    update(_rooms)
    .where(_rooms.c.id == bindparam("room_id"))
    .values(
        state=bindparam("new_state"),
        expires=case(
            (_rooms.c.expires < bindparam("latest", type_=Float), _rooms.c.expires),
            else_=bindparam("latest", type_=Float),
        ),
    )
)


@dataclass(frozen=True, slots=True)
class RoomRecord:
    """What the database holds of a room: nothing that identifies a person or a file.

    Attributes:
        token_hash: SHA-256 of the join token, hexadecimal.
        created: seconds since the Unix epoch.
        expires: seconds since the Unix epoch.
        state: open, started, the recorded outcome (success, failed, cancelled), or stopped.
    """

    id: str
    token_hash: str
    created: float
    expires: float
    correlation_id: str
    state: str = OPEN

    def matches_token(self, token: bytes) -> bool:
        """Whether a join token opens this room. The comparison takes constant time."""
        return hmac.compare_digest(hashlib.sha256(token).hexdigest(), self.token_hash)


def new_records(
    room_ids: Sequence[str], token_hash: str, created: float, expires: float, correlation_id: str
) -> list[RoomRecord]:
    """Records of the rooms of a new link. Only the first has the given correlation id."""
    own_ids = [correlation_id, *(correlation.new_id() for _ in room_ids[1:])]
    return [
        RoomRecord(room_id, token_hash, created, expires, own_id)
        for room_id, own_id in zip(room_ids, own_ids, strict=True)
    ]


class StoreError(Exception):
    """The database is not available, or a statement failed."""


class Store(Protocol):
    """A store of room records. Every method raises :class:`StoreError` if it fails."""

    async def open(self) -> None:
        """Connect and create the schema."""

    async def add(self, room: RoomRecord) -> None:
        """Add a new room."""

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
        self.engine = create_async_engine(url, pool_pre_ping=not url.startswith("sqlite"))
        if self.engine.dialect.name == "sqlite":
            event.listen(self.engine.sync_engine, "connect", _configure_sqlite)
        instrument_engine(self.engine, metrics)
        self._writes = GroupCommit(self.engine, metrics)

    async def open(self) -> None:
        try:
            await self._create()
        except StoreError:  # another process that started at the same time may have created it
            await self._create()

    async def _create(self) -> None:
        async with self._begin() as connection:
            await connection.run_sync(_metadata.create_all)

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
        async with self._begin() as connection:
            await connection.execute(
                text(_SQLITE_PROBE_TIMEOUT if sqlite else "SET LOCAL synchronous_commit = off")
            )
            try:
                await connection.execute(insert(_rooms).values(asdict(room)))
                await connection.execute(delete(_rooms).where(_rooms.c.id == room.id))
            finally:
                if sqlite:
                    await connection.execute(text(_SQLITE_TIMEOUT))

    async def add(self, room: RoomRecord) -> None:
        async with timed_operation("add room"):
            await self._write(_ADD, asdict(room))

    async def find(self, room_id: str) -> RoomRecord | None:
        query = select(_rooms).where(_rooms.c.id == room_id, _rooms.c.expires > self._clock())
        async with timed_operation("find room"), self._connect() as connection:
            row = (await connection.execute(query)).first()
        return None if row is None else RoomRecord(*row)

    async def set_state(self, room_id: str, state: str, latest: float = NEVER) -> None:
        async with timed_operation("set state"):
            await self._write(_SET_STATE, {"room_id": room_id, "new_state": state, "latest": latest})

    async def count(self) -> int:
        async with self._connect() as connection:
            return (await connection.execute(select(func.count()).select_from(_rooms))).scalar_one()

    async def sweep(self) -> int:
        async with timed_operation("delete expired rooms"), self._begin() as connection:
            return (
                await connection.execute(delete(_rooms).where(_rooms.c.expires <= self._clock()))
            ).rowcount

    async def close(self) -> None:
        await self._writes.drain()
        await self.engine.dispose()

    async def _write(self, statement: Insert | Update, values: Mapping[str, Any]) -> None:
        try:
            await self._writes.execute(statement, values)
        except (SQLAlchemyError, OSError, NotWrittenError) as error:
            raise StoreError(type(error).__name__) from error

    @asynccontextmanager
    async def _connect(self) -> AsyncIterator[AsyncConnection]:
        try:
            async with self.engine.connect() as connection:
                yield connection
        except (SQLAlchemyError, OSError) as error:
            raise StoreError(type(error).__name__) from error

    @asynccontextmanager
    async def _begin(self) -> AsyncIterator[AsyncConnection]:
        try:
            async with self.engine.begin() as connection:
                yield connection
        except (SQLAlchemyError, OSError) as error:
            raise StoreError(type(error).__name__) from error


async def inspect_database(url: str) -> str:
    """Create the schema if it is missing, and check that the database is intact.

    Args:
        url: see :class:`SqlStore`.

    Returns:
        Why the database cannot be used; empty if it can.
    """
    engine = create_async_engine(url)
    try:
        # Another replica that starts at the same time may create a table between the check and the creation.
        return await _inspect(engine) and await _inspect(engine)
    finally:
        await engine.dispose()


async def _inspect(engine: AsyncEngine) -> str:
    try:
        async with engine.begin() as connection:
            await connection.run_sync(_metadata.create_all)
            await connection.execute(select(_rooms).limit(1))
            if engine.dialect.name == "sqlite":
                found = str((await connection.execute(text("PRAGMA quick_check(1)"))).scalar())
                return "" if found == "ok" else f"it is damaged: {_first_line(found)}"
    except Exception as error:  # noqa: BLE001 - drivers raise their own exceptions while they connect
        return _first_line(getattr(error, "orig", None) or error)
    return ""


def _first_line(error: object) -> str:
    return next(iter(str(error).splitlines()), "") or type(error).__name__


def _configure_sqlite(connection: Any, _record: Any) -> None:
    """Allow readers beside a writer, wait for locks, and sync to disk only at checkpoints."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute(_SQLITE_TIMEOUT)
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.close()


@asynccontextmanager
async def timed_operation(operation: str) -> AsyncIterator[None]:
    """Log an operation of the database with its duration: at debug, or at warning if it took long."""
    timer = logger.time("Database", level="debug", operation=operation)
    with timer:
        yield
    if timer.duration_ms >= SLOW_MS:
        REPEATS.log(
            logger,
            "warning",
            "Database is slow",
            operation=operation,
            duration_ms=timer.duration_ms,
        )
