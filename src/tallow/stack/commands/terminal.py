"""Output to a terminal, a file or another program."""

from __future__ import annotations

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
