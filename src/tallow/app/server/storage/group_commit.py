"""Group commit: writes of concurrent requests share a transaction, and each is acknowledged after its commit.

One transaction at a time writes. SQLite allows no more, and with several connections each waits for the lock
of another in sleeps of up to 100 ms. While a transaction is committed the writes that arrive wait; together
they are the next one. A write that no other waits with is a transaction of its own.
"""

from __future__ import annotations

import asyncio
import contextvars
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Delete, Insert, Update
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from tallow.monitoring.integrations.sqlalchemy import TIMED_BY_CALLER
from tallow.monitoring.metrics import Metrics

MAX_BATCH: Final = 500
MAX_WAITING: Final = 10_000
"""Writes that may wait. A database that is slower than the requests must not fill memory."""
Statement = Insert | Update | Delete


class NotWrittenError(Exception):
    """A write was not tried: too many wait already, or the event loop ends."""


@dataclass(slots=True, eq=False)
class _Write:
    statement: Statement
    rows: Sequence[Mapping[str, Any]]
    done: asyncio.Future[None]
    started: float = field(default_factory=time.perf_counter)


class GroupCommit:
    """Executes statements of concurrent tasks in common transactions, in the order of the calls.

    A statement that the database refuses because of its values fails alone: the others of its transaction are
    repeated, one transaction for each. Every other error fails the whole transaction. Each write is recorded
    in ``db_operation_duration_seconds`` once, with the time from the call to its commit.

    Args:
        engine: of the database.
        metrics: where writes are recorded.
    """

    def __init__(self, engine: AsyncEngine, metrics: Metrics) -> None:
        self._engine = engine.execution_options(**{TIMED_BY_CALLER: True})
        self._metrics = metrics
        self._waiting: deque[_Write] = deque()
        self._batch: list[_Write] = []
        self._task: asyncio.Task[None] | None = None

    async def execute(self, statement: Statement, *rows: Mapping[str, Any]) -> None:
        """Execute a statement, once for each row and for all rows or none; return after it is committed.

        If the caller is cancelled, a write whose transaction has not begun is left out. One whose transaction
        has begun is committed.

        Args:
            statement: writes of the same statement object are sent to the database in one call.
            rows: its bound parameters.

        Raises:
            NotWrittenError: see there.
            SQLAlchemyError: the statement or its commit failed.
            OSError: the database cannot be reached.
        """
        if len(self._waiting) >= MAX_WAITING:
            raise NotWrittenError(f"{MAX_WAITING} writes wait already")
        write = _Write(statement, rows, asyncio.get_running_loop().create_future())
        self._waiting.append(write)
        if self._task is None:
            # In a context of its own: it must not inherit the correlation id of whoever writes first.
            self._task = asyncio.create_task(
                self._write_all(), name="group commit", context=contextvars.Context()
            )
            self._task.add_done_callback(self._fail_waiting)
        await write.done

    async def drain(self) -> None:
        """Wait until all writes are committed or have failed."""
        while self._task is not None:
            await asyncio.wait({self._task})

    async def _write_all(self) -> None:
        while True:
            await asyncio.sleep(0)  # requests that were read in the same cycle of the event loop
            self._batch = self._next_batch()
            if not self._batch:
                self._task = None  # without an await since the last look: no write is forgotten
                return
            await self._commit(self._batch)

    def _fail_waiting(self, task: asyncio.Task[None]) -> None:
        """Fail what a task leaves that was cancelled with the event loop: nobody may wait for ever."""
        if self._task is not task:
            return
        self._task = None
        left = [*self._batch, *self._waiting]
        self._waiting.clear()
        for write in left:
            if not write.done.done():
                write.done.set_exception(NotWrittenError("the server stops"))

    def _next_batch(self) -> list[_Write]:
        batch: list[_Write] = []
        while self._waiting and len(batch) < MAX_BATCH:
            write = self._waiting.popleft()
            if not write.done.done():  # its caller still waits
                batch.append(write)
        return batch

    async def _commit(self, batch: Sequence[_Write]) -> None:
        """Execute writes in one transaction, and answer their callers."""
        try:
            async with self._engine.begin() as connection:
                for group in _same_statements(batch):
                    rows = [dict(row) for write in group for row in write.rows]
                    await connection.execute(group[0].statement, rows)
        except (IntegrityError, DataError) as error:
            if len(batch) == 1:
                self._fail(batch, error)
                return
            for write in batch:
                await self._commit([write])
        except Exception as error:  # noqa: BLE001 - drivers raise exceptions of their own; callers get them
            self._fail(batch, error)
        else:
            for write in batch:
                self._record(write, "success")
                if not write.done.done():
                    write.done.set_result(None)

    def _fail(self, batch: Sequence[_Write], error: Exception) -> None:
        for write in batch:
            self._record(write, "failed")
            if not write.done.done():
                write.done.set_exception(error)

    def _record(self, write: _Write, status: str) -> None:
        operation = str(write.statement.__visit_name__)
        self._metrics.record_db_operation(operation, status, time.perf_counter() - write.started)


def _same_statements(batch: Sequence[_Write]) -> list[list[_Write]]:
    """Runs of consecutive writes of one statement."""
    groups: list[list[_Write]] = []
    for write in batch:
        if groups and groups[-1][0].statement is write.statement:
            groups[-1].append(write)
        else:
            groups.append([write])
    return groups
