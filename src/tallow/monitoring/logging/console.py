"""Render lines for a terminal. The input is the scrubbed JSON, so nothing private can be added."""

from __future__ import annotations

import os
from typing import Any, Final, TextIO

import orjson

from tallow.monitoring.logging.record import STANDARD_FIELDS

RESET: Final = "\x1b[0m"
DIM: Final = "\x1b[2m"
COLOURS: Final = {
    "debug": "\x1b[2m",
    "info": "\x1b[32m",
    "warning": "\x1b[33m",
    "error": "\x1b[31m",
    "fatal": "\x1b[1;31m",
}
_SHOWN_FIELDS: Final = frozenset(STANDARD_FIELDS) - {"correlation_id"}


def is_terminal(stream: TextIO) -> bool:
    """Whether the stream is a terminal."""
    try:
        return stream.isatty()
    except (AttributeError, ValueError):
        return False


def same_file(first: TextIO, second: TextIO) -> bool:
    """Whether two streams write to the same file, pipe or socket, and not to a terminal."""
    try:
        return not is_terminal(first) and os.path.samestat(
            os.fstat(first.fileno()), os.fstat(second.fileno())
        )
    except (OSError, AttributeError, ValueError):
        return False


def wants_colour(stream: TextIO) -> bool:
    """Whether to use colours: on a terminal that is not dumb, without ``NO_COLOR`` (no-color.org)."""
    return is_terminal(stream) and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


class ConsoleRenderer:
    """Renders lines as ``12:00:01.234 INFO     transfer  Transfer started  file_size=12``."""

    def __init__(self, *, colour: bool) -> None:
        self._colour = colour

    def __call__(self, line: bytes) -> str:
        """Render a JSON line, with its newline. A line that is not JSON is returned unchanged."""
        try:
            record: dict[str, Any] = orjson.loads(line)
        except orjson.JSONDecodeError:
            return line.decode("utf-8", "replace")
        level = record["level"]
        error = record.get("error")
        fields = {name: value for name, value in record.items() if name not in _SHOWN_FIELDS}
        stack = ""
        if isinstance(error, dict) and "stack" in error:
            stack = f"\n{self._paint(COLOURS['error'], _stack_lines(error))}"
            del fields["error"]
        pairs = " ".join(
            f"{self._paint(DIM, _escape_control_characters(name) + '=')}{_value(item)}"
            for name, item in fields.items()
        )
        clock = self._paint(DIM, record["timestamp"][11:23])
        head = (
            f"{clock} {self._paint(COLOURS[level], f'{level.upper():7}')} "
            f"{record['logger']}  {_escape_control_characters(record['message'])}"
        )
        return f"{head}{'  ' if pairs else ''}{pairs}{stack}\n"

    def _paint(self, colour: str, text: str) -> str:
        return f"{colour}{text}{RESET}" if self._colour else text


def _stack_lines(error: dict[str, Any]) -> str:
    head = f"{error.get('type')}: {error.get('message')}"
    return "\n".join(_escape_control_characters(line) for line in (head, *str(error["stack"]).split("\n")))


def _value(value: Any) -> str:
    if isinstance(value, str):
        return (
            _escape_control_characters(value) if value and " " not in value else orjson.dumps(value).decode()
        )
    return orjson.dumps(value).decode()


def _escape_control_characters(text: Any) -> str:
    """Write control characters as escapes, so that a message cannot control the terminal."""
    text = str(text)
    return text if text.isprintable() else "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
