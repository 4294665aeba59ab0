"""Log files read back: lines of every service in one form, filtered, and followed as they grow."""

from __future__ import annotations

import json
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
    """One line of a log."""

    service: str
    text: str
    timestamp: datetime | None = None
    level: str | None = None
    """One of :data:`LEVELS`, None where the line does not say."""
    correlation_id: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Everything else the line says."""
    raw: str = ""


@dataclass(frozen=True, slots=True)
class LogFilter:
    """What is asked for; what is None or empty lets every line through."""

    level: str | None = None
    """This level and worse. Lines without one (a traceback, a panic) pass with the line before them."""
    correlation_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    text: str | None = None
    """Part of the line, in any case."""

    def matches(self, line: LogLine) -> bool:
        """Whether a line is asked for."""
        return (
            (self.level is None or LEVELS.index(line.level or "info") >= LEVELS.index(self.level))
            and (self.correlation_id is None or line.correlation_id == self.correlation_id)
            and (self.since is None or (line.timestamp is not None and line.timestamp >= self.since))
            and (self.until is None or (line.timestamp is not None and line.timestamp <= self.until))
            and (self.text is None or self.text.casefold() in line.raw.casefold())
        )


def parse_line(service: str, raw: str, before: LogLine | None = None) -> LogLine:
    """A line as it stands in the file; what is not JSON takes time and level from the line ``before``."""
    try:
        found = json.loads(raw) if raw.startswith("{") else None
    except ValueError:
        found = None
    if not isinstance(found, dict):
        at, level = (before.timestamp, before.level) if before else (None, None)
        return LogLine(service, raw, at, level, before.correlation_id if before else None, raw=raw)
    text = next((str(found.pop(key)) for key in _TEXTS if key in found), "")
    at = next((_time(found.pop(key)) for key in _TIMES if key in found), None)
    level = str(found.pop(_LEVEL, "")).lower() or None
    level = _SYNONYMS.get(level, level) if level else None
    correlation = found.pop(_CORRELATION, None)
    return LogLine(service, text, at, level if level in LEVELS else None, correlation, found, raw)


def read_logs(folder: Path, services: Iterable[str], wanted: LogFilter) -> list[LogLine]:
    """The lines that pass, of all services together, oldest first."""
    lines = [
        line
        for service in services
        for line in _parsed(service, _lines(folder / f"{service}.log"))
        if wanted.matches(line)
    ]
    oldest = datetime.min.replace(tzinfo=UTC)
    return sorted(lines, key=lambda line: line.timestamp or oldest)


def follow_logs(folder: Path, services: Iterable[str], wanted: LogFilter) -> Iterator[LogLine]:
    """New lines that pass, as they are written, for ever."""
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
    """The end of a file that grows, is emptied when it is rotated, and may not be there yet."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._place = path.stat().st_size if path.exists() else 0
        self._rest = b""

    def new_lines(self) -> list[str]:
        """Whole lines since the last call."""
        if not self._path.exists():
            return []
        with self._path.open("rb") as file:
            if self._path.stat().st_size < self._place:
                self._place, self._rest = 0, b""
            file.seek(self._place)
            new = file.read()
        self._place += len(new)
        *whole, self._rest = (self._rest + new).split(b"\n")
        return [line.decode("utf-8", "replace") for line in whole]


def last_lines(path: Path, count: int) -> list[str]:
    """The last lines of a log."""
    if not path.exists():
        return []
    return path.read_text(encoding="utf-8", errors="replace").splitlines()[-count:]


def parse_time(text: str, now: datetime | None = None) -> datetime:
    """A time as people write it: ``15m`` (ago; s, m, h, d) or ISO 8601, local where it has no zone.

    Raises:
        ValueError: it is neither.
    """
    units = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
    if text[:-1].isdigit() and text[-1] in units:
        return (now or datetime.now(UTC)) - timedelta(**{units[text[-1]]: int(text[:-1])})
    return datetime.fromisoformat(text).astimezone(UTC)


def _lines(path: Path) -> Iterator[str]:
    """A log's lines with those of its older files, oldest first."""
    older = [path.with_name(f"{path.name}.{number}") for number in range(KEPT, 0, -1)]
    for file in (*older, path):
        if file.exists():
            with file.open(encoding="utf-8", errors="replace") as lines:
                yield from (line.rstrip("\n") for line in lines)


def _parsed(service: str, raws: Iterable[str]) -> Iterator[LogLine]:
    before = None
    for raw in raws:
        before = parse_line(service, raw, before)
        yield before


def _time(value: object) -> datetime | None:
    try:
        if isinstance(value, int | float):
            return datetime.fromtimestamp(value, UTC)
        return datetime.fromisoformat(str(value)).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None
