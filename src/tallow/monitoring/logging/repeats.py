"""Bound the volume of repeated log records: the first is written at once, further ones once a minute.

An attacker who causes the same warning a thousand times a second must neither fill the disk nor hide other
records.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, Final

from tallow.monitoring import correlation
from tallow.monitoring.lifecycle import fork
from tallow.monitoring.logging.loggers import Logger

INTERVAL_S: Final = 60.0
"""Seconds for which repeated records are summarised."""

MAX_DISTINCT: Final = 60
"""Records of one message with different keys that are written in one interval; the others are summarised
together."""

MAX_MESSAGES: Final = 200
"""Messages that are distinguished. Beyond it the message that was first used the longest ago is summarised
early."""


@dataclass(slots=True)
class _Summary:
    """The suppressed records of one kind.

    Attributes:
        due: when a summary may be written, in seconds of the clock: an interval after the last line.
        suppressed: their number.
        level: of the last one.
        context: of the last one, without its exception.
    """

    due: float
    suppressed: int = 0
    level: str = "info"
    context: dict[str, Any] = field(default_factory=dict)

    def add(self, level: str, context: dict[str, Any]) -> None:
        """Count one more record."""
        self.suppressed += 1
        self.level = level
        self.context = {name: value for name, value in context.items() if name != "exc_info"}
        if request := correlation.current():
            self.context.setdefault("correlation_id", request)


@dataclass(slots=True)
class _Interval:
    """The records of one message since its first one.

    Attributes:
        due: when the interval ends, in seconds of the clock.
        kinds: the summary of each key that was written.
        rest: the summary of all further keys.
    """

    log: Logger
    message: str
    due: float
    kinds: dict[Hashable, _Summary] = field(default_factory=dict)
    rest: _Summary = field(default_factory=lambda: _Summary(0.0))

    def admit(self, key: Hashable, level: str, context: dict[str, Any], due: float) -> bool:
        """Whether a record is written; otherwise it is counted.

        Args:
            due: when a summary of further records of this kind may be written.
        """
        known = self.kinds.get(key)
        if known is None and len(self.kinds) < MAX_DISTINCT:
            self.kinds[key] = _Summary(due)
            return True
        (known or self.rest).add(level, context)
        return False

    def write_summaries(self) -> None:
        """Write one record for each kind with suppressed records."""
        for summary in (*self.kinds.values(), self.rest):
            self._write(summary)

    def next_interval(self, now: float, due: float) -> _Interval:
        """Write the summaries that are due, and return an interval with the kinds that had a line since.

        Otherwise a kind would have two lines at its end: the summary, and the first record after it.
        """
        self._write(self.rest)
        kinds = {}
        for key, summary in self.kinds.items():
            if now < summary.due:
                kinds[key] = summary
            elif summary.suppressed:
                self._write(summary)
                kinds[key] = _Summary(due)
        return _Interval(self.log, self.message, due, kinds)

    def _write(self, summary: _Summary) -> None:
        if summary.suppressed:
            self.log.log(summary.level, self.message, **summary.context, repeated=summary.suppressed)


class RepeatLimiter:
    """Writes the first record of a kind at once, and then at most one summary of further ones per interval.

    A kind is a message with a key. A summary has the context of the last record, without its exception, and
    the number of records that it stands for as ``repeated``. It is written by the next call of :meth:`log` or
    :meth:`flush_due` after the interval, or by :meth:`flush`. Memory and the number of lines are bounded by
    :data:`MAX_DISTINCT` and :data:`MAX_MESSAGES`, whatever the keys. Safe to use from several threads.

    Args:
        interval_s: seconds.
        clock: monotonic seconds.

    Example:
        >>> from tallow.monitoring.logging import security_logger
        >>> from tallow.monitoring.testing import captured_logs
        >>> limiter = RepeatLimiter()
        >>> with captured_logs() as logs:
        ...     for _ in range(1000):
        ...         limiter.log(security_logger, "warning", "Token rejected", reason="unknown")
        ...     limiter.flush()
        ...     len(logs.records), logs.last["repeated"]
        (2, 999)
    """

    def __init__(self, interval_s: float = INTERVAL_S, clock: Callable[[], float] = time.monotonic) -> None:
        self._interval = interval_s
        self._clock = clock
        self._lock = threading.RLock()  # a signal handler may flush on the thread that holds it
        self._messages: OrderedDict[tuple[int, str], _Interval] = OrderedDict()

        fork.register(self)

    def after_fork(self) -> None:
        """Forget the parent's records, whose summaries it writes itself."""
        self._lock = threading.RLock()  # another thread of the parent may have held it
        self._messages = OrderedDict()

    def log(self, log: Logger, level: str, message: str, /, *, key: Hashable = None, **context: Any) -> None:
        """Write a record, or count it for the summary of its kind.

        Args:
            log: the logger.
            level: as in :meth:`Logger.log`.
            message: a constant text.
            key: distinguishes kinds of one message; by default the values of the context that are texts.
            context: the record's context; ``exc_info`` is only in records that are written at once.
        """
        if key is None:
            key = tuple((name, value) for name, value in context.items() if isinstance(value, str))
        with self._lock:
            now = self._clock()
            self._write_due(now)
            admitted = self._interval_of(log, message, now).admit(key, level, context, now + self._interval)
        if admitted:
            log.log(level, message, **context)

    def flush_due(self) -> None:
        """Write the summaries whose interval has ended."""
        with self._lock:
            self._write_due(self._clock())

    def flush(self) -> None:
        """Write all summaries, before the process ends."""
        with self._lock:
            while self._messages:
                self._write_oldest()

    def clear(self) -> None:
        """Forget all records without writing summaries: for tests."""
        with self._lock:
            self._messages.clear()

    def _interval_of(self, log: Logger, message: str, now: float) -> _Interval:
        known = self._messages.get((id(log), message))
        if known is None:
            if len(self._messages) >= MAX_MESSAGES:
                self._write_oldest()
            known = _Interval(log, message, now + self._interval)
            self._messages[id(log), message] = known  # in the order of their ends
        return known

    def _write_due(self, now: float) -> None:
        while self._messages and next(iter(self._messages.values())).due <= now:
            key, ended = self._messages.popitem(last=False)
            following = ended.next_interval(now, now + self._interval)
            if following.kinds:
                self._messages[key] = following  # in the order of their ends

    def _write_oldest(self) -> None:
        self._messages.popitem(last=False)[1].write_summaries()


REPEATS: Final = RepeatLimiter()
"""The process's own limiter.

    >>> from tallow.monitoring.logging import security_logger
    >>> from tallow.monitoring.testing import captured_logs
    >>> with captured_logs() as logs:
    ...     REPEATS.log(security_logger, "warning", "Example of a record", reason="example")
    ...     logs.last["reason"]
    'example'
"""
