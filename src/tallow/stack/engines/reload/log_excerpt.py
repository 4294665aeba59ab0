"""The error that a service has just logged, as one line."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tallow.stack.engines.logs.reader import LEVELS, LogLine, LogTail, parse_line

MAX_CHARACTERS: Final = 500


class LogExcerpt:
    """The lines that a service logs from now on.

    Args:
        logs: the folder of the logs.
        service: the service.
    """

    def __init__(self, logs: Path, service: str) -> None:
        self._service = service
        self._tail = LogTail(logs / f"{service}.log")
        self._lines: list[LogLine] = []

    def error(self) -> str:
        """The last line of level error or worse, otherwise the last one without a level; may be empty."""
        self._lines += [parse_line(self._service, raw) for raw in self._tail.new_lines() if raw.strip()]
        errors = [line for line in self._lines if line.level in LEVELS[LEVELS.index("error") :]]
        without_level = [line for line in self._lines if line.level is None]
        candidates = errors or without_level
        return _one_line(candidates[-1]) if candidates else ""


def _one_line(line: LogLine) -> str:
    cause = next((str(line.extra[key]) for key in ("err", "error") if line.extra.get(key)), "")
    text = f"{line.text}: {cause}" if cause else line.text
    return " ".join(text.removeprefix("Error: ").split())[:MAX_CHARACTERS]
