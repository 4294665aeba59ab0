"""One way for every record: threshold, contract fields, scrubber, one line of JSON, writer.

Nothing reaches a sink around it: loggers, standard-library records and the terminal's form all begin with a
line made here. A failure of the library's own is counted and kept from the host; under pytest it is raised.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from tallow.monitoring import correlation
from tallow.monitoring.logging.exceptions import describe, resolve_exc_info
from tallow.monitoring.logging.record import LEVELS, STANDARD_FIELDS, TimestampFormatter, encode
from tallow.monitoring.logging.scrubbing import DROPPED, ContextScrubber
from tallow.monitoring.logging.writer import Writer
from tallow.monitoring.metrics import METRICS, Metrics

MAX_MESSAGE: Final = 8_192
UNCONFIGURED: Final = 0
"""The threshold before :func:`configure`: the first call reads the settings."""

_RESERVED_FIELDS: Final = frozenset(STANDARD_FIELDS)
_REDIRECTED: Final = ("threshold", "writer", "_static", "_metrics", "_scrubber")


class Pipeline:
    """Where loggers send their records.

    Attributes:
        threshold: the lowest level that is written, on the standard library's scale.
    """

    def __init__(self, first_use: Callable[[], object] | None = None, metrics: Metrics = METRICS) -> None:
        self.threshold = UNCONFIGURED
        self.writer = Writer((), metrics=metrics)
        self._first_use = first_use
        self._configuring = threading.RLock()
        self._metrics = metrics
        self._scrubber = ContextScrubber(metrics)
        self._clock = TimestampFormatter()
        self._static: dict[str, str] = {}

    def configure(self, *, level: str, static: Mapping[str, str], writer: Writer) -> None:
        """Write records from ``level`` up to ``writer``, with ``static`` in each. The writer before this one
        is closed."""
        before, self.writer = self.writer, writer
        self._static = dict(static)
        self.threshold = LEVELS[level]
        before.close()

    @contextmanager
    def redirected(self, other: Pipeline) -> Iterator[None]:
        """Inside the block, do as ``other`` does: for tests of code that holds the process's loggers."""
        kept = {name: getattr(self, name) for name in _REDIRECTED}
        vars(self).update({name: getattr(other, name) for name in _REDIRECTED})
        try:
            yield
        finally:
            vars(self).update(kept)

    def on_first_use(self, configure: Callable[[], object]) -> None:
        """What to call when a record comes before anything was configured."""
        self._first_use = configure

    def scrub_context(self, context: dict[str, Any]) -> dict[str, Any]:
        """Context as it may be kept and written."""
        try:
            return self._scrubber.clean(context)
        except Exception:  # noqa: BLE001 - counted, and raised under pytest
            self._handle_own_failure()
            return {}

    def emit(
        self, level: str, name: str, message: str, bound: Mapping[str, Any], context: dict[str, Any]
    ) -> None:
        """Write a record. ``bound`` is scrubbed already."""
        try:
            if self.threshold == UNCONFIGURED and not self._configure_and_check(level):
                return
            fields = self._scrubber
            record: dict[str, Any] = {
                "timestamp": self._clock.format(time.time_ns()),
                "level": level,
                "logger": fields.clean_messages.get(name) or fields.text(name),
                "message": (type(message) is str and fields.clean_messages.get(message))
                or fields.text(message),
                **self._static,
            }
            request = correlation.current()
            if request is not None:
                record["correlation_id"] = request
            error = resolve_exc_info(context.pop("exc_info")) if "exc_info" in context else None
            if bound:
                _add_context(record, bound)
            if context:
                _add_context(record, fields.clean(context))
            if error is not None:
                record["error"] = fields.clean({"error": describe(error)}).get("error", DROPPED)
            line = encode(record)
            self._metrics.record_log(level)
            self.writer.put(line)
        except Exception:  # noqa: BLE001 - as in scrubbed
            self._handle_own_failure()

    def _configure_and_check(self, level: str) -> bool:
        """Configure at the first record; whether it is to be written."""
        with self._configuring:
            first, self._first_use = self._first_use, None
            if first is not None:
                first()
        return self.threshold <= LEVELS[level]

    def _handle_own_failure(self) -> None:
        """An exception of our own is at hand: count it; in a test it must be seen."""
        if "PYTEST_CURRENT_TEST" in os.environ:
            raise  # noqa: PLE0704 - called from an except block only
        self._metrics.record_dropped("logs", "failed")


def _add_context(record: dict[str, Any], fields: Mapping[str, Any]) -> None:
    """Add context that must not pass for one of the contract's fields."""
    if _RESERVED_FIELDS.isdisjoint(fields):
        record.update(fields)
        return
    for name, value in fields.items():
        if name == "correlation_id" and isinstance(value, str) and (known := correlation.parse(value)):
            record[name] = known
        else:
            record[f"context_{name}" if name in _RESERVED_FIELDS else name] = value


PIPELINE: Final = Pipeline()
"""The process's own."""
