"""Say in one line why a container does not work."""

from __future__ import annotations

from typing import Final

from tallow.stack.engines.docker.containers import Container, last_lines
from tallow.stack.engines.logs.reader import LEVELS, LogLine, parse_line

_LINES: Final = 40
_MAX_CHARACTERS: Final = 400


def describe_failure(container: Container, what: str = "does not start") -> str:
    """One line: the service, and the last error that it logged, else the state of its container."""
    reason = container.error or _logged_error(container) or container.state().detail
    return f"{container.service} {what}: {reason}"


def _logged_error(container: Container) -> str:
    """The last line of level error or worse, otherwise the last one that is no record; may be empty."""
    lines = [parse_line(container.service, raw) for raw in last_lines(container, _LINES)]
    errors = [line for line in lines if line.level in LEVELS[LEVELS.index("error") :]]
    found = errors or [line for line in lines if line.level is None]
    return _text(found[-1]) if found else ""


def _text(line: LogLine) -> str:
    cause = next((str(line.extra[key]) for key in ("err", "error") if line.extra.get(key)), "")
    text = f"{line.text}: {cause}" if cause else line.text
    return " ".join(text.removeprefix("Error: ").split())[:_MAX_CHARACTERS]
