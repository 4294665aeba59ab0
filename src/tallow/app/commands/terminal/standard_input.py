"""What is sent from standard input or typed: it is kept in a private file until it was sent."""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import click

from tallow.app.files.attributes import PRIVATE_FILE, Attributes
from tallow.app.files.errors import FileError, StoppedError, file_error
from tallow.app.files.source_file import SourceFile, source_file

BLOCK: Final = 1 << 20
POLL_S: Final = 0.2
MAX_TEXT: Final = 1 << 20
"""Bytes of a text; more is a file."""


def read_input(
    folder: Path, name: str, text: str | None, stopped: Callable[[], bool] = lambda: False
) -> SourceFile:
    """A file with a text, or with all of standard input. Blocks.

    Args:
        folder: private folder for the file.
        name: the file's name for the other side.
        text: None for standard input; empty to ask for a text, or to read it from standard input.
        stopped: asked while standard input is read; true ends that.

    Raises:
        FileError: the file cannot be written, or the text is empty or too long.
        StoppedError: ``stopped`` returned true.
    """
    path = folder / "input"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
        with os.fdopen(descriptor, "wb") as out:
            if text is None:
                _copy_standard_input(out.write, stopped)
            else:
                out.write(_checked_text(text or _ask(stopped)))
        source = source_file(path, name)
    except OSError as error:
        raise file_error("keep the input in", str(path), error) from None
    modified = source.attributes.modified_ns
    return SourceFile(path, name, source.size, source.identity, Attributes(0o644, modified))


def _ask(stopped: Callable[[], bool]) -> str:
    if sys.stdin.isatty():
        asked: str = click.prompt("Text", err=True)
        return asked
    parts: list[bytes] = []
    _copy_standard_input(parts.append, stopped, MAX_TEXT)
    return b"".join(parts).decode("utf-8", "replace")


def _checked_text(text: str) -> bytes:
    encoded = text.encode("utf-8", "replace")
    if not 0 < len(encoded) <= MAX_TEXT:
        raise FileError(f"the text has {len(encoded)} bytes; accepted: 1 to {MAX_TEXT}. Send a file instead")
    return encoded


def _copy_standard_input(
    write: Callable[[bytes], object], stopped: Callable[[], bool], limit: int | None = None
) -> None:
    """Read standard input to its end. A pipe whose writer is silent is polled, so that Ctrl-C works."""
    number, read = sys.stdin.fileno(), 0
    while limit is None or read <= limit:
        while not select.select([number], [], [], POLL_S)[0]:
            if stopped():
                raise StoppedError
        block = os.read(number, BLOCK)
        if not block:
            return
        read += len(block)
        write(block)
        if stopped():
            raise StoppedError
