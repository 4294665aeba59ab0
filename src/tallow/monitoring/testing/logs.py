"""Logs in memory: what would have been written, as records."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import orjson

from tallow.monitoring.logging.loggers import Logger
from tallow.monitoring.logging.pipeline import PIPELINE, Pipeline
from tallow.monitoring.logging.stdlib import BridgeHandler
from tallow.monitoring.logging.writer import Writer
from tallow.monitoring.metrics import Metrics
from tallow.monitoring.testing.samples import fresh_metrics

STATIC: Final = {"service": "tallow", "environment": "test", "version": "1.2.3"}

Record = dict[str, Any]


class MemorySink:
    """A sink that keeps the lines it is given; also for ``configure(sinks=[…])``."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []

    def write(self, lines: Sequence[bytes]) -> None:
        """Keep lines."""
        self.lines += lines

    def close(self, deadline: float) -> None:
        """Nothing is held."""


class CapturedLogs:
    """A logging pipeline that writes to memory: the scrubber and all else is as in production.

    Args:
        level: the lowest that is kept.
        metrics: where records and drops of this pipeline count; new ones by default.
    """

    def __init__(self, level: str = "debug", metrics: Metrics | None = None) -> None:
        self.metrics = metrics or fresh_metrics()
        self.sink = MemorySink()
        self.writer = Writer([self.sink], metrics=self.metrics)
        self.pipeline = Pipeline(metrics=self.metrics)
        self.pipeline.configure(level=level, static=STATIC, writer=self.writer)
        self.logger = Logger("test", self.pipeline)

    @property
    def lines(self) -> list[bytes]:
        """The lines so far, as a sink gets them."""
        self.writer.flush()
        return self.sink.lines

    @property
    def text(self) -> str:
        """The lines so far as one text."""
        return b"".join(self.lines).decode()

    @property
    def records(self) -> list[Record]:
        """The records so far."""
        return [orjson.loads(line) for line in self.lines]

    @property
    def messages(self) -> list[str]:
        """The records' messages."""
        return [record["message"] for record in self.records]

    @property
    def last(self) -> Record:
        """The latest record.

        Raises:
            AssertionError: there is none.
        """
        records = self.records
        if not records:
            raise AssertionError("nothing was logged")
        return records[-1]

    def from_loggers(self, *loggers: str) -> list[Record]:
        """The records of loggers of these names."""
        return [record for record in self.records if record["logger"] in loggers]

    def close(self) -> None:
        """End the pipeline's thread."""
        self.writer.close()


@contextmanager
def captured_logs(level: str = "debug", *, standard_library: bool = True) -> Iterator[CapturedLogs]:
    """What the process's loggers write inside the block, kept from every other sink.

    Args:
        level: the lowest that is kept.
        standard_library: whether records of :mod:`logging` are among it, from the level its loggers have.
    """
    captured = CapturedLogs(level)
    bridge = BridgeHandler(captured.pipeline)
    root = logging.getLogger()
    others = [handler for handler in root.handlers if isinstance(handler, BridgeHandler)]
    with PIPELINE.redirected(captured.pipeline):
        for handler in others:  # what they take would come in through the process's own pipeline
            root.removeHandler(handler)
        if standard_library:
            root.addHandler(bridge)
        try:
            yield captured
        finally:
            root.removeHandler(bridge)
            for handler in others:
                root.addHandler(handler)
            captured.close()
