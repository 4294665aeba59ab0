"""Output to a terminal, a file or another program."""

from __future__ import annotations

import json
import os
import sys
from typing import Final

from rich.console import Console

FILE_WIDTH: Final = 1000
"""Columns of output that goes to a program or a file: nothing is wrapped there."""


def new_console() -> Console:
    """A console on standard output: as wide as the terminal, or as ``COLUMNS`` says."""
    is_free = not (sys.stdout and sys.stdout.isatty()) and "COLUMNS" not in os.environ
    return Console(highlight=False, width=FILE_WIDTH if is_free else None)


def printable(text: str) -> str:
    """One line that cannot control a terminal: characters that are not printable are written as escapes.

    Example:
        >>> printable("a\\x1b[2Jb")
        'a\\\\x1b[2Jb'
    """
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )


def printable_lines(text: str) -> str:
    """Lines of a text, none of which can control a terminal; tabs become spaces.

    Example:
        >>> printable_lines("one\\r\\ntwo\\x1b[2J")
        'one\\ntwo\\\\x1b[2J'
    """
    lines = text.replace("\r\n", "\n").split("\n")
    return "\n".join(printable(line.expandtabs()) for line in lines)


def printable_json(line: str) -> str:
    """A line of JSON that cannot control a terminal and means the same; any other line, made harmless.

    Example:
        >>> printable_json('{"a": "\\u202e"}')
        '{"a": "\\\\u202e"}'
    """
    return "".join(
        character if character.isprintable() or character == "\t" else json.dumps(character)[1:-1]
        for character in line
    )
