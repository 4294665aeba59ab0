"""The log lines of containers, in the form in which the log files of the native engine are read."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

from tallow.stack.engines.docker.client import CHANGE_S, Project
from tallow.stack.engines.docker.containers import plain
from tallow.stack.engines.logs.reader import LogFilter, LogLine, parse_line

_PREFIX: Final = re.compile(r"^(\S+?)(?:-\d+)?\s*\| ?(.*)$", re.DOTALL)


def read_logs(project: Project, services: Iterable[str], wanted: LogFilter) -> list[LogLine]:
    """The matching lines of services, oldest first.

    Raises:
        DockerCommandError: they cannot be read.
    """
    output = project.compose("logs", "--no-color", *services, seconds=CHANGE_S)
    lines = [line for line in _parse(output.splitlines()) if wanted.matches(line)]
    oldest = datetime.min.replace(tzinfo=UTC)
    return sorted(lines, key=lambda line: line.timestamp or oldest)


def follow_logs(
    project: Project, services: Iterable[str], wanted: LogFilter, since: datetime, shown: Iterable[LogLine]
) -> Iterator[LogLine]:
    """Yield matching lines as they are written, until all containers have ended.

    Args:
        since: when the lines that are shown were read; lines that were written meanwhile are not lost.
        shown: lines that are not to be shown again.
    """
    command = project.command("logs", "--no-color", "--follow", "--since", since.isoformat(), *services)
    known = Counter((line.service, line.raw) for line in shown)
    for line in _follow(command, wanted):
        if known[line.service, line.raw] > 0:
            known[line.service, line.raw] -= 1
        else:
            yield line


def _follow(command: Sequence[str], wanted: LogFilter) -> Iterator[LogLine]:
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, errors="replace"
    ) as process:
        assert process.stdout is not None
        try:
            yield from (line for line in _parse(process.stdout) if wanted.matches(line))
        finally:
            with suppress(ProcessLookupError):
                process.terminate()


def _parse(lines: Iterable[str]) -> Iterator[LogLine]:
    last: dict[str, LogLine] = {}
    for text in lines:
        found = _PREFIX.match(plain(text))
        if found is None:
            continue
        service, raw = found.groups()
        last[service] = parse_line(service, raw, last.get(service))
        yield last[service]
