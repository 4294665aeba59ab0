"""Rows measured in a child process: with environment variables or modules that others must not have."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from benchmarks.paired_measurement import Row


def rows_of(command: Sequence[str], environment: Mapping[str, str]) -> list[Row]:
    """The rows that a process prints with :func:`print_rows`."""
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE)
    return [Row(**row) for row in json.loads(done.stdout)]


def print_rows(rows: Sequence[Row]) -> None:
    print(json.dumps([asdict(row) for row in rows]))
