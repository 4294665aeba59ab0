"""What a stack of either engine has recorded: its mail, and the log lines of its services."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from tallow.stack.engines.docker import logs as docker_logs
from tallow.stack.engines.docker.choice import is_docker
from tallow.stack.engines.docker.mailbox import MailpitReader
from tallow.stack.engines.docker.project import project
from tallow.stack.engines.logs import reader
from tallow.stack.engines.logs.reader import LogFilter, LogLine
from tallow.stack.engines.state.state_dir import StateDir
from tallow.stack.mailbox.reader import Mail, read_messages

MessageReader = Callable[[], list[Mail]]


def mail_reader(home: StateDir) -> MessageReader:
    """A function that reads the messages in the stack's own mailbox, oldest first."""
    if is_docker(home):
        return MailpitReader(home).messages
    return lambda: read_messages(home.data / "mailbox")


def read_logs(home: StateDir, services: Iterable[str], wanted: LogFilter) -> list[LogLine]:
    """The matching log lines of services, oldest first.

    Raises:
        StackError: the Docker engine does not answer.
    """
    if is_docker(home):
        return docker_logs.read_logs(project(home), services, wanted)
    return reader.read_logs(home.logs, services, wanted)


def follow_logs(
    home: StateDir, services: Iterable[str], wanted: LogFilter, since: datetime, shown: Iterable[LogLine]
) -> Iterator[LogLine]:
    """Yield matching lines of services as they are written.

    Args:
        since: when the lines that are shown were read.
        shown: lines that are not to be shown again.
    """
    if is_docker(home):
        return docker_logs.follow_logs(project(home), services, wanted, since, shown)
    return reader.follow_logs(home.logs, services, wanted)
