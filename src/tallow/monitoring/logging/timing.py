"""``logger.time("name")``: measure and log a duration, as a context manager or decorator, sync or async."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any, Self

from tallow.monitoring.block import Block

ReportFunction = Callable[[str, str, dict[str, Any]], None]
"""Logs a level, a message and context."""


class Timer(Block):
    """Measures one block, or every call of the function it decorates, and logs it at the end.

    The record's message is the timer's name. It has ``duration_ms`` and ``outcome``: success, failed (at
    level warning, with the exception's class as ``error_class``) or cancelled. Exceptions propagate.

    Args:
        write: logs the record.
        name: the message.
        context: context of the record.
        level: of the record, unless the block fails.

    Attributes:
        duration_ms: the duration of the block in milliseconds, once it has ended.
    """

    __slots__ = ("_context", "_level", "_name", "_started", "_write", "duration_ms")

    def __init__(
        self, write: ReportFunction, name: str, context: dict[str, Any], level: str = "info"
    ) -> None:
        self._write = write
        self._name = name
        self._context = context
        self._level = level
        self._started = 0.0
        self.duration_ms = 0.0

    def copy(self) -> Self:
        return type(self)(self._write, self._name, self._context, self._level)

    def begin(self) -> None:
        self._started = time.perf_counter()

    def end(self, error: BaseException | None) -> None:
        self.duration_ms = round((time.perf_counter() - self._started) * 1000, 3)
        fields = {**self._context, "duration_ms": self.duration_ms, "outcome": "success"}
        level = self._level
        if isinstance(error, asyncio.CancelledError | GeneratorExit):
            fields["outcome"] = "cancelled"
        elif error is not None:
            level = "warning"
            fields.update(outcome="failed", error_class=type(error).__name__)
        self._write(level, self._name, fields)
