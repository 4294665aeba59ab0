"""A block of code that is measured: a context manager and decorator, sync and async."""

from __future__ import annotations

import functools
import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable
from types import TracebackType
from typing import Any, ParamSpec, Self, TypeVar, cast

P = ParamSpec("P")
R = TypeVar("R")


class Block(ABC):
    """Something that happens at the beginning and the end of a block. Exceptions propagate.

    Timers of logs and metrics, and the spans of Sentry and OpenTelemetry, differ only in what they do then.
    """

    __slots__ = ()

    @abstractmethod
    def copy(self) -> Self:
        """Return another one for one call of a decorated function: calls may overlap."""

    @abstractmethod
    def begin(self) -> None:
        """Handle the beginning of the block."""

    @abstractmethod
    def end(self, error: BaseException | None) -> None:
        """Handle the end of the block and the exception that ended it."""

    def __enter__(self) -> Self:
        self.begin()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end(error)

    async def __aenter__(self) -> Self:
        self.begin()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end(error)

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        """Decorate a function or coroutine function: each call is measured."""
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def measured_coroutine(*args: P.args, **kwargs: P.kwargs) -> Any:
                with self.copy():
                    return await function(*args, **kwargs)

            return cast("Callable[P, R]", measured_coroutine)

        @functools.wraps(function)
        def measured(*args: P.args, **kwargs: P.kwargs) -> R:
            with self.copy():
                return function(*args, **kwargs)

        return measured
