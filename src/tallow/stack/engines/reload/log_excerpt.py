"""What a service has just said of an error, as one line."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tallow.stack.engines.logs.reader import LEVELS, LogLine, LogTail, parse_line

SHOWN: Final = 500


class LogExcerpt:
    """The lines of a service's log from now on.

    Args:
        logs: the folder of the logs.
        service: whose.
    """

    def __init__(self, logs: Path, service: str) -> None:
        self._service = service
        self._tail = LogTail(logs / f"{service}.log")
        self._lines: list[LogLine] = []

    def error(self) -> str:
        """The last new line of level error or worse, else the last that has no level; empty without one."""
        self._lines += [parse_line(self._service, raw) for raw in self._tail.new_lines() if raw.strip()]
        worst = [line for line in self._lines if line.level in LEVELS[LEVELS.index("error") :]]
        plain = [line for line in self._lines if line.level is None]
        found = (worst or plain)[-1:]
        return _one_line(found[0]) if found else ""


def _one_line(line: LogLine) -> str:
    cause = next((str(line.extra[key]) for key in ("err", "error") if line.extra.get(key)), "")
    text = f"{line.text}: {cause}" if cause else line.text
    return " ".join(text.removeprefix("Error: ").split())[:SHOWN]
