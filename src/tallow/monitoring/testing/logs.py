"""Capture log records in memory."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import orjson

from tallow.monitoring.logging.loggers import Logger
from tallow.monitoring.logging.pipeline import PIPELINE, Pipeline
from tallow.monitoring.logging.repeats import REPEATS
from tallow.monitoring.logging.stdlib import BridgeHandler
from tallow.monitoring.logging.writer import Writer
from tallow.monitoring.metrics import Metrics
from tallow.monitoring.testing.samples import fresh_metrics

STATIC: Final = {"service": "tallow", "environment": "test", "version": "1.2.3"}

Record = dict[str, Any]


class MemorySink:
    """A sink that stores its lines. It can be passed to ``configure(sinks=[…])``.

    Attributes:
        lines: JSON lines, each with its newline.

    Example::

        >>> sink = MemorySink()
        >>> sink.write([b"{}\\n"])
        >>> len(sink.lines)
        1
    """

    def __init__(self) -> None:
        self.lines: list[bytes] = []

    def write(self, lines: Sequence[bytes]) -> None:
        """Store lines."""
        self.lines += lines

    def close(self, deadline: float) -> None:
        """Do nothing."""


class CapturedLogs:
    """A logging pipeline that writes to memory. Scrubbing and encoding work as in production.

    Args:
        level: the lowest level that is stored.
        metrics: counts records and drops of this pipeline; by default with a new registry.

    Attributes:
        logger: writes to this pipeline.

    Example::

        >>> captured = CapturedLogs()
        >>> captured.logger.info("Ready", workers=2)
        >>> captured.last["workers"]
        2
        >>> captured.close()
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
        """The lines so far, each with its newline."""
        self.writer.flush()
        return self.sink.lines

    @property
    def text(self) -> str:
        """The lines so far, as one text."""
        return b"".join(self.lines).decode()

    @property
    def records(self) -> list[Record]:
        """The records so far."""
        return [orjson.loads(line) for line in self.lines]

    @property
    def messages(self) -> list[str]:
        """The messages of the records."""
        return [record["message"] for record in self.records]

    @property
    def last(self) -> Record:
        """The latest record.

        Raises:
            AssertionError: nothing was logged.
        """
        records = self.records
        if not records:
            raise AssertionError("nothing was logged")
        return records[-1]

    def from_loggers(self, *loggers: str) -> list[Record]:
        """Return the records of the loggers with these names."""
        return [record for record in self.records if record["logger"] in loggers]

    def close(self) -> None:
        """End the thread of the pipeline."""
        self.writer.close()


@contextmanager
def captured_logs(level: str = "debug", *, standard_library: bool = True) -> Iterator[CapturedLogs]:
    """Capture what the process's loggers write inside the block. Other sinks receive nothing.

    Args:
        level: the lowest level that is stored.
        standard_library: whether to capture records of :mod:`logging`, subject to the levels of its loggers.

    Example::

        >>> from tallow.monitoring.logging import logger
        >>> with captured_logs() as logs:
        ...     logger.info("Ready")
        ...     logs.messages
        ['Ready']
    """
    captured = CapturedLogs(level)
    bridge = BridgeHandler(captured.pipeline if standard_library else None)
    root = logging.getLogger()
    others = [handler for handler in root.handlers if isinstance(handler, BridgeHandler)]
    with PIPELINE.redirected(captured.pipeline):
        for handler in others:  # their records would arrive twice, through the redirected pipeline
            root.removeHandler(handler)
        root.addHandler(bridge)
        REPEATS.clear()  # a record of an earlier block does not suppress one of this block
        try:
            yield captured
        finally:
            REPEATS.clear()
            root.removeHandler(bridge)
            for handler in others:
                root.addHandler(handler)
            captured.close()
