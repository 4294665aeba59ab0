"""The pipeline of every record: level, standard fields, scrubber, one line of JSON, writer.

Nothing reaches a sink around it: loggers, standard-library records and the readable form of a terminal all
start with a line made here. A failure of the library itself is counted and hidden from the host; under pytest
it is raised.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from tallow.monitoring import correlation
from tallow.monitoring.lifecycle import fork
from tallow.monitoring.logging.exceptions import current_stack, describe, resolve_exc_info, stack_of_text
from tallow.monitoring.logging.record import LEVELS, STANDARD_FIELDS, TimestampFormatter, encode
from tallow.monitoring.logging.scrubbing import DROPPED, ContextScrubber
from tallow.monitoring.logging.writer import Writer
from tallow.monitoring.metrics import METRICS, Metrics
from tallow.monitoring.opentelemetry_api import current_span_ids

MAX_MESSAGE: Final = 8_192
UNCONFIGURED: Final = 0
"""The threshold before :meth:`Pipeline.configure`: the first record reads the settings."""

_RESERVED_FIELDS: Final = frozenset(STANDARD_FIELDS)
_REDIRECTED: Final = ("threshold", "writer", "_static", "_metrics", "_scrubber")


class Pipeline:
    """Turns records into lines and queues them.

    Args:
        first_use: called when a record arrives before :meth:`configure`.
        metrics: counts records and drops.

    Attributes:
        threshold: the lowest level that is written, on the standard library's scale.
        writer: receives the lines.
    """

    def __init__(self, first_use: Callable[[], object] | None = None, metrics: Metrics = METRICS) -> None:
        self.threshold = UNCONFIGURED
        self.writer = Writer((), metrics=metrics)
        self._configure_first = self._first_use = first_use
        self._metrics = metrics
        self._scrubber = ContextScrubber(metrics)
        self._clock = TimestampFormatter()
        self._static: dict[str, str] = {}

    def configure(self, *, level: str, static: Mapping[str, str], writer: Writer) -> None:
        """Start writing, and close the previous writer.

        Args:
            level: name of the lowest level that is written.
            static: fields of every record.
            writer: receives the lines.
        """
        before, self.writer = self.writer, writer
        self._static = dict(static)
        self.threshold = LEVELS[level]
        before.close()

    def set_static_fields(self, fields: Mapping[str, str]) -> None:
        """Replace the fields of every later record."""
        self._static = dict(fields)

    def reset(self) -> None:
        """Close the writer and return to the state before :meth:`configure`."""
        self.configure(level="fatal", static={}, writer=Writer((), metrics=self._metrics))
        self._first_use = self._configure_first
        self.threshold = UNCONFIGURED

    @contextmanager
    def redirected(self, other: Pipeline) -> Iterator[None]:
        """Behave like ``other`` inside the block: for tests of code that uses the process's loggers."""
        kept = {name: getattr(self, name) for name in _REDIRECTED}
        vars(self).update({name: getattr(other, name) for name in _REDIRECTED})
        try:
            yield
        finally:
            vars(self).update(kept)

    def on_first_use(self, configure: Callable[[], object]) -> None:
        """Call ``configure`` when a record arrives before :meth:`configure`."""
        self._configure_first = self._first_use = configure

    def scrub_context(self, context: dict[str, Any]) -> dict[str, Any]:
        """Return a copy of ``context`` without private data."""
        try:
            return self._scrubber.clean(context)
        except Exception:  # noqa: BLE001 - counted, and raised under pytest
            self._handle_own_failure()
            return {}

    def emit(
        self, level: str, name: str, message: str, bound: Mapping[str, Any], context: dict[str, Any]
    ) -> None:
        """Queue a record.

        Args:
            level: a key of :data:`LEVELS`.
            name: of the logger.
            message: scrubbed here.
            bound: context that is scrubbed already.
            context: context that is scrubbed here; ``exc_info`` in it becomes ``error``, and
                ``stack_info`` becomes ``stack``.
        """
        try:
            if self.threshold == UNCONFIGURED and not self._configure_and_check(level):
                return
            scrubber, messages = self._scrubber, self._scrubber.clean_messages
            record: dict[str, Any] = {
                "timestamp": self._clock.format(time.time_ns()),
                "level": level,
                "logger": messages[name],
                "message": messages[message] if type(message) is str else scrubber.text(message),
                **self._static,
            }
            request = correlation.current()
            if request is not None:
                record["correlation_id"] = request
            if bound:
                _add_context(record, bound)
            if context:
                _add_scrubbed(record, context, scrubber)
            span = current_span_ids()
            if span is not None:  # last, so that context cannot replace them
                record["trace_id"], record["span_id"] = span
            line = encode(record)
            self._metrics.record_log(level)
            self.writer.put(line)
        except Exception:  # noqa: BLE001 - counted, and raised under pytest
            self._handle_own_failure()

    def configure_before_first_record(self) -> None:
        """Configure now, as the first record would do it; nothing if it has been done.

        No other thread can fork meanwhile: a child would wait for ever for this lock, or for that of a
        module which is being imported.
        """
        if self.threshold == UNCONFIGURED:
            with fork.lock:
                first, self._first_use = self._first_use, None
                if first is not None:
                    first()

    def _configure_and_check(self, level: str) -> bool:
        """Configure at the first record: whether it is to be written."""
        self.configure_before_first_record()
        return self.threshold <= LEVELS[level]

    def _handle_own_failure(self) -> None:
        """Count the exception that is being handled, which is the library's own; under pytest raise it."""
        if "PYTEST_CURRENT_TEST" in os.environ:
            raise  # noqa: PLE0704 - called from an except block only
        self._metrics.record_dropped("logs", "failed")


def _add_context(record: dict[str, Any], fields: Mapping[str, Any]) -> None:
    """Add context. A field named as a standard field is renamed, so that it cannot replace that one."""
    if _RESERVED_FIELDS.isdisjoint(fields):
        record.update(fields)
        return
    for name, value in fields.items():
        if name == "correlation_id" and isinstance(value, str) and (known := correlation.parse(value)):
            record[name] = known
        else:
            record[f"context_{name}" if name in _RESERVED_FIELDS else name] = value


def _add_scrubbed(record: dict[str, Any], context: dict[str, Any], scrubber: ContextScrubber) -> None:
    """Add context that is not scrubbed yet."""
    if "exc_info" not in context and "stack_info" not in context:
        _add_context(record, scrubber.clean(context))
        return
    error = resolve_exc_info(context.pop("exc_info", None))
    stack = context.pop("stack_info", None)
    if stack:  # True, or the text that the standard library made of it
        context["stack"] = stack_of_text(stack) if isinstance(stack, str) else current_stack()
    if context:
        _add_context(record, scrubber.clean(context))
    if error is not None:
        record["error"] = scrubber.clean({"error": describe(error)}).get("error", DROPPED)


PIPELINE: Final = Pipeline()
"""The pipeline of the process."""
