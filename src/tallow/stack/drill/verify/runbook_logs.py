"""Whether the log commands of a runbook lead to a record after the fault."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Final

from tallow.stack.engines.logs.reader import LogFilter, LogLine, read_logs

SUPERVISOR: Final = "supervisor"
"""A drill has no supervisor, so that its log is not read; the tests of the native engine read it."""

DEFAULT_LINES: Final = 200
"""Lines that ``tallow logs`` prints without ``--lines``."""

_COMMAND: Final = re.compile(r"^ *(tallow logs (?![^\n]*[A-Z]{2})[^\n]+)$", re.MULTILINE)
"""A command on a line of its own. Capitals stand for a value that the reader fills in."""


@dataclass(frozen=True, slots=True)
class CauseRecord:
    """The record that names the cause of a fault.

    Attributes:
        fields: fields of the record, with their values.
        error: part of its exception, as type, message and stack.

    Example:
        >>> cause = CauseRecord({"error_type": "storage"}, error="is locked")
        >>> cause.matches(LogLine("tallow", "Failed", extra={"error_type": "storage"}))
        False
    """

    fields: Mapping[str, str]
    error: str

    def matches(self, line: LogLine) -> bool:
        """Whether a line is this record."""
        exception = line.extra.get("error")
        if not isinstance(exception, dict):
            return False
        if any(line.extra.get(name) != value for name, value in self.fields.items()):
            return False
        return self.error in " ".join(str(exception.get(name)) for name in ("type", "message", "stack"))


@dataclass(frozen=True, slots=True)
class DrillLogs:
    """The logs of a drill.

    Attributes:
        server_log: the log that stands for the service ``tallow``.
        service_logs: the folder with the logs of the other services.
        since: when the fault began, in seconds since the epoch.
    """

    server_log: Path
    service_logs: Path
    since: float


def log_commands(alert: str) -> list[str]:
    """The log commands of an alert's runbook that can be run as they are.

    Example:
        >>> log_commands("HighPQCFailureRate")
        ['tallow logs tallow --since 1h --logger crypto --level warning']
    """
    page = (resources.files("tallow.stack.alerts") / "runbooks" / f"{alert}.md").read_text("utf-8")
    return [found.partition(" > ")[0] for found in _COMMAND.findall(page)]


def commands_without_output(alert: str, logs: DrillLogs) -> list[str]:
    """The log commands of a runbook that print nothing."""
    return [line for line in log_commands(alert) if not _is_unread(line) and not printed_lines(line, logs)]


def leads_to(alert: str, cause: CauseRecord, logs: DrillLogs) -> bool:
    """Whether a log command of a runbook prints the record that names a fault's cause."""
    return any(
        cause.matches(record)
        for line in log_commands(alert)
        if not _is_unread(line)
        for record in printed_lines(line, logs)
    )


def printed_lines(line: str, logs: DrillLogs) -> list[LogLine]:
    """What a log command prints.

    Older lines of the server do not count for a command with a filter: they are not about the fault.
    """
    services, options = _parse(line)
    wanted = LogFilter(
        level=options.get("--level"), text=options.get("--grep"), logger=options.get("--logger")
    )
    if wanted != LogFilter():
        wanted = replace(wanted, since=datetime.fromtimestamp(logs.since, UTC))
    found = [
        record
        for service in services
        for record in (
            read_logs(logs.server_log.parent, [logs.server_log.stem], wanted)
            if service == "tallow"
            else read_logs(logs.service_logs, [service], replace(wanted, since=None))
        )
    ]
    return found[-int(options.get("--lines", DEFAULT_LINES)) :]


def _is_unread(line: str) -> bool:
    return _parse(line)[0][0] == SUPERVISOR


def _parse(line: str) -> tuple[list[str], dict[str, str]]:
    """The services and the options of a log command. ``--json`` alone has no value."""
    services: list[str] = []
    options: dict[str, str] = {}
    words = iter(word for word in shlex.split(line)[2:] if word != "--json")
    for word in words:
        if word.startswith("--"):
            options[word] = next(words)
        else:
            services.append(word)
    return services, options
