"""Output to a terminal, a file or another program."""

from __future__ import annotations

import json
import os
import sys
from typing import Final

from rich.console import Console
from rich.text import Text

FILE_WIDTH: Final = 1000
"""Columns of output to a file or a program: nothing is wrapped there."""


def new_console(*, stderr: bool = False) -> Console:
    """A console that shows text as it is, without markup and emoji codes.

    It is as wide as the terminal, or as ``COLUMNS``.

    Args:
        stderr: write to standard error instead of standard output.
    """
    stream = sys.stderr if stderr else sys.stdout
    is_unlimited = not (stream and stream.isatty()) and "COLUMNS" not in os.environ
    return Console(
        highlight=False,
        markup=False,
        emoji=False,
        stderr=stderr,
        width=FILE_WIDTH if is_unlimited else None,
    )


def printable_text(text: str, style: str = "") -> Text:
    """A styled text whose content can control neither the terminal nor the style.

    Args:
        text: any text, such as a path or an answer of another program.
        style: a style of rich.
    """
    return Text(printable_lines(text), style)


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
    """Lines that cannot control a terminal; tabs become spaces.

    Example:
        >>> printable_lines("one\\r\\ntwo\\x1b[2J")
        'one\\ntwo\\\\x1b[2J'
    """
    lines = text.replace("\r\n", "\n").split("\n")
    return "\n".join(printable(line.expandtabs()) for line in lines)


def printable_json(line: str) -> str:
    """A line of JSON that cannot control a terminal and has the same meaning. Other lines are escaped
    likewise.

    Example:
        >>> printable_json('{"a": "\\u202e"}')
        '{"a": "\\\\u202e"}'
    """
    return "".join(
        character if character.isprintable() or character == "\t" else json.dumps(character)[1:-1]
        for character in line
    )
