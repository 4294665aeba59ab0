"""Read the services' log files: parsed into one form, filtered, and followed as they grow."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from tallow.stack.engines.logs.rotation import KEPT

LEVELS: Final = ("debug", "info", "warning", "error", "fatal")
_SYNONYMS: Final = {"warn": "warning", "critical": "fatal", "panic": "fatal", "dpanic": "fatal"}
_TIMES: Final = ("timestamp", "ts", "time", "t")
_TEXTS: Final = ("message", "msg", "event")
_LEVEL: Final = "level"
_CORRELATION: Final = "correlation_id"
POLL_S: Final = 0.25


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of a log.

    Attributes:
        level: one of :data:`LEVELS`; None if the line has none.
        extra: the other fields of the line.
        raw: the line as it is in the file.
    """

    service: str
    text: str
    timestamp: datetime | None = None
    level: str | None = None
    correlation_id: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    raw: str = ""


@dataclass(frozen=True, slots=True)
class LogFilter:
    """Conditions that lines must meet; None is no condition.

    Attributes:
        level: the least severe level. A line without a level counts as ``info``.
        text: whole words of the line; case does not matter. ``ice`` does not match ``service``.
        logger: the logger that wrote the line.
    """

    level: str | None = None
    correlation_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    text: str | None = None
    logger: str | None = None

    def matches(self, line: LogLine) -> bool:
        """Whether a line meets every condition."""
        if self.level is not None and LEVELS.index(line.level or "info") < LEVELS.index(self.level):
            return False
        if self.correlation_id is not None and line.correlation_id != self.correlation_id:
            return False
        if self.logger is not None and line.extra.get("logger") != self.logger:
            return False
        return self._has_text(line.raw) and self._is_in_time(line.timestamp)

    def _has_text(self, raw: str) -> bool:
        """Whether the text is in a line, with no letter or digit directly before or after it."""
        if self.text is None:
            return True
        words = re.escape(self.text.casefold())
        before = r"(?<![^\W_])" if self.text[:1].isalnum() else ""
        after = r"(?![^\W_])" if self.text[-1:].isalnum() else ""
        return re.search(before + words + after, raw.casefold()) is not None

    def _is_in_time(self, timestamp: datetime | None) -> bool:
        if self.since is None and self.until is None:
            return True
        if timestamp is None:
            return False
        is_early = self.since is not None and timestamp < self.since
        is_late = self.until is not None and timestamp > self.until
        return not is_early and not is_late


def parse_line(service: str, raw: str, before: LogLine | None = None) -> LogLine:
    """Parse a line of a log file.

    Args:
        service: the service that wrote it.
        raw: the line, without its line break.
        before: the line before it. A line that is no JSON object (a traceback, a panic) takes time, level and
            correlation id from it.
    """
    fields = _json_object(raw)
    if fields is None:
        if before is None:
            return LogLine(service, raw, raw=raw)
        return LogLine(service, raw, before.timestamp, before.level, before.correlation_id, raw=raw)
    text = str(_pop_first(fields, _TEXTS, ""))
    timestamp = _time(_pop_first(fields, _TIMES, None))
    level = str(fields.pop(_LEVEL, "")).lower()
    level = _SYNONYMS.get(level, level)
    correlation_id = fields.pop(_CORRELATION, None)
    return LogLine(service, text, timestamp, level if level in LEVELS else None, correlation_id, fields, raw)


def _json_object(raw: str) -> dict[str, Any] | None:
    try:
        found = json.loads(raw) if raw.startswith("{") else None
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _pop_first(fields: dict[str, Any], names: Iterable[str], default: object) -> object:
    """Remove the first of the names that is present, and return its value."""
    return next((fields.pop(name) for name in names if name in fields), default)


def read_logs(folder: Path, services: Iterable[str], wanted: LogFilter) -> list[LogLine]:
    """The matching lines of several services, oldest first."""
    lines = [
        line
        for service in services
        for line in _parse_lines(service, _lines(folder / f"{service}.log"))
        if wanted.matches(line)
    ]
    oldest = datetime.min.replace(tzinfo=UTC)
    return sorted(lines, key=lambda line: line.timestamp or oldest)


def follow_logs(folder: Path, services: Iterable[str], wanted: LogFilter) -> Iterator[LogLine]:
    """Yield matching lines as they are written. Never ends."""
    tails = [(service, LogTail(folder / f"{service}.log")) for service in services]
    last: dict[str, LogLine] = {}
    while True:
        for service, tail in tails:
            for raw in tail.new_lines():
                last[service] = parse_line(service, raw, last.get(service))
                if wanted.matches(last[service]):
                    yield last[service]
        time.sleep(POLL_S)


class LogTail:
    """Reads what is appended to a file. The file may be missing, and rotation empties it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._position = path.stat().st_size if path.exists() else 0
        self._partial = b""

    def new_lines(self) -> list[str]:
        """The complete lines that were written since the last call."""
        if not self._path.exists():
            return []
        with self._path.open("rb") as file:
            if self._path.stat().st_size < self._position:
                self._position, self._partial = 0, b""
            file.seek(self._position)
            new = file.read()
        self._position += len(new)
        *lines, self._partial = (self._partial + new).split(b"\n")
        return [line.decode("utf-8", "replace") for line in lines]


def last_lines(path: Path, count: int) -> list[str]:
    """The last ``count`` lines of a log; none if it is missing."""
    if not path.exists():
        return []
    return path.read_text(encoding="utf-8", errors="replace").splitlines()[-count:]


def parse_time(text: str, now: datetime | None = None) -> datetime:
    """Parse a time: ``15m`` (ago; units s, m, h, d) or ISO 8601, in local time unless it has a zone.

    Args:
        text: the time.
        now: the reference of a relative time; by default the present.

    Raises:
        ValueError: the text is neither.

    Example:
        >>> parse_time("15m", datetime(2026, 1, 31, 12, 0, tzinfo=UTC)).isoformat()
        '2026-01-31T11:45:00+00:00'
    """
    units = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
    if text[:-1].isdigit() and text[-1] in units:
        return (now or datetime.now(UTC)) - timedelta(**{units[text[-1]]: int(text[:-1])})
    return datetime.fromisoformat(text).astimezone(UTC)


def _lines(path: Path) -> Iterator[str]:
    """The lines of a log and of its rotated files, oldest first."""
    older = [path.with_name(f"{path.name}.{number}") for number in range(KEPT, 0, -1)]
    for file in (*older, path):
        if file.exists():
            with file.open(encoding="utf-8", errors="replace") as lines:
                yield from (line.rstrip("\n") for line in lines)


def _parse_lines(service: str, raw_lines: Iterable[str]) -> Iterator[LogLine]:
    before = None
    for raw in raw_lines:
        before = parse_line(service, raw, before)
        yield before


def _time(value: object) -> datetime | None:
    """A time as seconds since the epoch or in ISO 8601; None if it is neither."""
    try:
        if isinstance(value, int | float):
            return datetime.fromtimestamp(value, UTC)
        return datetime.fromisoformat(str(value)).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None
