"""Connections to the database, whose errors are :class:`StoreError`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final

from sqlalchemy import event
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from tallow.app.server.storage import schema
from tallow.monitoring.integrations.sqlalchemy import TIMED_BY_CALLER, instrument_engine
from tallow.monitoring.logging import logger
from tallow.monitoring.logging.repeats import REPEATS
from tallow.monitoring.metrics import Metrics

BUSY_TIMEOUT_S: Final = 5
SLOW_MS: Final = 250
"""From this duration on an operation is logged as slow. SlowDatabaseOperations fires above 1 s."""
SQLITE_TIMEOUT: Final = f"PRAGMA busy_timeout={BUSY_TIMEOUT_S * 1000}"


class StoreError(Exception):
    """The database is not available, or a statement failed."""


def create_engine(url: str, metrics: Metrics) -> AsyncEngine:
    """An engine whose statements are measured.

    Args:
        url: an SQLAlchemy URL with an async driver.
    """
    engine = create_async_engine(url, pool_pre_ping=not url.startswith("sqlite"))
    if engine.dialect.name == "sqlite":
        event.listen(engine.sync_engine, "connect", _configure_sqlite)
    instrument_engine(engine, metrics)
    return engine


async def prepare_schema(engine: AsyncEngine) -> None:
    """Create the schema if it is missing, or upgrade it. The statements are not measured.

    Raises:
        StoreError: the database is not available, or has a schema that cannot be used.
    """
    unmeasured = engine.execution_options(**{TIMED_BY_CALLER: True})
    try:
        await _prepare(unmeasured)
    except StoreError:  # another process that started at the same time may have changed it
        await _prepare(unmeasured)


async def _prepare(engine: AsyncEngine) -> None:
    async with begin(engine) as connection:
        await connection.run_sync(schema.prepare)


@asynccontextmanager
async def begin(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A transaction, committed at the end of the block.

    Raises:
        StoreError: the database is not available, or a statement failed.
    """
    with _store_errors():
        async with engine.begin() as connection:
            yield connection


@asynccontextmanager
async def connect(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A connection for reading.

    Raises:
        StoreError: the database is not available, or a statement failed.
    """
    with _store_errors():
        async with engine.connect() as connection:
            yield connection


@contextmanager
def _store_errors() -> Iterator[None]:
    """Raise the errors of the database as :class:`StoreError`. Their messages may contain addresses."""
    try:
        yield
    except schema.SchemaError as error:
        raise StoreError(str(error)) from error
    except (SQLAlchemyError, OSError) as error:
        raise StoreError(type(error).__name__) from error


def _configure_sqlite(connection: Any, _record: Any) -> None:
    """Allow readers beside a writer, wait for locks, and sync to disk only at checkpoints."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute(SQLITE_TIMEOUT)
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
