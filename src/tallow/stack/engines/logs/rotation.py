"""Log files that stay small: copied aside and emptied, so that a program goes on writing to its file."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Final

MAX_BYTES: Final = 10_000_000
KEPT: Final = 5
"""Older files beside each log: ``name.log.1`` is the youngest."""


def rotate_all(folder: Path, names: Iterable[str], max_bytes: int = MAX_BYTES) -> None:
    """Rotate the logs ``NAME.log`` of a folder that have grown beyond ``max_bytes``."""
    for log in (folder / f"{name}.log" for name in names):
        if log.is_file() and log.stat().st_size > max_bytes:
            rotate(log)


def rotate(log: Path) -> None:
    """Move the content of a log aside.

    The program holds the file open for appending, so it cannot be renamed: its content is copied and the file
    emptied. A line written between the two would be lost; what came during the copy is therefore copied
    too, until nothing came, and the gap is that of two system calls.
    """
    numbered = [log.with_name(f"{log.name}.{number}") for number in range(KEPT, 0, -1)]
    for older, younger in itertools.pairwise(numbered):
        if younger.exists():
            younger.replace(older)
    with log.open("rb+") as source, os.fdopen(_create(numbered[-1]), "wb") as copy:
        while source.tell() < os.fstat(source.fileno()).st_size:
            shutil.copyfileobj(source, copy)
        source.truncate(0)


def _create(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
