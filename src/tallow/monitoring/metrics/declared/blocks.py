"""Measure a block or every call of a function: as a context manager or decorator, sync or async."""

from __future__ import annotations

import functools
import inspect
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from types import TracebackType
from typing import Any, ParamSpec, Self, TypeVar, cast

P = ParamSpec("P")
R = TypeVar("R")

ExceptionTypes = type[BaseException] | tuple[type[BaseException], ...]


class Block(ABC):
    """Something that happens at the beginning and the end of a block. Exceptions propagate."""

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


class Timer(Block):
    """Passes the duration of a block, in seconds, to a function.

    Attributes:
        duration: seconds, once the block has ended.
    """

    def __init__(self, report: Callable[[float], None], relabel: Callable[..., Any]) -> None:
        self._report = report
        self._relabel = relabel
        self._started = 0.0
        self.duration: float | None = None

    def labels(self, *values: str, **labels: str) -> None:
        """Choose the labels within the block, as in prometheus_client."""
        child = self._relabel(*values, **labels)
        self._report = child.observe if hasattr(child, "observe") else child.set

    def copy(self) -> Self:
        return type(self)(self._report, self._relabel)

    def begin(self) -> None:
        self._started = time.perf_counter()

    def end(self, error: BaseException | None) -> None:
        self.duration = max(0.0, time.perf_counter() - self._started)
        self._report(self.duration)


class ExceptionCounter(Block):
    """Calls a function if a block ends with an exception of the given types."""

    def __init__(self, count: Callable[[], None], types: ExceptionTypes) -> None:
        self._count = count
        self._types = types

    def copy(self) -> Self:
        return type(self)(self._count, self._types)

    def begin(self) -> None:
        """Do nothing."""

    def end(self, error: BaseException | None) -> None:
        if isinstance(error, self._types):
            self._count()


class InProgress(Block):
    """Raises a gauge by 1 during a block."""

    def __init__(self, inc: Callable[[], None], dec: Callable[[], None]) -> None:
        self._inc = inc
        self._dec = dec

    def copy(self) -> Self:
        return type(self)(self._inc, self._dec)

    def begin(self) -> None:
        self._inc()

    def end(self, error: BaseException | None) -> None:
        self._dec()
