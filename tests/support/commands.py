"""Runs ``tallow`` commands in their own processes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[2]


class CommandResult(NamedTuple):
    """Exit status, standard output and standard error of a command."""

    status: int
    out: str
    err: str


def run(*arguments: str, **given: Any) -> CommandResult:
    """Run a command in its own process; ``given`` is passed to subprocess.run."""
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL}
    command = [sys.executable, "-m", "tallow", *arguments]
    settings = {"cwd": ROOT} | streams | given
    done = subprocess.run(command, check=False, text=True, timeout=120, **settings)
    return CommandResult(done.returncode, done.stdout, done.stderr)


def run_without_reader(*arguments: str, both: bool = False) -> CommandResult:
    """Run a command whose standard output is a closed pipe; ``both``: standard error, too."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        given = {"stdout": writer} | ({"stderr": writer} if both else {})
        return run(*arguments, **given)
    finally:
        os.close(writer)
