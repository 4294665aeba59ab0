"""A line of shell is run to its end, or killed with its children after the time limit."""

from __future__ import annotations

import asyncio
from pathlib import Path

import psutil
import pytest

from tallow.stack.engines.processes.environment import inherited_environment
from tallow.stack.engines.processes.shell import run_shell


async def test_status_and_output_are_returned(tmp_path: Path) -> None:
    line = "pwd; echo $NAME; echo error >&2; exit 3"
    environment = {**inherited_environment(), "NAME": "value"}
    assert await run_shell(line, tmp_path, environment, 30) == (3, f"{tmp_path}\nvalue\nerror\n")


async def test_children_are_killed_after_the_time_limit(tmp_path: Path) -> None:
    line = "sleep 60 & echo $! > child; wait"
    with pytest.raises(TimeoutError):
        await run_shell(line, tmp_path, inherited_environment(), 0.5)
    child = int((tmp_path / "child").read_text())
    async with asyncio.timeout(120):
        while psutil.pid_exists(child) and psutil.Process(child).status() != psutil.STATUS_ZOMBIE:
            await asyncio.sleep(0.01)
    assert not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE
