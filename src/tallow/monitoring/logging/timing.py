"""``logger.time("name")``: measure and log a duration, as a context manager or decorator, sync or async."""

from __future__ import annotations

import asyncio
import functools
import inspect
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, ParamSpec, Self, TypeVar, cast

P = ParamSpec("P")
R = TypeVar("R")

ReportFunction = Callable[[str, str, dict[str, Any]], None]
"""Logs a level, a message and context."""


class Timer:
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

    def __enter__(self) -> Self:
        self._started = time.perf_counter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.duration_ms = round((time.perf_counter() - self._started) * 1000, 3)
        fields = {**self._context, "duration_ms": self.duration_ms, "outcome": "success"}
        level = self._level
        if kind is not None and issubclass(kind, (asyncio.CancelledError, GeneratorExit)):
            fields["outcome"] = "cancelled"
        elif kind is not None:
            level = "warning"
            fields.update(outcome="failed", error_class=kind.__name__)
        self._write(level, self._name, fields)

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, trace)

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        """Decorate a function or coroutine function: each call is measured."""
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def timed_coroutine(*args: P.args, **kwargs: P.kwargs) -> Any:
                with self._new_timer():
                    return await function(*args, **kwargs)

            return cast("Callable[P, R]", timed_coroutine)

        @functools.wraps(function)
        def timed(*args: P.args, **kwargs: P.kwargs) -> R:
            with self._new_timer():
                return function(*args, **kwargs)

        return timed

    def _new_timer(self) -> Timer:
        return Timer(self._write, self._name, self._context, self._level)
