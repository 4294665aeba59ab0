"""Measure a block or every call of a function with a declared metric."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Self

from tallow.monitoring.block import Block

ExceptionTypes = type[BaseException] | tuple[type[BaseException], ...]


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
