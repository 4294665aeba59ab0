"""Logs for tests: a pipeline of one's own, and what came out of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from tallow.monitoring.logging.loggers import Logger
from tallow.monitoring.logging.pipeline import Pipeline
from tallow.monitoring.logging.writer import Writer
from tallow.monitoring.metrics import Metrics
from tallow.monitoring.registry import Registry

STATIC = {"service": "tallow", "environment": "test", "version": "1.2.3"}


class Lines:
    """A sink that keeps what it is given."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []

    def write(self, lines: Sequence[bytes]) -> None:
        self.lines += lines

    def close(self, deadline: float) -> None:
        """Nothing is held."""


class Logs:
    """A pipeline with metrics of its own that writes to memory."""

    def __init__(self, level: str = "debug") -> None:
        self.metrics = Metrics(Registry())
        self.sink = Lines()
        self.pipeline = Pipeline(metrics=self.metrics)
        self.writer = Writer([self.sink], metrics=self.metrics)
        self.pipeline.configure(level=level, static=STATIC, writer=self.writer)
        self.logger = Logger("test", self.pipeline)

    @property
    def lines(self) -> list[bytes]:
        """The lines so far."""
        self.pipeline.writer.flush()
        return self.sink.lines

    @property
    def records(self) -> list[dict[str, Any]]:
        """The records so far."""
        return [orjson.loads(line) for line in self.lines]

    @property
    def last(self) -> dict[str, Any]:
        """The latest record."""
        return self.records[-1]

    def value(self, name: str, **labels: str) -> float:
        """A metric's value."""
        return self.metrics.registry.value(name, **labels)
