"""Measure the statements of a SQLAlchemy engine."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import event

from tallow.monitoring.metrics import METRICS, Metrics

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine
    from sqlalchemy.ext.asyncio import AsyncEngine

OPERATIONS: Final = frozenset({"select", "insert", "update", "delete"})
TIMED_BY_CALLER: Final = "tallow_timed_by_caller"
"""Execution option: the caller records the statement itself, as it stands for several operations."""
_STARTED: Final = "tallow_started"


def instrument_engine(engine: Engine | AsyncEngine, metrics: Metrics = METRICS) -> None:
    """Record ``db_operation_duration_seconds`` for every statement of an engine, sync or async.

    Only the first word of a statement is used. Statements with the execution option :data:`TIMED_BY_CALLER`
    are left out.

    Args:
        engine: the engine.
        metrics: where to record; by default the process's metrics.

    Example:
        >>> import sqlalchemy
        >>> engine = sqlalchemy.create_engine("sqlite://")
        >>> instrument_engine(engine, metrics)
        >>> with engine.connect() as connection:
        ...     rows = connection.execute(sqlalchemy.text("select 1")).all()
        >>> metrics.value("db_operation_duration_seconds_count", operation="select", status="success")
        1.0
        >>> engine.dispose()
    """
    metrics.registry.add_catalogs(("storage",))
    target: Any = getattr(engine, "sync_engine", engine)

    def before(
        _connection: Any, _cursor: Any, _statement: str, _values: Any, context: Any, _many: bool
    ) -> None:
        setattr(context, _STARTED, time.perf_counter())

    def after(
        _connection: Any, _cursor: Any, statement: str, _values: Any, context: Any, _many: bool
    ) -> None:
        if not _is_timed_by_caller(context):
            metrics.record_db_operation(_operation(statement), "success", _elapsed(context))

    def failed(context: Any) -> None:
        if context.statement is not None and not _is_timed_by_caller(context.execution_context):
            metrics.record_db_operation(
                _operation(context.statement), "failed", _elapsed(context.execution_context)
            )

    event.listen(target, "before_cursor_execute", before)
    event.listen(target, "after_cursor_execute", after)
    event.listen(target, "handle_error", failed)


def _operation(statement: str) -> str:
    word = statement.lstrip()[:6].lower()
    return word if word in OPERATIONS else "other"


def _is_timed_by_caller(context: Any) -> bool:
    return context is not None and TIMED_BY_CALLER in context.execution_options


def _elapsed(context: Any) -> float:
    started = getattr(context, _STARTED, None)
    return 0.0 if started is None else time.perf_counter() - started
