"""Versions of programs, as the programs print them."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

TIMEOUT_S: Final = 10.0
_NUMBER: Final = re.compile(r"\d+(?:\.\d+)+")

Version = tuple[int, ...]


def parse(text: str) -> Version | None:
    """The first number with a dot in a text; None if there is none.

    Example:
        >>> parse("prometheus, version 2.42.0+ds")
        (2, 42, 0)
    """
    found = _NUMBER.search(text)
    return tuple(map(int, found.group().split("."))) if found else None


def program_version(path: Path, environment: Mapping[str, str]) -> Version | None:
    """The version that a program prints for ``--version``; None if it prints none, fails or takes too long.

    Args:
        environment: variables that it needs besides those of this process.
    """
    try:
        changed = path.stat().st_mtime_ns
    except OSError:
        return None
    return _run(path, changed, tuple(sorted(environment.items())))


@cache
def _run(path: Path, _changed: int, environment: tuple[tuple[str, str], ...]) -> Version | None:
    try:
        done = subprocess.run(
            [path, "--version"],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            env=os.environ | dict(environment),
            timeout=TIMEOUT_S,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return parse((done.stdout + b"\n" + done.stderr).decode("utf-8", "replace"))
