"""Whether the log commands of a runbook lead to a record after the fault."""

from __future__ import annotations

import re
import shlex
from dataclasses import replace
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Final

from tallow.stack.engines.logs.reader import LogFilter, read_logs

SUPERVISOR: Final = "supervisor"
"""A drill has no supervisor, so that its log is not read; the tests of the native engine read it."""

_COMMAND: Final = re.compile(r"^ *(tallow logs (?![^\n]*[A-Z]{2})[^\n]+)$", re.MULTILINE)
"""A command on a line of its own. Capitals stand for a value that the reader fills in."""


def log_commands(alert: str) -> list[str]:
    """The log commands of an alert's runbook that can be run as they are.

    Example:
        >>> log_commands("HighPQCFailureRate")
        ['tallow logs tallow --since 1h --logger crypto --level warning']
    """
    page = (resources.files("tallow.stack.alerts") / "runbooks" / f"{alert}.md").read_text("utf-8")
    return [found.partition(" > ")[0] for found in _COMMAND.findall(page)]


def commands_without_output(alert: str, server_log: Path, service_logs: Path, since: float) -> list[str]:
    """The log commands of a runbook that print nothing.

    Args:
        alert: the alert of the runbook.
        server_log: the log that stands for the service ``tallow``.
        service_logs: the folder with the logs of the other services.
        since: when the fault began, in seconds since the epoch. Older lines of the server do not count for a
            command with a filter: they are not about the fault.
    """
    return [each for each in log_commands(alert) if not _has_output(each, server_log, service_logs, since)]


def _has_output(line: str, server_log: Path, service_logs: Path, since: float) -> bool:
    services, options = _parse(line)
    wanted = LogFilter(
        level=options.get("--level"), text=options.get("--grep"), logger=options.get("--logger")
    )
    if services[0] == SUPERVISOR:
        return True
    if wanted != LogFilter():
        wanted = replace(wanted, since=datetime.fromtimestamp(since, UTC))
    return any(
        read_logs(server_log.parent, [server_log.stem], wanted)
        if service == "tallow"
        else read_logs(service_logs, [service], replace(wanted, since=None))
        for service in services
    )


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
