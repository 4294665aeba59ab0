"""Log rotation: the content of a log is copied and the log emptied, while programs write to it."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Final

MAX_BYTES: Final = 10_000_000
KEPT: Final = 5
"""Rotated files per log; ``name.log.1`` is the newest."""


def rotate_all(folder: Path, names: Iterable[str], max_bytes: int = MAX_BYTES) -> None:
    """Rotate the logs ``NAME.log`` of a folder that are larger than ``max_bytes``."""
    for log in (folder / f"{name}.log" for name in names):
        if log.is_file() and log.stat().st_size > max_bytes:
            rotate(log)


def rotate(log: Path) -> None:
    """Move the content of a log to ``NAME.log.1``.

    The program keeps the file open for appending, so it cannot be renamed. What is written during the copy is
    copied too; only a line that is written between the last read and the truncation is lost.
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
